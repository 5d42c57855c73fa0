"""One tiny random model, and what is wanted of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from surgery.edits.scores import Fact, Wanted
from surgery.model import DiffusersModel, load_model
from tests.helpers.tiny import write_pipeline

SITES = ("ff.in[0]", "ff.in[3]", "ff.out[0]", "ff.out[3]")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pipeline(tmp_path_factory.mktemp("model") / "tiny", dtype="float32")


@pytest.fixture
def model(folder: Path) -> DiffusersModel:
    return load_model(folder)


def wanted(goal: str = "erase", along: str = "both", **changes: object) -> Wanted:
    settings: tuple[tuple[str, Fact], ...] = (("goal", goal), ("along", along))
    given: dict[str, object] = {
        "method": "attribution",
        "sites": SITES,
        "pairs": (("a painting by monet", "a painting"), ("a ball by monet", "a ball")),
        "seeds": (0, 1),
        "steps": 2,
        "settings": settings,
        **changes,
    }
    return Wanted(**given)  # type: ignore[arg-type]
