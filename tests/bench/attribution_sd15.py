"""What attribution costs on Stable Diffusion 1.5's real structure, with random weights.

    python -m tests.bench.attribution_sd15 [RESOLUTION]

Not a test. Scores all 32 feed-forward weights (149 million) at few pixels, once by `Attribution`
and once by the bare passes that it cannot do without, in turn: for every row and step one pass
without gradients of what guidance and the target are told, and one forwards and backwards. What is
found means nothing. Memory is the most that a process of its own held: with the model alone, in one
bare step, and while scoring.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import torch

from surgery.edits.scores import Wanted
from surgery.model import Conditioning, DiffusersModel, load_model
from surgery.scores.attribution import Attribution
from surgery.store.checkpoint import open_checkpoint
from tests.bench.probe_sd15 import write_model

PAIRS = (("a painting of a ball by monet", "a painting of a ball"), ("a dog by monet", "a dog"))
STEPS, ROUNDS = 2, 3


def wanted(model: DiffusersModel) -> Wanted:
    sites = tuple(map(str, model.layout.select("ff.{in,out}")))
    settings = (("goal", "erase"), ("along", "concept"))
    return Wanted("attribution", sites, PAIRS, steps=STEPS, settings=settings)


def bare(model: DiffusersModel, asked: Wanted, *, steps: int = STEPS) -> None:
    """The same passes and nothing else; gradients pile up in the weights' own."""
    weights = [model.owner(site).get_parameter("weight") for site in asked.sites]
    for weight in weights:
        weight.requires_grad_(True)
    own, plain = (model.encode([pair[side] for pair in asked.pairs]) for side in (0, 1))
    others = Conditioning.cat([plain, model.empty(len(PAIRS))])
    latents = model.noise([0] * len(PAIRS))
    for moment in model.timesteps(STEPS)[:steps]:
        with torch.no_grad():
            answer, _ = model.predict(torch.cat([latents] * 2), moment, others).chunk(2)
        (model.predict(latents, moment, own) - answer).square().sum().backward()
    for weight in weights:
        weight.requires_grad_(False)
        weight.grad = None


def held_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def memory(model: DiffusersModel, what: str) -> None:
    """Printed by a process of its own: the most that it held."""
    asked = wanted(model)
    base = held_mb()
    if what == "bare":
        bare(model, asked, steps=1)
    elif what == "score":
        Attribution().score(model, asked)
    copy = sum(model.owner(site).get_parameter("weight").numel() for site in asked.sites) * 4 / 1e6
    sys.stdout.write(json.dumps({"model": base, "most": held_mb(), "copy": copy}))


def told(file: Path, what: str, resolution: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.attribution_sd15", str(resolution)]
    found = subprocess.run([*command, str(file), what], check=True, capture_output=True, text=True)
    numbers: dict[str, float] = json.loads(found.stdout)
    return numbers


def seconds(model: DiffusersModel) -> tuple[float, float]:
    """The medians of both, run in turn."""
    asked = wanted(model)
    took: dict[str, list[float]] = {"bare": [], "score": []}
    for _ in range(ROUNDS):
        for name, run in (
            ("bare", lambda: bare(model, asked)),
            ("score", lambda: Attribution().score(model, asked)),
        ):
            began = time.process_time()
            run()
            took[name].append(time.process_time() - began)
    return median(took["bare"][1:]), median(took["score"][1:])


def loaded(file: Path, resolution: int) -> DiffusersModel:
    return load_model(open_checkpoint(file), resolution=resolution)


def main() -> None:
    torch.set_num_threads(1)
    resolution = int(sys.argv[1]) if len(sys.argv) > 1 else 128
    if len(sys.argv) > 2:
        memory(loaded(Path(sys.argv[2]), resolution), sys.argv[3])
        return
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "model.safetensors"
        write_model(file)
        plain, score = (told(file, what, resolution) for what in ("bare", "score"))
        without, ours = seconds(loaded(file, resolution))
    sys.stdout.write(
        f"{resolution} pixels, {STEPS} steps of {len(PAIRS)} rows, one thread, float32\n"
        f"processor seconds: bare passes {without:.1f}, scoring {ours:.1f}, "
        f"{ours / without:.2f} times\n"
        f"memory: model {score['model']:,.0f} MB, one copy of the scored weights "
        f"{score['copy']:,.0f}, bare step {plain['most']:,.0f}, scoring {score['most']:,.0f}\n"
    )


if __name__ == "__main__":
    main()
