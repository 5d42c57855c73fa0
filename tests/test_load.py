"""What much of everything takes, as the command line does it: seconds of processor, and megabytes.

The limits are those of TRUST's promises with room for a slower machine; copies need no more memory
for a larger model.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from surgery.plan import make_plan
from surgery.recipe import load_recipe
from surgery.store.checkpoint import open_checkpoint
from tests.hostile.corpus import NOTHING

PIECE = 8 << 20
STEP = (
    "  - {method: quickfix, preserve_defaults: false,"
    " concepts: [{erase: thing %d, target: painting}]}\n"
)


# A new program is charged with the memory of the one that starts it, so a small one does that.
STARTER = """\
import json, os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
code = os.waitstatus_to_exitcode(status)
print(json.dumps([code, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000]))
"""


@dataclass(frozen=True)
class Cost:
    seconds: float
    megabytes: float


def surgery(*words: object) -> Cost:
    """Run a command to its good end; the seconds are those of the processor."""
    command = [sys.executable, "-m", "surgery", *map(str, words), "--format", "quiet"]
    started = [sys.executable, "-c", STARTER, *command]
    done = subprocess.run(started, check=True, stdout=subprocess.PIPE)
    code, seconds, megabytes = json.loads(done.stdout)
    assert code == 0
    return Cost(seconds, megabytes)


def header(sizes: Mapping[str, int]) -> bytes:
    """A safetensors header for vectors of so many bytes."""
    entries, at = {}, 0
    for name, size in sizes.items():
        entries[name] = {"dtype": "U8", "shape": [size], "data_offsets": [at, at + size]}
        at += size
    raw = json.dumps(entries, separators=(",", ":")).encode()
    raw += b" " * (-len(raw) % 8)
    return len(raw).to_bytes(8, "little") + raw


def test_a_hundred_thousand_tensors_are_inspected_and_copied(tmp_path: Path) -> None:
    model, recipe = tmp_path / "m.safetensors", tmp_path / "nothing.yaml"
    model.write_bytes(header({f"block.{i}.weight": 8 for i in range(100_000)}) + bytes(800_000))
    recipe.write_text(NOTHING, "utf-8")
    for cost in (
        surgery("inspect", model),
        surgery("apply", recipe, "-m", model, "-o", tmp_path / "out.safetensors"),
    ):
        assert cost.seconds < 5
        assert cost.megabytes < 300
    assert (tmp_path / "out.safetensors").read_bytes() == model.read_bytes()


def test_a_header_of_almost_25_megabytes_is_read(tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    model.write_bytes(header({f"blocks.{i:06d}.{'a' * 120}": 0 for i in range(130_000)}))
    assert 24_000_000 < model.stat().st_size < 25_000_000
    cost = surgery("inspect", model)
    assert cost.seconds < 10
    assert cost.megabytes < 500


def test_a_thousand_shards_are_opened_and_inspected(tmp_path: Path) -> None:
    places = {f"t{i}": f"model-{i + 1:05d}-of-01000.safetensors" for i in range(1000)}
    for name, file in places.items():
        (tmp_path / file).write_bytes(header({name: 16}) + bytes(16))
    index = json.dumps({"metadata": {}, "weight_map": places})
    (tmp_path / "model.safetensors.index.json").write_text(index, "utf-8")
    cost = surgery("inspect", tmp_path)
    assert cost.seconds < 5
    assert cost.megabytes < 300


def test_two_thousand_steps_are_read_and_planned() -> None:
    text = "version: 1\nname: many\nedits:\n" + "".join(STEP % i for i in range(2000))
    assert len(make_plan(load_recipe(text), open_checkpoint("atelier")).edits) == 2000


@pytest.mark.parametrize("pieces", [4, 32])
def test_memory_does_not_grow_with_the_model(tmp_path: Path, pieces: int) -> None:
    """At most twice the largest tensor and 300 MB, however large the model is."""
    model, recipe = tmp_path / "m.safetensors", tmp_path / "nothing.yaml"
    head = header({f"t{i}": PIECE for i in range(pieces)})
    model.write_bytes(head)
    os.truncate(model, len(head) + pieces * PIECE)
    recipe.write_text(NOTHING, "utf-8")
    out = tmp_path / "out.safetensors"
    most = max(
        surgery("apply", recipe, "-m", model, "-o", out).megabytes,
        surgery("diff", model, out).megabytes,
        surgery("doctor", model).megabytes,
    )
    out.unlink()
    assert most < 2 * PIECE / 1e6 + 300
