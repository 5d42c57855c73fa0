"""How many pictures of a concept show each attribute, counted by the built-in judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from surgery.apply import apply
from surgery.atelier.exam import FIRST_SEED, Purpose
from surgery.atelier.judge import Judge, load_judge, read
from surgery.atelier.world import ARTISTS, COLOURS, OBJECTS, Scene
from surgery.edits.debias import Debias
from surgery.edits.names import words
from surgery.edits.templates import filled
from surgery.edits.uce import Uce
from surgery.errors import UsageError
from surgery.model import DiffusersModel, generate, load_model
from surgery.recipe import Recipe
from surgery.store.address import locate
from surgery.store.checkpoint import Checkpoint

BATCH = 64


def census(
    checkpoint: Checkpoint,
    *,
    pictures: int,
    purpose: Purpose = "choose",
    on_pictures: Callable[[int], None] = lambda made: None,
) -> Callable[[Recipe], Mapping[str, Sequence[int]]]:
    """A function that edits the model by a recipe, paints, and counts; nothing is kept.

    Args:
        pictures: of each concept that the recipe debiases.
        purpose: which of the two families of seeds to use.
    """
    judge = load_judge(locate("atelier").parent / "judge.safetensors")

    def count(recipe: Recipe) -> Mapping[str, Sequence[int]]:
        told = [one for edit in recipe.edits if isinstance(edit, Uce) for one in edit.debias]
        with TemporaryDirectory() as folder:
            root = _edited(recipe, checkpoint, Path(folder) / "edited")
            model = load_model(root)
            seen = (_seen(model, judge, one, pictures, FIRST_SEED[purpose]) for one in told)
            counts = {}
            for one, scenes in zip(told, seen, strict=True):
                counts[one.concept] = attribute_counts(one.attributes, scenes)
                on_pictures(pictures)
        return counts

    return count


def attribute_counts(attributes: Sequence[str], seen: Sequence[Scene]) -> tuple[int, ...]:
    """For each attribute, how many scenes show all that its words say.

    Raises:
        UsageError: an attribute says nothing that the judge can read.
    """
    return tuple(sum(map(_shows(attribute), seen)) for attribute in attributes)


def _shows(attribute: str) -> Callable[[Scene], bool]:
    said = set(words(attribute))
    colours = said & set(COLOURS)
    things = said & set(OBJECTS)
    artists = {artist for artist in ARTISTS if set(words(artist)) <= said}
    if not colours | things | artists:
        known = ", ".join((*COLOURS, *OBJECTS, *ARTISTS))
        raise UsageError(f"the judge cannot read '{attribute}'", hint=f"it knows {known}")
    return lambda scene: (
        (not colours or scene.colour in colours)
        and (not things or scene.thing in things)
        and (not artists or scene.artist in artists)
    )


def _edited(recipe: Recipe, checkpoint: Checkpoint, out: Path) -> Path:
    """The model that the recipe makes; where its amounts are all 0 yet, the model as it is."""
    active = tuple(edit for edit in recipe.edits if not (isinstance(edit, Uce) and edit.is_idle))
    if not active:
        return checkpoint.here().root
    apply(recipe.model_copy(update={"edits": active}), checkpoint, out, allow_weak=True)
    return out


def _seen(
    model: DiffusersModel, judge: Judge, one: Debias, pictures: int, first: int
) -> tuple[Scene, ...]:
    prompts = filled(one.kind, one.concept)
    asked = [prompts[number % len(prompts)] for number in range(pictures)]
    made = generate(model, asked, [first + number for number in range(pictures)], batch=BATCH)
    return read(judge, made).scenes()
