"""What attribution costs on Stable Diffusion 1.5's real structure, with random weights.

    python -m tests.bench.attribution_sd15 [RESOLUTION]

Not a test. Scores all 32 feed-forward weights (149 million) at few pixels, once by `Attribution`
and once by the bare passes that it cannot do without, in turn: for every row and step one pass
without gradients of what guidance and the target are told, and one forwards and backwards. What is
found means nothing. Memory is what a process of its own held: with the model alone, and at most in
one bare step, while scoring, and while scoring against prompts that are held (Linux only).
"""

from __future__ import annotations

import gc
import json
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


def wanted(model: DiffusersModel, held: tuple[str, ...] = ()) -> Wanted:
    sites = tuple(map(str, model.layout.select("ff.{in,out}")))
    settings = (("goal", "erase"), ("along", "concept"))
    return Wanted("attribution", sites, PAIRS, held, steps=STEPS, settings=settings)


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


def resident(field: str) -> float:
    """VmRSS, what is held now, or VmHWM, the most that was, in MB."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    line = next(line for line in lines if line.startswith(field))
    return int(line.split()[1]) * 1024 / 1e6


def memory(model: DiffusersModel, what: str) -> None:
    """Printed by a process of its own: what it holds, and the most that it held from there on."""
    asked = wanted(model, ("a house", "a cat") if what == "held" else ())
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # What loading took is not counted.
    base = resident("VmRSS")
    if what == "bare":
        bare(model, asked, steps=1)
    else:
        Attribution().score(model, asked)
    copy = sum(model.owner(site).get_parameter("weight").numel() for site in asked.sites) * 4 / 1e6
    sys.stdout.write(json.dumps({"model": base, "most": resident("VmHWM"), "copy": copy}))


def told(file: Path, what: str, resolution: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.attribution_sd15", str(resolution)]
    found = subprocess.run([*command, str(file), what], check=True, capture_output=True, text=True)
    numbers: dict[str, float] = json.loads(found.stdout)
    return numbers


def extra(numbers: dict[str, float]) -> float:
    return numbers["most"] - numbers["model"]


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
        plain, score, held = (told(file, what, resolution) for what in ("bare", "score", "held"))
        without, ours = seconds(loaded(file, resolution))
    sys.stdout.write(
        f"{resolution} pixels, {STEPS} steps of {len(PAIRS)} rows, one thread, float32\n"
        f"processor seconds: bare passes {without:.1f}, scoring {ours:.1f}, "
        f"{ours / without:.2f} times\n"
        f"memory beside the model's {score['model']:,.0f} MB: one copy of the scored weights is "
        f"{score['copy']:,.0f}, a bare step takes {extra(plain):,.0f}, "
        f"scoring {extra(score):,.0f}, with prompts held {extra(held):,.0f}\n"
    )


if __name__ == "__main__":
    main()
