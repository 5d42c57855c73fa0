"""The picture of `apply --preview`: what was erased and three things kept, before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from surgery.edits.base import Concept, Kind
from surgery.edits.names import within, words
from surgery.pictures.sheet import Group, Pixels, contact_sheet, save
from surgery.recipe import Recipe

EACH, KEPT, FIRST_SEED = 3, 3, 7_000_000
"""Pictures of each concept, kept concepts, and the first seed; no figure is reported on these."""

SUBJECTS = ("a red star", "a blue ball", "a green heart")
STYLES, PLAIN_THINGS = (
    ("monet", "mondrian", "hokusai"),
    ("a red star", "a blue moon", "a green heart"),
)
KNOWN: dict[Kind, tuple[str, ...]] = {
    "style": STYLES,
    "object": (*PLAIN_THINGS, "a painting by monet"),
    "fact": ("a red star", "a painting by monet", "a blue moon"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A concept of the sheet and its prompts, one picture each."""

    name: str
    erased: bool
    prompts: tuple[str, ...]


def shown(recipe: Recipe) -> tuple[Shown, ...]:
    """Every erased concept, then three kept ones: those the recipe names first."""
    concepts = [one for edit in recipe.edits for one in getattr(edit, "concepts", ())]
    erased = [Shown(one.erase, True, _prompts(one.kind, one.erase)) for one in concepts]
    return (*erased, *list(_kept(recipe, concepts))[:KEPT])


def _kept(recipe: Recipe, concepts: Sequence[Concept]) -> Iterator[Shown]:
    gone = [words(one.erase) for one in concepts]
    kind: Kind = concepts[0].kind if concepts else "style"
    named = [name for edit in recipe.edits for name in getattr(edit, "preserve", ())]
    for name in dict.fromkeys([*named, *KNOWN[kind]]):
        if not any(within(one, words(name)) for one in gone):
            yield Shown(name, False, _prompts(kind, name))


def _prompts(kind: Kind, name: str) -> tuple[str, ...]:
    if kind == "style":
        return tuple(f"a painting of {subject} in the style of {name}" for subject in SUBJECTS)
    return (name,) * EACH


def write_preview(
    before: Path,
    after: Path,
    recipe: Recipe,
    path: Path,
    *,
    on_pictures: Callable[[int], None] = lambda made: None,
) -> None:
    """Paints the same prompts and seeds with both models and writes one PNG.

    Args:
        before, after: diffusers folders.
        recipe: names what was erased and what is held.
        path: the PNG, written whole or not at all.
        on_pictures: told how many pictures were just made.
    """
    rows = shown(recipe)
    prompts = [prompt for row in rows for prompt in row.prompts]
    seeds = [FIRST_SEED + number for number in range(len(prompts))]
    made = [_paint(folder, prompts, seeds, on_pictures) for folder in (before, after)]
    cuts = np.cumsum([len(row.prompts) for row in rows])[:-1]
    pairs = zip(*(np.split(pixels, cuts) for pixels in made), strict=True)
    groups = [Group(row.name, row.erased, *pair) for row, pair in zip(rows, pairs, strict=True)]
    foot = f"same prompts and seeds above and below, seeds {seeds[0]} to {seeds[-1]}"
    save(contact_sheet(recipe.name, foot, groups), path)


def preview_count(recipe: Recipe) -> int:
    """How many pictures `write_preview` makes, both models together."""
    return 2 * sum(len(row.prompts) for row in shown(recipe))


def _paint(
    folder: Path, prompts: Sequence[str], seeds: Sequence[int], on_pictures: Callable[[int], None]
) -> Pixels:
    from surgery.model import generate, load_model

    pictures = generate(load_model(folder), prompts, seeds, batch=8, on_batch=on_pictures)
    return np.asarray(pictures.add(1).mul(127.5).round().permute(0, 2, 3, 1).numpy(), np.uint8)
