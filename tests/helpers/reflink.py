"""A folder on a file system that shares blocks (XFS, btrfs), in a file mounted for a while."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FIEMAP, _SYNC, _SHARED, _LAST = 0xC020660B, 1, 0x2000, 1
_HEAD, _EXTENT = "=QQLLLL", "=QQQ2QLLLL"


def why_not(kind: str) -> str:
    """Why no file system of this kind can be mounted here; empty when one may be."""
    if os.geteuid() != 0:
        return "only root may mount a file"
    if shutil.which(f"mkfs.{kind}") is None:
        return f"mkfs.{kind} is not installed"
    return ""


@contextmanager
def mounted(kind: str, folder: Path, size: int) -> Iterator[Path]:
    """Yield a new, empty file system of `size` bytes, kept in a sparse file in `folder`.

    Raises:
        OSError: it cannot be made or mounted.
    """
    image, place = folder / f"{kind}.image", folder / kind
    with image.open("wb") as file:
        file.truncate(size)
    place.mkdir()
    try:
        _run(f"mkfs.{kind}", "-q", str(image))
        _run("mount", "-o", "loop", str(image), str(place))
        try:
            yield place
        finally:
            _run("umount", str(place))
    finally:
        image.unlink()
        place.rmdir()


def shared_bytes(path: Path) -> int:
    """How many bytes of a file lie in blocks that another file has too."""
    with path.open("rb") as file:
        size, at, found = path.stat().st_size, 0, 0
        while at < size:
            room = struct.calcsize(_EXTENT)
            asked = bytearray(struct.pack(_HEAD, at, size - at, _SYNC, 0, 1, 0) + bytes(room))
            fcntl.ioctl(file, _FIEMAP, asked)
            if struct.unpack_from(_HEAD, asked)[3] == 0:
                break
            begin, _, count, _, _, flags, *_ = struct.unpack_from(_EXTENT, asked, 32)
            found += count if flags & _SHARED else 0
            at = begin + count
            if flags & _LAST:
                break
    return found


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{command[0]}: {done.stderr.strip() or done.stdout.strip()}")
