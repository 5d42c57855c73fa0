"""What an open checkpoint is: a mapping from tensor names to where their bytes lie.

Indexing reads no data. How the files are found is for `checkpoint`, what tensors mean for `layout`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import Literal

from surgery.errors import CheckpointError
from surgery.store.entries import DTYPE_BITS
from surgery.store.files import Stamp, read_span
from surgery.store.header import Header
from surgery.store.strict_json import load_file
from surgery.store.text import quoted, visible

Kind = Literal["file", "sharded", "folder"]


@dataclass(frozen=True, slots=True)
class TensorRef:
    """Where one tensor lies: `start` counts from the beginning of `file`."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    nbytes: int
    file: Path
    start: int

    def read(self, first_row: int | None = None, last_row: int | None = None) -> bytes:
        """Return the tensor's bytes, or those of rows [first_row, last_row) along dimension 0.

        Raises:
            CheckpointError: rows outside the tensor or not on whole bytes, or a file cut short.
        """
        if first_row is None and last_row is None:
            return read_span(self.file, self.start, self.nbytes)
        first = 0 if first_row is None else first_row
        last = (self.shape[0] if self.shape else 0) if last_row is None else last_row
        if not self.shape or not 0 <= first <= last <= self.shape[0]:
            raise self._error(f"no rows {first} to {last} in shape {list(self.shape)}")
        bits = prod(self.shape[1:]) * DTYPE_BITS[self.dtype]
        if first * bits % 8 or last * bits % 8:
            raise self._error(f"rows {first} to {last} of {self.dtype} do not fill whole bytes")
        begin = first * bits // 8
        return read_span(self.file, self.start + begin, last * bits // 8 - begin)

    def _error(self, what: str) -> CheckpointError:
        return CheckpointError(what, where=f"{visible(str(self.file))}:{visible(self.name)}")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Checkpoint(Mapping[str, TensorRef]):
    """The tensors and files of one model, as they were when it was opened.

    Args:
        address: what the user called it.
        root: the file, the folder of a shard index, or the folder itself.
        headers: relative name -> header, for each weight file.
        stamps: relative name -> stamp, for every file, weights first.
        tensors: name -> reference, in file order; in a pipeline "component/name".
    """

    address: str
    root: Path
    kind: Kind
    headers: Mapping[str, Header]
    stamps: Mapping[str, Stamp]
    tensors: Mapping[str, TensorRef]

    def __getitem__(self, name: str) -> TensorRef:
        """Return the reference of one tensor."""
        return self.tensors[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over tensor names in file order."""
        return iter(self.tensors)

    def __len__(self) -> int:
        """Return the number of tensors."""
        return len(self.tensors)

    def __repr__(self) -> str:
        """Name the address, kind and size, not the thousands of tensors."""
        return f"<Checkpoint {quoted(self.address)}: {self.kind}, {len(self)} tensors>"

    @property
    def files(self) -> tuple[Path, ...]:
        """The weight files."""
        return tuple(self.path(name) for name in self.headers)

    @property
    def side_files(self) -> tuple[Path, ...]:
        """Every other file of the folder: configs, tokenizers, other variants."""
        return tuple(self.path(name) for name in self.stamps if name not in self.headers)

    @property
    def metadata(self) -> dict[str, Mapping[str, str]]:
        """Relative name of each weight file -> its `__metadata__`."""
        return {name: header.metadata for name, header in self.headers.items()}

    @property
    def total_bytes(self) -> int:
        """Bytes of all files together."""
        return sum(stamp.size for stamp in self.stamps.values())

    @property
    def fingerprint(self) -> str:
        """Hex digest of names, headers and sizes; equal for models that differ in values only."""
        digest = sha256()
        for name, header in sorted(self.headers.items()):
            # A model keeps its fingerprint when its file is renamed, not when a part of it is.
            shown = "" if self.kind == "file" else name
            size = self.stamps[name].size
            for part in (shown.encode("utf-8", "surrogateescape"), str(size).encode(), header.raw):
                digest.update(len(part).to_bytes(8, "little") + part)
        return digest.hexdigest()

    def path(self, relative: str) -> Path:
        """Return where the file of this relative name lies."""
        return self.root if self.kind == "file" else self.root / relative

    def json(self, relative: str) -> dict[str, object] | None:
        """Return a JSON side file such as "unet/config.json", or None when there is none."""
        if relative not in self.stamps or relative in self.headers:
            return None
        return load_file(self.path(relative))
