"""Writes an edited copy of a DDUF file: same records, same order, stored plain, CRCs made anew.

Like `writer`, it leaves the output whole or absent, and copies every untouched byte.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from surgery.store.changes import Edits, OnBytes, not_read_back
from surgery.store.contents import Checkpoint
from surgery.store.dduf import DdufCheckpoint, Span, read_directory
from surgery.store.digest import Watch
from surgery.store.files import check_unchanged, opened, read_into
from surgery.store.sink import reported
from surgery.store.staging import staged_file

_PIECE = 1 << 20
# The earliest that zip can say: the same edit gives the same bytes on any day.
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class _Source:
    """The archive being copied: its open descriptor, and what errors call it."""

    descriptor: int
    path: Path

    def pieces(self, start: int, end: int) -> Iterator[memoryview]:
        """The bytes from `start` to `end`, in a buffer that the next piece overwrites."""
        buffer = memoryview(bytearray(_PIECE))
        while start < end:
            got = read_into(self.descriptor, buffer[: min(_PIECE, end - start)], start, self.path)
            yield buffer[:got]
            start += got


def write_dduf(
    checkpoint: Checkpoint,
    edits: Edits,
    target: Path,
    heads: Mapping[str, bytes],
    *,
    publish: Callable[[int, Path], None],
    watch: Watch,
) -> int:
    """Write the archive with some tensors' bytes replaced, and return its size.

    Args:
        edits: tensors and what makes their new bytes, in the order of the archive.
        heads: name of each record of weights -> the header that it gets where the edits touch it.
        publish: gives the finished file, an open descriptor and its path, the name `target`.
        watch: is told of the bytes, and takes the digest.
    """
    assert isinstance(checkpoint, DdufCheckpoint)
    with staged_file(target) as (descriptor, staged), opened(checkpoint.root) as source:
        with (
            reported(target, checkpoint.total_bytes),
            os.fdopen(os.dup(descriptor), "w+b") as file,
            ZipFile(file, "w", ZIP_STORED) as archive,
        ):
            for name, span in checkpoint.spans.items():
                pieces = _pieces(checkpoint, name, edits, heads, _Source(source, checkpoint.root))
                with archive.open(_record(name, span), "w", force_zip64=True) as record:
                    _fill(record, pieces, watch.on_bytes)
        with reported(target):
            os.fsync(descriptor)
        total = staged.stat().st_size
        # The archive's directory is known last, so its bytes are read once more.
        with watch.digest(target.name) as digest, opened(staged) as written:
            if digest:
                for piece in _Source(written, staged).pieces(0, total):
                    digest.add(piece)
        _check_written(checkpoint, staged, target)
        check_unchanged(checkpoint.root, checkpoint.stamps[checkpoint.root.name])
        publish(descriptor, staged)
    return total


def _record(name: str, span: Span) -> ZipInfo:
    info = ZipInfo(name, _EPOCH)
    info.compress_type = ZIP_STORED
    info.external_attr = 0o644 << 16
    info.file_size = span.size
    return info


def _pieces(
    checkpoint: DdufCheckpoint,
    name: str,
    edits: Edits,
    heads: Mapping[str, bytes],
    source: _Source,
) -> Iterator[bytes | memoryview]:
    span = checkpoint.spans[name]
    at, end = span.start, span.start + span.size
    own = [edit for edit in edits if at <= edit[0].start and edit[0].start < end]
    if own:
        yield heads[name]
        at += checkpoint.headers[name].data_start
    for ref, make in own:
        yield from source.pieces(at, ref.start)
        yield make()
        at = ref.start + ref.nbytes
    yield from source.pieces(at, end)


def _fill(record: IO[bytes], pieces: Iterator[bytes | memoryview], on_bytes: OnBytes) -> None:
    for piece in pieces:
        record.write(piece)
        if on_bytes:
            on_bytes(len(piece))


def _check_written(checkpoint: DdufCheckpoint, staged: Path, target: Path) -> None:
    if list(read_directory(staged)) != list(checkpoint.spans):
        raise not_read_back(target)
