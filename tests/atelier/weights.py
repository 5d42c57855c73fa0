"""The shipped weights, for tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from surgery.atelier.judge import Judge, load_judge
from surgery.store.address import locate


def weights() -> Path:
    return locate("atelier").parent


@cache
def judge() -> Judge:
    return load_judge(weights() / "judge.safetensors")
