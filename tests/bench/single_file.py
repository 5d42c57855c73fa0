"""A single file of Stable Diffusion's real names and shapes: what an edited copy of it costs.

Not a test. `python -m tests.bench.single_file build sd1 FILE` writes 4.27 GB (fp32; `sdxl`: 6.94 GB
fp16) of random numbers and a CLIP tokenizer beside it; `copy FILE` times writing an edited copy
against `cp`, `apply FILE` whole dry runs, `whole FILE` whole processes that write against `cp` and
fsync. Runs are interleaved; shown are medians.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from math import prod
from pathlib import Path

import numpy as np

from surgery.store import TensorEntry
from surgery.store.header import build_header
from tests.helpers import single
from tests.helpers.structures import component_shapes, configs
from tests.layouts import vae_names

PARTS = ("unet", "vae", "text_encoder", "text_encoder_2")
DTYPES = {"sd1": ("F32", np.float32), "sd2": ("F32", np.float32), "sdxl": ("F16", np.float16)}
PIECE = 1 << 22
CONCEPTS = (1, 10, 100)
LIBRARIES = "numpy, pydantic, typer"
NO_SYNC = "SURGERY_BENCH_NO_SYNC"
CHILD = "from tests.bench.single_file import edit_once; import sys; edit_once(sys.argv[1:])"


def build(family: str, path: Path) -> None:
    """Writes the file and, as `tokenizer/` beside it, the vocabulary of instant-clip-tokenizer."""
    dtype, kind = DTYPES[family]
    entries, end = [], 0
    for name, shape in _shapes(family).items():
        begin, end = end, end + np.dtype(kind).itemsize * prod(shape)
        entries.append(TensorEntry(name, dtype, shape, begin, end))
    chance = np.random.default_rng(0)
    noise = (0.02 * chance.standard_normal(PIECE, np.float32)).astype(kind).tobytes()
    with path.open("wb") as file:
        file.write(build_header(entries, {"format": "pt"}))
        for start in range(0, end, len(noise)):
            file.write(noise[: end - start])
    write_clip(path.parent / "tokenizer")


def _shapes(family: str) -> dict[str, tuple[int, ...]]:
    settings = configs(family)
    parts = {part: component_shapes(settings[part]) for part in PARTS if part in settings}
    known = {
        f"{part}/{name}": shape for part, found in parts.items() for name, shape in found.items()
    }
    shapes = {}
    for name, held in single.plan(family, parts, settings["unet"]).items():
        rows = sum(known[one][0] for one in held)
        shapes[name] = vae_names.shape(name, (rows, *known[held[0]][1:]))
    return shapes


def write_clip(folder: Path) -> None:
    """Writes CLIP's own vocabulary as tokenizer files, read out of the package that carries it."""
    from tests.helpers.clip_vocabulary import merges, vocabulary

    folder.mkdir(exist_ok=True)
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges())]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "vocab.json").write_text(json.dumps(vocabulary()), encoding="utf-8")


def edit_once(arguments: list[str]) -> None:
    """Writes a copy with one matrix replaced, in this process; prints seconds and peak memory."""
    from surgery.store import open_checkpoint, write

    source, out = arguments
    if os.environ.get(NO_SYNC):
        os.fsync = lambda descriptor: None  # what is then left to time is what `cp` does
    start = time.perf_counter()
    checkpoint = open_checkpoint(source)
    name = next(n for n in checkpoint if n.endswith("layers.0.self_attn.out_proj.weight"))
    data = os.urandom(checkpoint[name].nbytes)
    write(checkpoint, {name: lambda: data}, out, metadata={"surgery.bench": "1"})
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sys.stdout.write(json.dumps({"seconds": seconds, "peak": peak}))


def copy(source: Path, work: Path, rounds: int, *, cold: bool) -> None:
    """Interleaves `cp` and the edited copy, each without and with an fsync; surgery always does."""
    out = work / "out.safetensors"
    ways = {
        "cp": ["cp", "--reflink=never", str(source), str(out)],
        "cp, fsync": ["sh", "-c", 'cp --reflink=never "$0" "$1" && sync "$1"', source, out],
        "edited": [sys.executable, "-c", CHILD, str(source), str(out)],
        "edited, fsync": [sys.executable, "-c", CHILD, str(source), str(out)],
    }
    times: dict[str, list[float]] = {way: [] for way in ways}
    peak = 0.0
    for number in range(rounds + 1):
        for way, command in ways.items():
            out.unlink(missing_ok=True)
            os.sync()
            if cold:
                _forget(source)
            start = time.perf_counter()
            settings = {**os.environ, NO_SYNC: "1" if way == "edited" else ""}
            done = subprocess.run(command, capture_output=True, check=True, env=settings)
            seconds = time.perf_counter() - start
            if way.startswith("edited"):
                found = json.loads(done.stdout)
                seconds, peak = found["seconds"], max(peak, found["peak"])
            if number:
                times[way].append(seconds)
    out.unlink(missing_ok=True)
    _report(times, base="cp")
    sys.stdout.write(f"edited: peak memory {peak / 1e6:.0f} MB\n")


def apply(source: Path, work: Path, rounds: int) -> None:
    """Whole dry runs: their time, and the processor's, which a busy machine changes less.

    The baseline is a process that imports what any such command must, and does nothing.
    """
    ways = {LIBRARIES: [sys.executable, "-c", f"import {LIBRARIES}"]}
    ways |= {f"{count} concepts": _applying(source, work, count) for count in CONCEPTS}
    times: dict[str, list[float]] = {}
    peaks: dict[str, float] = {}
    for number in range(rounds + 1):
        for way, command in ways.items():
            seconds, spent, peak = _once(command, work)
            if number:
                times.setdefault(way, []).append(seconds)
                times.setdefault(f"{way}, processor", []).append(spent)
                peaks[way] = max(peaks.get(way, 0.0), peak)
    _report(times, base=LIBRARIES)
    for way, peak in peaks.items():
        sys.stdout.write(f"{way}: peak memory {peak / 1e6:.0f} MB\n")


def whole(source: Path, work: Path, rounds: int) -> None:
    """Whole runs that write, and a copy of the same bytes; both end on the disk."""
    out = work / "out.safetensors"
    copied = ["sh", "-c", 'cp --reflink=never "$0" "$1" && sync "$1"', str(source), str(out)]
    times: dict[str, list[float]] = {"cp, fsync": [], "apply": []}
    peak = 0.0
    for number in range(rounds + 1):
        for way in times:
            out.unlink(missing_ok=True)
            os.sync()
            start = time.perf_counter()
            if way == "apply":
                peak = max(peak, _once(_applying(source, work, 1, "-o", str(out)), work)[2])
            else:
                subprocess.run(copied, check=True)
            if number:
                times[way].append(time.perf_counter() - start)
    _report(times, base="cp, fsync")
    sys.stdout.write(f"apply: {source.stat().st_size / 1e9:.2f} GB, peak {peak / 1e6:.0f} MB\n")


def _applying(source: Path, work: Path, count: int, *more: str) -> list[str]:
    """The whole command; a dry run if nothing is added."""
    recipe = work / f"erase-{count}.yaml"
    erased = "\n".join(f"      - {{erase: {name}, target: painting}}" for name in _names(count))
    text = f"version: 1\nname: bench\nedits:\n  - method: quickfix\n    concepts:\n{erased}\n"
    recipe.write_text(text, "utf-8")
    words = ["surgery", "apply", str(recipe), "-m", str(source), *(more or ["--dry-run"])]
    return [sys.executable, "-m", *words]


def _once(command: list[str], work: Path) -> tuple[float, float, float]:
    """Seconds, processor seconds and peak bytes of one process."""
    settings = {**os.environ, "PYTHONPYCACHEPREFIX": str(work / "compiled")}
    settings.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=settings
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command}: ended with {os.waitstatus_to_exitcode(status)}")
    spent = usage.ru_utime + usage.ru_stime
    return time.perf_counter() - start, spent, usage.ru_maxrss * 1024


def _names(count: int) -> list[str]:
    first = ("anna", "bruno", "clara", "david", "erika", "franz", "greta", "hugo", "irene", "jonas")
    last = ("abel", "brandt", "curtis", "dorn", "eder", "falk", "graf", "holm", "ivory", "jansen")
    return [f"{one} {two}" for two in last for one in first][:count]


def _forget(path: Path) -> None:
    """Drops a file's pages, so that it is read from the disk."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _report(times: dict[str, list[float]], base: str) -> None:
    sys.stdout.write(f"load at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors\n")
    reference = statistics.median(times[base])
    for way, found in times.items():
        middle = statistics.median(found)
        sys.stdout.write(
            f"{way:33} median {middle:6.3f} s  min {min(found):6.3f}  max {max(found):6.3f}"
            f"  n {len(found)}  {middle / reference:5.2f} x {base}\n"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("build", "copy", "apply", "whole"))
    parser.add_argument("words", nargs="+", help="[family] FILE")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cold", action="store_true", help="forget the source before each copy")
    asked = parser.parse_args()
    path = Path(asked.words[-1]).resolve()
    if asked.what == "build":
        build(asked.words[0], path)
        return
    work = path.parent / "work"
    work.mkdir(exist_ok=True)
    try:
        if asked.what == "copy":
            copy(path, work, asked.rounds, cold=asked.cold)
        else:
            {"apply": apply, "whole": whole}[asked.what](path, work, asked.rounds)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
