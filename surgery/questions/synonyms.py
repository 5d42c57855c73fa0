"""Other names of concepts, from the YAML beside this file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from surgery.edits.names import words

_FILE = Path(__file__).with_name("synonyms.yaml")


def synonyms(concept: str) -> tuple[str, ...]:
    """What else a concept is called; () where it is not built in."""
    return _known().get(words(concept), ())


@cache
def _known() -> Mapping[tuple[str, ...], tuple[str, ...]]:
    from ruamel.yaml import YAML

    read = YAML(typ="safe", pure=True).load(_FILE.read_text(encoding="utf-8"))
    found = TypeAdapter(dict[str, tuple[str, ...]]).validate_python(read)
    return {words(name): others for name, others in found.items()}
