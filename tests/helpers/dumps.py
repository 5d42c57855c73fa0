"""Header dumps of real structures, made by tests/layouts/make_dumps.py, as the tests read them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.helpers.structures import Ref

FOLDER = Path(__file__).parents[1] / "layouts" / "dumps"
NAMES = sorted(path.name.removesuffix(".json.gz") for path in FOLDER.glob("*.json.gz"))


@dataclass(frozen=True, slots=True)
class Dump:
    """What a checkpoint's headers say, and what its sites must be.

    Args:
        order: [module, "cross", "self" or "resnet"] in the order a forward pass runs its blocks.
        sources: parameter in a diffusers folder -> (tensor, first row, last row + 1) here.
    """

    name: str
    layout: str
    model: str
    tensors: Mapping[str, Ref]
    configs: Mapping[str, Mapping[str, object]]
    order: tuple[tuple[str, str], ...]
    sources: Mapping[str, tuple[str, int, int]]


@cache
def dump(name: str) -> Dump:
    """Read a dump."""
    data = json.loads(gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes()))
    return Dump(
        name=name,
        layout=data["layout"],
        model=data["model"],
        tensors={key: Ref(tuple(shape)) for key, shape in data["tensors"].items()},
        configs=data["configs"],
        order=tuple((module, kind) for module, kind in data.get("order", ())),
        sources={key: tuple(source) for key, source in data.get("sources", {}).items()},
    )
