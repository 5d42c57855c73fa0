"""Everything that is known before a picture is painted: models, prompts, batches, limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from surgery.errors import CheckpointError, LayoutError, RecipeError, UsageError
from surgery.questions import Vocabulary, vocabulary_of
from surgery.recipe import Recipe, load_recipe
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from surgery.store.text import nearest, quoted, visible
from surgery.verify.gates import DEFAULTS, NAMES
from surgery.verify.items import GROUP, Batch, Item, Painting, batches, chunks, items
from surgery.verify.prompts import erased, prompt_sets
from surgery.verify.shared import differ, scheduler_of, spelled
from surgery.verify.values import PromptSet
from surgery.verify.wish import ALL, HERE, Circumstance, Wish

Place: TypeAlias = tuple[int, tuple[int, ...]]
"""A set's number, and which of its pictures are painted together."""
STEPS: Mapping[Vocabulary, int] = {"atelier": 20, "world": 50}
GUIDANCE: Mapping[Vocabulary, float] = {"atelier": 3.0, "world": 7.5}
"""Latents of 8 x 8 saturate at the usual 7.5."""
GROUPS: Mapping[Vocabulary, int] = {"atelier": GROUP, "world": 4}
"""Pictures that are painted together; a device's memory must hold that many."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What will be painted and judged.

    Args:
        wish: with the recipe that is known.
        concepts: what should be gone.
        sets: of prompts; `places` says which of a set's pictures each batch is.
        limits: gates by name.
        notes: what a reader of the figures should know.
    """

    before: Checkpoint
    after: Checkpoint
    wish: Wish
    where: Circumstance
    vocabulary: Vocabulary
    concepts: tuple[str, ...]
    sets: tuple[PromptSet, ...]
    painting: Painting
    guidance: float
    batches: tuple[Batch, ...]
    places: tuple[Place, ...]
    limits: Mapping[str, float]
    notes: tuple[str, ...]

    @property
    def pictures(self) -> int:
        """How many will be painted, by both models together."""
        return 2 * sum(map(len, self.batches))

    def items(self) -> tuple[Item, ...]:
        """The work, in independent pieces."""
        models = [(_address(one), one.fingerprint) for one in (self.before, self.after)]
        return items(models, self.batches, self.painting, self.where.batch)

    def chunk(self, number: int) -> tuple[Place, ...]:
        """Which pictures the items of this number, one of each model, hold."""
        return chunks(self.places, list(map(len, self.batches)), self.where.batch)[number]


def plan(
    before: str | Path, after: str | Path, wish: Wish = ALL, where: Circumstance = HERE
) -> Plan:
    """Find out what to paint; reads headers alone.

    Raises:
        UsageError: nothing says what should be gone, or a gate is not known.
        CheckpointError, LayoutError, HubError: a model cannot be read.
        RecipeError: the recipe that the second model carries is damaged.
    """
    first, second = open_checkpoint(before), open_checkpoint(after)
    vocabulary = vocabulary_of(first)
    wish, notes = _with_recipe(wish, second)
    sets = prompt_sets(wish, vocabulary)
    if not sets:
        raise UsageError("there is no prompt to paint")
    guidance = GUIDANCE[vocabulary] if wish.guidance is None else wish.guidance
    made, places = _batches(sets, guidance, GROUPS[vocabulary])
    painting, said = _painting(first, second, wish, where, vocabulary)
    gone = tuple(one.erase for one in erased(wish, vocabulary))
    limits = _limits(wish)
    return Plan(
        first, second, wish, where, vocabulary, gone, sets, painting, guidance, made, places,
        limits, (*notes, *said),
    )  # fmt: skip


def _with_recipe(wish: Wish, after: Checkpoint) -> tuple[Wish, list[str]]:
    if wish.recipe is not None or (found := carried(after)) is None:
        return wish, []
    return replace(wish, recipe=found), ["the recipe is the one that the second model carries"]


def carried(checkpoint: Checkpoint) -> Recipe | None:
    """The recipe in a model's own files, of its last edit; None where there is none.

    Raises:
        RecipeError: it is damaged.
    """
    for name, entries in checkpoint.metadata.items():
        if text := entries.get("surgery.recipe"):
            try:
                return load_recipe(text + "\n")
            except RecipeError as error:
                where = visible(f"{checkpoint.address}: {name}: surgery.recipe")
                raise RecipeError(error.what, where=where, hint=error.hint) from error
    return None


def _batches(
    sets: tuple[PromptSet, ...], guidance: float, group: int
) -> tuple[tuple[Batch, ...], tuple[Place, ...]]:
    made, places = [], []
    for number, one in enumerate(sets):
        asks = [
            (ask.prompt, ask.seed, guidance if ask.guidance is None else ask.guidance)
            for ask in one.asks
        ]
        for some in batches(asks, group):
            prompts, seeds, strengths = zip(*(asks[place] for place in some), strict=True)
            made.append(Batch(prompts, seeds, strengths[0]))
            places.append((number, some))
    return tuple(made), tuple(places)


def _painting(
    before: Checkpoint,
    after: Checkpoint,
    wish: Wish,
    where: Circumstance,
    vocabulary: Vocabulary,
) -> tuple[Painting, list[str]]:
    config = Path(where.config) if where.config else None
    own = scheduler_of(before, config)
    painting = Painting(
        steps=wish.steps or STEPS[vocabulary],
        scheduler=spelled(own),
        resolution=where.resolution,
        device=where.device,
        dtype=where.dtype,
        threads=where.threads,
        config=where.config,
        tokenizer=where.tokenizer,
    )
    try:
        others = differ(own, scheduler_of(after, config))
    except (CheckpointError, LayoutError):
        # What it is painted with is stated by the first model.
        others = []
    said = f"the second model's files name another scheduler ({', '.join(others)})"
    return painting, [f"{said}; both were painted with the first one's"] if others else []


def _limits(wish: Wish) -> dict[str, float]:
    expected = wish.recipe.expect.pictures() if wish.recipe else {}
    for name in wish.limits:
        if name not in NAMES:
            guess = nearest(name, NAMES)
            hint = f"did you mean {guess!r}?" if guess else "there are " + ", ".join(NAMES)
            raise UsageError(f"pictures have no gate {quoted(name)}", hint=hint)
    found = {**DEFAULTS, **expected, **wish.limits}
    return {name: limit for name, limit in found.items() if limit is not None}


def _address(opened: Checkpoint) -> str:
    """Where any process finds the same files."""
    plain = opened.is_remote or opened.address == "atelier"
    return opened.address if plain else str(Path(opened.address).absolute())


def kinds(plan: Plan) -> Iterator[tuple[str, int, int]]:
    """What is asked, by group: its name, the sets, and the pictures of each model."""
    for group in dict.fromkeys(one.group for one in plan.sets):
        some = [one for one in plan.sets if one.group == group]
        yield group, len(some), sum(len(one.asks) for one in some)
