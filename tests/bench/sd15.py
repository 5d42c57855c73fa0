"""Stable Diffusion 1.5's real shapes and names with random weights, and what `apply` costs on it.

Not a test. `python -m tests.bench.sd15 build FOLDER` writes the 2.1 GB fp16 folder,
`python -m tests.bench.sd15 apply FOLDER` edits it and compares with `cp -r` of the same folder,
`python -m tests.bench.sd15 check FOLDER OUT` says what differs and loads OUT with diffusers.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from surgery.store import TensorEntry
from surgery.store.header import build_header
from tests.helpers.structures import configs, folder

RECIPE = """version: 1
name: sd15
edits:
  - method: quickfix
    concepts: [{erase: van gogh, target: painting, kind: style}]
"""
FILES = {
    "unet": "diffusion_pytorch_model.safetensors",
    "vae": "diffusion_pytorch_model.safetensors",
    "text_encoder": "model.safetensors",
}
SCALE = 0.02


def build(root: Path) -> None:
    """Real names, shapes and configurations; random weights and a made-up vocabulary."""
    tensors = folder("sd1")
    for component, file in FILES.items():
        (root / component).mkdir(parents=True, exist_ok=True)
        config = root / component / "config.json"
        config.write_text(json.dumps(configs("sd1")[component]), "utf-8")
        own = {
            name.partition("/")[2]: ref.shape
            for name, ref in tensors.items()
            if name.startswith(f"{component}/")
        }
        _write_random(root / component / file, own)
    _write_sides(root)


def _write_random(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> None:
    entries, end = [], 0
    for name, shape in shapes.items():
        begin, end = end, end + 2 * int(np.prod(shape))
        entries.append(TensorEntry(name, "F16", shape, begin, end))
    chance = np.random.default_rng(0)
    with path.open("wb") as file:
        file.write(build_header(entries, {"format": "pt"}))
        for piece in _noise(chance, end // 2):
            file.write(piece)


def _noise(chance: np.random.Generator, count: int, piece: int = 1 << 22) -> Iterator[bytes]:
    for start in range(0, count, piece):
        size = min(piece, count - start)
        yield (SCALE * chance.standard_normal(size, np.float32)).astype(np.float16).tobytes()


def _write_sides(root: Path) -> None:
    from diffusers import DDIMScheduler

    DDIMScheduler(beta_schedule="scaled_linear").save_pretrained(root / "scheduler")
    _tokenizer().save_pretrained(root / "tokenizer")
    index = {
        "_class_name": "StableDiffusionPipeline",
        "feature_extractor": [None, None],
        "requires_safety_checker": False,
        "safety_checker": [None, None],
        "scheduler": ["diffusers", "DDIMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    (root / "model_index.json").write_text(json.dumps(index, indent=2), "utf-8")


def _tokenizer():
    """A CLIP tokenizer of the real size whose merges are made up of letters."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTokenizer

    letters = sorted(ByteLevel.alphabet())
    tokens = [*letters, *(f"{letter}</w>" for letter in letters)]
    merges = []
    room = 49408 - 2 - len(tokens)
    small = [letter for letter in letters if letter.isalpha() and letter.islower()]
    for first in (*small, *(a + b for a in small for b in small)):
        merges += [(first, f"{second}</w>") for second in small]
        merges += [(first, second) for second in small]
    merges = merges[:room]
    tokens += list(dict.fromkeys("".join(pair) for pair in merges))
    tokens += [f"unused{number}" for number in range(49408 - 2 - len(tokens))]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    vocab = {token: number for number, token in enumerate(tokens)}
    return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=77)


def apply(root: Path, work: Path, rounds: int) -> None:
    """Interleaves `surgery apply` (the whole process) with `cp -r`; prints medians and the peak."""
    recipe = work / "sd15.yaml"
    recipe.write_text(RECIPE, "utf-8")
    out = work / "out"
    edit = [sys.executable, "-m", "surgery", "apply", str(recipe), "-m", str(root), "-o", str(out)]
    copy = ["cp", "-r", "--reflink=never", str(root), str(out)]
    # apply ends when its output is on disk; a plain copy ends when it is in memory.
    synced = ["sh", "-c", f"{shlex.join(copy)} && sync -f {shlex.quote(str(out))}"]
    ways = {"cp -r": copy, "cp -r, sync": synced, "apply": edit}
    times: dict[str, list[float]] = {way: [] for way in ways}
    peaks = []
    for number in range(rounds + 1):
        for way, command in ways.items():
            shutil.rmtree(out, ignore_errors=True)
            os.sync()
            seconds, peak = _run(command)
            if number:
                times[way].append(seconds)
                peaks += [peak] if way == "apply" else []
    base = statistics.median(times["cp -r"])
    for way, found in times.items():
        middle = statistics.median(found)
        sys.stdout.write(
            f"{way:11} median {middle:.2f} s  min {min(found):.2f}  max {max(found):.2f}  "
            f"n {len(found)}  {middle / base:.2f} x cp -r\n"
        )
    sys.stdout.write(f"apply: peak memory {max(peaks) / 1e6:.0f} MB\n")


def _run(command: list[str]) -> tuple[float, int]:
    """Seconds and peak bytes of one process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[0]} ended with {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - start, usage.ru_maxrss * 1024


def check(root: Path, out: Path) -> None:
    """Hashes every tensor of both folders, and loads the edited one as users do."""
    from surgery.store import open_checkpoint

    before, after = open_checkpoint(root), open_checkpoint(out)
    differ = [name for name in before if _hash(before[name]) != _hash(after[name])]
    sys.stdout.write(f"{len(before)} tensors, {len(differ)} differ: {', '.join(differ)}\n")
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(out, low_cpu_mem_usage=False)
    parts = [pipeline.unet, pipeline.vae, pipeline.text_encoder]
    held = sum(one.numel() for part in parts for one in part.parameters())
    sys.stdout.write(f"diffusers loads it: {held:,} parameters\n")


def _hash(ref) -> bytes:
    return hashlib.sha256(ref.read()).digest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("build", "apply", "check"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path, nargs="?", default=Path("out"))
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    if asked.what == "build":
        build(asked.folder)
    elif asked.what == "apply":
        asked.out.mkdir(parents=True, exist_ok=True)
        apply(asked.folder, asked.out, asked.rounds)
    else:
        check(asked.folder, asked.out)


if __name__ == "__main__":
    main()
