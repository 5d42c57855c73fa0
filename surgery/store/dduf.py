"""A DDUF file: a diffusers folder as one zip archive whose records are stored plain.

Opened from its directory and the headers of its weights; nothing is extracted but a tokenizer, when
one is asked for.
Source: https://huggingface.co/docs/hub/dduf
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from surgery.errors import CheckpointError
from surgery.store.contents import Checkpoint, TensorRef
from surgery.store.files import is_plain_name, opened, read_span, stamp
from surgery.store.header import PREFIX, Header, parse_header
from surgery.store.strict_json import load_object
from surgery.store.text import quoted, size, visible

INDEX = "model_index.json"
_WEIGHTS = ".safetensors"
_ALLOWED = (".json", ".model", ".safetensors", ".txt")
_LOCAL = struct.Struct("<4s22xHH")
_LOCAL_MAGIC = b"PK\x03\x04"
_ENCRYPTED = 0x1
_LARGEST_SIDE_FILE = 64_000_000


class Span(NamedTuple):
    """Where a record's data lies in the archive."""

    start: int
    size: int


class Shelf:
    """A temporary folder for side files, made when it is needed, gone together with this object."""

    __slots__ = ("__weakref__", "_folder")

    def __init__(self) -> None:
        self._folder: Path | None = None

    def folder(self, archive: Path) -> Path:
        """Return the folder, for what lies in `archive`."""
        if self._folder is None:
            # Imported here because most models never need it.
            from surgery.store.scratch import scratch_folder

            self._folder = scratch_folder(self, archive)
        return self._folder


@dataclass(frozen=True, slots=True, eq=False, repr=False, kw_only=True)
class DdufCheckpoint(Checkpoint):
    """The model in a DDUF file; names are those of the folder that it holds.

    Args:
        spans: record -> where its data lies, in the order of the archive.
    """

    spans: Mapping[str, Span]
    shelf: Shelf

    @property
    def files(self) -> tuple[Path, ...]:
        """The archive, which is the one weight file."""
        return (self.root,)

    @property
    def side_files(self) -> tuple[Path, ...]:
        """None: what is beside the weights lies in the same file."""
        return ()

    @property
    def total_bytes(self) -> int:
        """Bytes of the archive."""
        return self.stamps[self.root.name].size

    def path(self, relative: str) -> Path:
        """Return the archive, which holds every record."""
        return self.root

    def json(self, relative: str) -> dict[str, object] | None:
        """Return a JSON record, or None when there is none."""
        if relative not in self.spans or relative in self.headers:
            return None
        return load_object(_record(self.root, relative, self.spans), _place(self.root, relative))

    def folder(self, relative: str) -> Path:
        """Return a temporary folder that holds the side files of one folder of the archive."""
        target = self.shelf.folder(self.root) / relative
        for name in self.spans:
            folder, _, own = name.rpartition("/")
            if folder == relative and not name.endswith(_WEIGHTS):
                target.mkdir(exist_ok=True)
                (target / own).write_bytes(_record(self.root, name, self.spans))
        return target


def open_dduf(address: str, path: Path, max_header: int) -> DdufCheckpoint:
    """Open a DDUF file from its directory and the headers of its weights.

    Raises:
        CheckpointError: damaged, compressed, with odd names, or without weights.
    """
    before = stamp(path)
    spans = read_directory(path)
    headers = {
        name: _header(path, name, span, max_header)
        for name, span in spans.items()
        if name.endswith(_WEIGHTS)
    }
    if not headers:
        raise CheckpointError("the archive holds no safetensors", where=visible(str(path)))
    tensors: dict[str, TensorRef] = {}
    for name, header in headers.items():
        start = spans[name].start + header.data_start
        prefix = name[: name.rfind("/") + 1]
        for entry in header.entries:
            full = prefix + entry.name
            if full in tensors:
                problem = f"the tensor {quoted(full)} is in two files of the archive"
                raise CheckpointError(problem, where=visible(str(path)))
            tensors[full] = TensorRef(
                full, entry.dtype, entry.shape, entry.nbytes, path, start + entry.begin
            )
    stamps = dict.fromkeys([path.name, *headers], before)
    return DdufCheckpoint(
        address, path, "dduf", headers, stamps, tensors, spans=spans, shelf=Shelf()
    )


def read_directory(path: Path) -> dict[str, Span]:
    """Return where each record's data lies, in the order of the archive.

    Raises:
        CheckpointError: no zip archive, or one that two readers could read differently.
    """
    where = visible(str(path))
    total = stamp(path).size
    try:
        with opened(path), ZipFile(path) as archive:
            records = archive.infolist()
    except (BadZipFile, EOFError, NotImplementedError, UnicodeDecodeError, ValueError) as error:
        hint = "it is cut short or no DDUF file; download it again"
        raise CheckpointError("the zip archive is damaged", where=where, hint=hint) from error
    spans: dict[str, Span] = {}
    end = 0
    for record in sorted(records, key=lambda record: record.header_offset):
        _check_record(record, spans, path)
        start = _data_start(record, path)
        if record.header_offset < end or start + record.file_size > total:
            raise CheckpointError("the record overlaps others", where=_place(path, record.filename))
        end = start + record.file_size
        spans[record.filename] = Span(start, record.file_size)
    if INDEX not in spans:
        raise CheckpointError(f"the archive holds no {INDEX}", where=where)
    return spans


def _check_record(record: ZipInfo, seen: Mapping[str, Span], path: Path) -> None:
    place = _place(path, record.filename)
    if record.filename in seen:
        raise CheckpointError("the record is there twice", where=place)
    if record.compress_type != ZIP_STORED or record.flag_bits & _ENCRYPTED:
        raise CheckpointError("the record is compressed or encrypted", where=place)
    parts = record.filename.split("/")
    if len(parts) > 2 or not all(map(is_plain_name, parts)) or not parts[-1].endswith(_ALLOWED):
        raise CheckpointError("no name that a DDUF file may hold", where=place)
    if not record.filename.endswith(_WEIGHTS) and record.file_size > _LARGEST_SIDE_FILE:
        raise CheckpointError(f"a side file of {size(record.file_size)}", where=place)


def _data_start(record: ZipInfo, path: Path) -> int:
    raw = read_span(path, record.header_offset, _LOCAL.size)
    magic, name, extra = _LOCAL.unpack(raw)
    if magic != _LOCAL_MAGIC:
        raise CheckpointError("the record has no header", where=_place(path, record.filename))
    return record.header_offset + _LOCAL.size + int(name) + int(extra)


def _header(path: Path, name: str, span: Span, max_header: int) -> Header:
    place = _place(path, name)
    length = int.from_bytes(read_span(path, span.start, min(PREFIX, span.size)), "little")
    if length > min(max_header, span.size - PREFIX):
        problem = f"the header claims {length} bytes of a record of {span.size}"
        raise CheckpointError(problem, where=place)
    return parse_header(read_span(path, span.start, PREFIX + length), span.size, place)


def _record(path: Path, name: str, spans: Mapping[str, Span]) -> bytes:
    return read_span(path, spans[name].start, spans[name].size)


def _place(path: Path, name: str) -> str:
    return f"{visible(str(path))}:{visible(name[:200])}"
