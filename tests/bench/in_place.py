"""Edits in place of a 4.27 GB single file, against a write of the whole: seconds until on the disk.

Not a test. `python -m tests.bench.in_place [--rounds N] [--work FOLDER]`: the file is sparse, but
what is edited is filled with noise first. Timed inside the process are the undo file, the edit, its
syncs and markers; the undo of it is timed likewise. The probe is the disk alone: the same bytes
written and synced twice, to a plain file, in the same minute.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from surgery.store import TensorEntry, open_checkpoint
from surgery.store.checkpoint import Checkpoint
from surgery.store.header import build_header
from surgery.store.inplace import edit_in_place
from surgery.store.restore import undo

SIZE = 4_270_000_000
# Stable Diffusion 1.5 in float32: quickfix's matrix, and widths of its 32 cross-attention K and V.
OUT_PROJECTION = (768, 768)
WIDTHS = (320, 320, 640, 640, 1280, 1280, 1280, 1280, 1280, 1280, 640, 640, 640, 320, 320, 320)
TEXT_WIDTH = 768


def shapes() -> dict[str, tuple[int, int]]:
    """The edited tensors, by the name of the edit and a number."""
    found = {"quickfix.0": OUT_PROJECTION}
    for number, width in enumerate(width for width in WIDTHS for _ in "kv"):
        found[f"cross attention K and V.{number}"] = (width, TEXT_WIDTH)
    return found


def build(path: Path) -> None:
    """Write a sparse file of SIZE bytes whose edited tensors hold noise, far from one another."""
    edited = shapes()
    filler = SIZE // (len(edited) + 1) // 4096
    entries, at = [], 0
    for name, shape in edited.items():
        for entry, dimensions in ((f"filler.{name}", (filler, 1024)), (name, shape)):
            count = 4 * dimensions[0] * dimensions[1]
            entries.append(TensorEntry(entry, "F32", dimensions, at, at + count))
            at += count
    header = build_header(entries, {"format": "pt"})
    with path.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + at)
        for entry in entries:
            if entry.name in edited:
                file.seek(len(header) + entry.begin)
                file.write(os.urandom(entry.nbytes))


def measure(path: Path, rounds: int) -> dict[str, list[float]]:
    """Seconds of every way, interleaved; the first round is thrown away."""
    times: dict[str, list[float]] = {}
    before = path.stat().st_size
    for number in range(rounds + 1):
        for edit in ("quickfix", "cross attention K and V"):
            for way, seconds in once(path, edit).items():
                times.setdefault(way, []).extend([seconds] if number else [])
    assert path.stat().st_size == before
    return times


def once(path: Path, edit: str) -> dict[str, float]:
    """One edit, its undo, and the probe of the disk for as many bytes."""
    undo_file = path.with_name("model.undo")
    checkpoint = open_checkpoint(path)
    old = {name: checkpoint[name].read() for name in checkpoint if name.startswith(edit)}
    new = {name: os.urandom(len(data)) for name, data in old.items()}
    os.sync()
    total = sum(map(len, new.values()))
    title = f"{edit}, {total / 1e6:.1f} MB"
    found = {
        f"{title}: edit": timed(lambda: edit_in_place(checkpoint, new, undo_file)),
        f"{title}: undo": timed(lambda: undo(undo_file)),
        f"{title}: disk alone": timed(lambda: probe(path.with_name("probe"), new)),
    }
    check(open_checkpoint(path), old)
    undo_file.unlink()
    path.with_name("probe").unlink()
    return found


def probe(path: Path, values: Mapping[str, bytes]) -> None:
    """Write the bytes twice into one file, with a sync after each."""
    data = b"".join(values.values())
    with path.open("wb", buffering=0) as file:
        for _ in range(2):
            file.write(data)
            os.fsync(file.fileno())


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def check(checkpoint: Checkpoint, old: Mapping[str, bytes]) -> None:
    """The undo gave every bit back."""
    assert all(checkpoint[name].read() == data for name, data in old.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--work", type=Path, help="where to write (default: the temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        path = Path(folder) / "model.safetensors"
        build(path)
        for way, found in measure(path, options.rounds).items():
            sys.stdout.write(
                f"{way:46} median {statistics.median(found):6.3f} s  min {min(found):6.3f}"
                f"  max {max(found):6.3f}  n {len(found)}\n"
            )


if __name__ == "__main__":
    main()
