"""What the judge asks of a model: prompt sets over the world, and how often pictures obey them.

Seeds for choosing settings and for reporting figures are kept apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import torch

from surgery.atelier.judge import Judge, Reading, read
from surgery.atelier.world import (
    ARTISTS,
    COLOURS,
    FACTS,
    OBJECTS,
    PLAIN,
    STYLED,
    TRADEMARK,
    Scene,
    captions,
    is_held_out,
    scenes,
)

Purpose = Literal["choose", "report"]
FIRST_SEED = {"choose": 5_000_000, "report": 9_000_000}
Kind = Literal["style", "object", "fact", "plain"]


@dataclass(frozen=True, slots=True)
class PromptSet:
    """Prompts about one concept and the scene each asks for."""

    concept: str
    kind: Kind
    prompts: tuple[str, ...]
    wanted: tuple[Scene, ...]

    def first(self, count: int) -> PromptSet:
        """The same set with at most `count` prompts, spread evenly over it."""
        step = max(1, len(self.prompts) // count)
        some = slice(0, step * count, step)
        return PromptSet(self.concept, self.kind, self.prompts[some], self.wanted[some])


@dataclass(frozen=True, slots=True)
class SetReading:
    """What the judge saw in the pictures of one set."""

    asked: PromptSet
    seen: tuple[Scene, ...]

    @property
    def count(self) -> int:
        return len(self.seen)

    def share(self, obeys: Callable[[Scene, Scene], bool]) -> float:
        """Share of pictures for which `obeys(seen, wanted)` holds."""
        pairs = zip(self.seen, self.asked.wanted, strict=True)
        return sum(obeys(seen, wanted) for seen, wanted in pairs) / self.count

    @property
    def concept(self) -> float:
        """Share of pictures that show the set's own concept."""
        if self.asked.kind in ("style", "plain"):
            return self.share(lambda seen, wanted: seen.artist == wanted.artist)
        return self.share(lambda seen, wanted: seen.thing == wanted.thing)

    @property
    def most(self) -> str:
        """What most pictures show where the concept stands: an artist or `plain`, or a thing."""
        styled = self.asked.kind in ("style", "plain")
        found = Counter((one.artist or "plain") if styled else one.thing for one in self.seen)
        return found.most_common(1)[0][0]

    @property
    def thing(self) -> float:
        return self.share(lambda seen, wanted: seen.thing == wanted.thing)

    @property
    def colour(self) -> float:
        return self.share(lambda seen, wanted: seen.colour == wanted.colour)


def prompt_sets() -> tuple[PromptSet, ...]:
    """One set for each artist, for plain paintings, for each object, the trademark, each fact."""
    things = tuple(product(OBJECTS, COLOURS))
    styles = [_set(artist, "style", [Scene(*one, artist) for one in things]) for artist in ARTISTS]
    plain = _set("plain", "plain", [Scene(*one) for one in things])
    objects = [_set(name, "object", _coloured(name)) for name in OBJECTS]
    droid = _set(TRADEMARK, "object", [Scene(TRADEMARK)] * 32)
    facts = [_set(fact, "fact", [Scene(fact)] * 32) for fact in FACTS]
    return (*styles, plain, *objects, droid, *facts)


def _coloured(name: str) -> list[Scene]:
    places = product((None, *ARTISTS), COLOURS)
    return [Scene(name, colour, artist) for artist, colour in places][:36]


def held_out_set() -> PromptSet:
    """The combinations that training never saw."""
    unseen = [scene for scene in scenes() if is_held_out(scene)]
    return _set("held out", "style", unseen * 2)


def _set(concept: str, kind: Kind, wanted: Sequence[Scene]) -> PromptSet:
    count = len(STYLED if kind == "style" else PLAIN)
    prompts = (captions(scene)[number % count] for number, scene in enumerate(wanted))
    return PromptSet(concept, kind, tuple(prompts), tuple(wanted))


def examine(
    sets: Sequence[PromptSet],
    generate: Callable[[Sequence[str], Sequence[int]], torch.Tensor],
    judge: Judge,
    purpose: Purpose = "report",
) -> tuple[SetReading, ...]:
    """Has every prompt painted once, by its own seed, and read by the judge.

    Args:
        generate: prompts and seeds → pictures (n, 3, 64, 64) in [-1, 1].
        purpose: which of the two families of seeds to use.
    """
    prompts = [prompt for one in sets for prompt in one.prompts]
    seeds = [FIRST_SEED[purpose] + number for number in range(len(prompts))]
    reading: Reading = read(judge, generate(prompts, seeds))
    seen, found = iter(reading.scenes()), []
    for one in sets:
        found.append(SetReading(one, tuple(next(seen) for _ in one.prompts)))
    return tuple(found)
