"""The front matter of a card: what the Hub reads. Made by a YAML writer, never by joining text.

Source of the keys: https://huggingface.co/docs/hub/model-cards; a base model's relation is one of
finetune, adapter, merge and quantized, and an edit of weights is a finetune.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from surgery.errors import SurgeryError
from surgery.recipe_text import read_yaml, write_yaml

_FRONT = re.compile(
    r"\A---[ \t]*\r?\n(?P<yaml>.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE
)
_LICENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,63}")
_REPO = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_.-]*")
_LICENCE_KEYS = ("license", "license_name", "license_link")
TAGS = ("surgery", "model-editing")


@dataclass(frozen=True, slots=True)
class Page:
    """A README: its front matter as values, and the text after it."""

    front: Mapping[str, object]
    body: str


def split(text: str, where: str) -> Page:
    """A README in its two parts.

    Raises:
        RecipeError: the front matter is no plain YAML mapping; the message says where.
    """
    found = _FRONT.match(text)
    if found is None:
        return Page({}, text)
    value = read_yaml(found["yaml"].encode("utf-8", "surrogatepass"), where).value
    return Page(value if isinstance(value, dict) else {}, text[found.end() :])


def joined(page: Page) -> str:
    """The README again."""
    return f"---\n{write_yaml(dict(page.front))}---\n{page.body}"


def base_front(card: str | None) -> Mapping[str, object] | None:
    """The front matter of a base model's card; None where there is none to read."""
    if card is None:
        return None
    try:
        return split(card, "the base's README.md").front or None
    except SurgeryError:
        return None


def licence(own: Mapping[str, object], base: Mapping[str, object] | None) -> dict[str, object]:
    """The licence of an edited model: what its owner wrote, else its base's, else `other`."""
    for front in (own, base or {}):
        name = front.get("license")
        if isinstance(name, str) and _LICENCE.fullmatch(name):
            return {key: front[key] for key in _LICENCE_KEYS if isinstance(front.get(key), str)}
    return {"license": "other"}


def base_repository(address: str) -> str | None:
    """The repository that an address on the Hub is in."""
    found = _REPO.match(address.removeprefix("hf://"))
    return found[0] if found and "/" in address else None


def merged(own: Mapping[str, object], told: Mapping[str, object]) -> dict[str, object]:
    """What the owner wrote, with what is told about the edit.

    Tags are added; how it is loaded and shown stays as the owner has it.
    """
    known = {**{k: v for k, v in told.items() if k in ("library_name", "pipeline_tag")}, **own}
    known |= {k: v for k, v in told.items() if k not in ("library_name", "pipeline_tag", "tags")}
    old, new = own.get("tags"), told["tags"]
    assert isinstance(new, list)
    before = [tag for tag in old if isinstance(tag, str)] if isinstance(old, list) else []
    return {**known, "tags": list(dict.fromkeys([*before, *new]))}
