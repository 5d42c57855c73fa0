"""What the states of a CLIP text tower cost, against transformers on the same weights and prompts.

Not a test: `python -m tests.bench.text_states [--tower L|bigG] [--prompts N] [--artists N]`. Real
shapes with random float16 weights; short prompts, and names in five templates. transformers gets
prompts of one length side by side, unpadded and padded to 77 tokens as pipelines do. Every way is
a process of its own and says its peak memory; `--threads` holds for all.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np

BEGIN, END, LENGTH, VOCABULARY = 49406, 49407, 77, 49408
TEMPLATES = 5
# Width, heads, layers and activation.
TOWERS = {"L": (768, 12, 12, "quick_gelu"), "bigG": (1280, 20, 32, "gelu")}
WAYS = ("surgery", "unpadded", "padded")
SIDE_BY_SIDE = 64
Prompts = list[tuple[int, ...]]


def short_prompts(count: int) -> Prompts:
    chance = np.random.default_rng(0)
    return [
        (BEGIN, *chance.integers(1000, 40000, chance.integers(3, 9)).tolist()) for _ in range(count)
    ]


def artists(count: int) -> Prompts:
    """Names of two to four tokens, 400 first names among them, in templates of two words."""
    chance = np.random.default_rng(1)
    words = chance.integers(1000, 40000, (TEMPLATES, 2)).tolist()
    firsts = chance.integers(1000, 40000, 400).tolist()
    names = [
        (
            firsts[chance.integers(400)],
            *chance.integers(1000, 40000, chance.integers(1, 4)).tolist(),
        )
        for _ in range(count)
    ]
    return [(BEGIN, *template, *name) for name in names for template in words]


def drawn(*shape: int) -> np.ndarray:
    values = np.random.default_rng(sum(shape)).standard_normal(shape, np.float32)
    return (0.02 * values).astype(np.float16)


def ours(prompts: Prompts, tower: str) -> float:
    from surgery.numerics.text_tower import Linear, Norm, Tower, TowerLayer, hidden

    width, heads, depth, activation = TOWERS[tower]
    norm = Norm(np.ones(width, np.float32), np.zeros(width, np.float32))
    stored = [drawn(out, inner) for out, inner in ((width, width), (4 * width, width))]
    back = drawn(width, 4 * width)

    def linear(weight: np.ndarray) -> Linear:
        return Linear(weight.astype(np.float32), np.zeros(len(weight), np.float32))

    def layers() -> Iterator[TowerLayer]:
        for _ in range(depth):
            q, k, v, out = (linear(stored[0]) for _ in range(4))
            yield TowerLayer(norm, q, k, v, out, norm, linear(stored[1]), linear(back))

    rows = {token: drawn(width) for token in {token for prompt in prompts for token in prompt}}
    run = Tower(drawn(LENGTH, width), heads, activation, depth, layers, norm)
    start = time.perf_counter()
    hidden(prompts, rows, run)
    return time.perf_counter() - start


def theirs(prompts: Prompts, tower: str, *, padded: bool) -> float:
    import torch
    from transformers import CLIPTextConfig, CLIPTextModel

    width, heads, depth, activation = TOWERS[tower]
    config = CLIPTextConfig(
        vocab_size=VOCABULARY,
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=depth,
        num_attention_heads=heads,
        hidden_act=activation,
        eos_token_id=END,
    )
    model = CLIPTextModel(config).eval()
    if padded:
        prompts = [prompt + (END,) * (LENGTH - len(prompt)) for prompt in prompts]
    lengths = sorted({len(prompt) for prompt in prompts})
    alike = [[prompt for prompt in prompts if len(prompt) == length] for length in lengths]
    start = time.perf_counter()
    with torch.inference_mode():
        for group in alike:
            for first in range(0, len(group), SIDE_BY_SIDE):
                model(torch.tensor(group[first : first + SIDE_BY_SIDE]))
    return time.perf_counter() - start


def timed(way: str, what: str, count: int, tower: str) -> None:
    """One way in this process: prints seconds and the peak in MB."""
    prompts = artists(count) if what == "artists" else short_prompts(count)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    own = way == "surgery"
    seconds = ours(prompts, tower) if own else theirs(prompts, tower, padded=way == "padded")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sys.stdout.write(f"{seconds} {peak / 1e3} {before / 1e3}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tower", choices=TOWERS, default="L")
    parser.add_argument("--prompts", type=int, default=500)
    parser.add_argument("--artists", type=int, default=1734)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", default="2")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        timed(asked.one[0], asked.one[1], int(asked.one[2]), asked.tower)
        return
    sys.stdout.write(f"{'prompts':>16} {'way':10} {'median':>9} {'min':>9} {'max':>9}  peak\n")
    counts = {"prompts": asked.prompts, "artists": asked.artists}
    for what, count in ((what, count) for what, count in counts.items() if count):
        found: dict[str, list[list[float]]] = {way: [] for way in asked.ways}
        for _ in range(asked.rounds):
            for way in asked.ways:
                found[way].append(_apart(way, what, count, asked))
        for way, figures in found.items():
            seconds = sorted(figure[0] for figure in figures)
            peak = max(figure[1] for figure in figures)
            middle = seconds[len(seconds) // 2]
            name = f"{count} x {TEMPLATES} names" if what == "artists" else f"{count} short"
            spread = f"{middle:8.2f}s {seconds[0]:8.2f}s {seconds[-1]:8.2f}s"
            sys.stdout.write(f"{name:>16} {way:10} {spread} {peak:5.0f} MB\n")


def _apart(way: str, what: str, count: int, asked: argparse.Namespace) -> list[float]:
    """Seconds and megabytes of one way in a process of its own."""
    argv = [sys.executable, "-m", "tests.bench.text_states", "--tower", asked.tower]
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    done = subprocess.run(
        [*argv, "--one", way, what, str(count)],
        env={**os.environ, **dict.fromkeys(names, asked.threads)},
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(word) for word in done.stdout.split()]


if __name__ == "__main__":
    main()
