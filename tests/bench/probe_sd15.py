"""What a probe of a full-size model costs on this machine's processor.

    python -m tests.bench.probe_sd15

Writes a single file of Stable Diffusion 1.5's real structure with random half-precision weights and
asks it by the command line, as `surgery probe model.safetensors` does: what is found there means
nothing, what it costs does. Seconds are of the probe, and of the whole process with loading.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import tempfile
import time
from math import prod
from pathlib import Path

import numpy as np

from surgery.report import ProbeReport
from tests.helpers.dumps import dump

WAYS = {
    "quick, 512 pixels, one prompt": "--prompts 1 --dtype bfloat16",
    "quick, 256 pixels": "--resolution 256 --batch 17 --dtype bfloat16",
    "weights": "--method weights",
}
BLOCK = 1 << 24


def write_model(file: Path) -> None:
    """Every tensor of the real structure, normal with a standard deviation of 0.02."""
    header, place = {}, 0
    for name, ref in dump("sd1-ldm").tensors.items():
        end = place + 2 * prod(ref.shape)
        header[name] = {"dtype": "F16", "shape": list(ref.shape), "data_offsets": [place, end]}
        place = end
    raw = json.dumps(header).encode()
    raw += b" " * (-len(raw) % 8)
    values = np.random.default_rng(0).standard_normal(BLOCK, dtype=np.float32) * 0.02
    block = values.astype(np.float16).tobytes()
    with file.open("wb") as out:
        out.write(struct.pack("<Q", len(raw)) + raw)
        for first in range(0, place, len(block)):
            out.write(block[: place - first])


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        model = Path(scratch) / "model.safetensors"
        write_model(model)
        for number, (name, words) in enumerate(WAYS.items()):
            report = model.with_name(f"{number}.json")
            command = [sys.executable, "-m", "surgery", "probe", str(model), "-c", "van gogh"]
            files = ["--report", str(report), "--journal", str(model.with_name(f"{number}.jsonl"))]
            began = time.monotonic()
            subprocess.run([*command, *words.split(), *files], check=True, capture_output=True)
            took = time.monotonic() - began
            cost = ProbeReport.from_json(report.read_text(encoding="utf-8")).cost
            assert cost is not None
            sys.stdout.write(
                f"{name}: {cost.evaluations} evaluations, {cost.seconds:.1f} s, {took:.1f} s with "
                f"loading, {cost.peak_mb:,.0f} MB\n"
            )


if __name__ == "__main__":
    main()
