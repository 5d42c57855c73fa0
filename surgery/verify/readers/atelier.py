"""The judge of the built-in world: it names the artist and the thing of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from surgery.atelier.pictures import PAINTERS, THINGS
from surgery.edits.names import words
from surgery.errors import UsageError
from surgery.judges.atelier import SIDE, AtelierJudge, atelier_judge
from surgery.report.verify import JudgeFacts
from surgery.store.text import nearest, quoted
from surgery.verify.readers.base import Reading
from surgery.verify.values import Ask, PromptSet

PLAIN = "plain"
STYLES = tuple(name or PLAIN for name in PAINTERS)


@dataclass(frozen=True, slots=True, eq=False)
class AtelierReader:
    """Among the artists, `plain` with them, or among the things, the likeliest is what is seen."""

    judge: AtelierJudge

    @property
    def facts(self) -> JudgeFacts:
        """The network, by the digest of its weights."""
        name, _, digest = self.judge.name.partition(" ")
        return JudgeFacts(name, "the built-in judge", digest, "concept", "probability")

    def check(self, asked: PromptSet) -> None:
        """Refuse a concept that is not of this world.

        Raises:
            UsageError: as said.
        """
        _number(asked)

    @torch.no_grad()
    def read(self, asked: PromptSet, asks: Sequence[Ask], pictures: Tensor) -> list[Reading]:
        """See `Reader`.

        Raises:
            UsageError: pictures of another size.
        """
        if pictures.shape[1:] != (3, SIDE, SIDE):
            height, width = pictures.shape[-2:]
            raise UsageError(
                f"the judge 'atelier' reads pictures of {SIDE} x {SIDE}, not of {width} x {height}",
                hint="leave --resolution out, or take --judge clip",
            )
        number, known = _number(asked), _known(asked)
        thing, _, artist = self.judge.network(pictures.to(self.judge.device).float())
        chances = (artist if known is STYLES else thing).softmax(1)
        things = thing.argmax(1).tolist()
        rows = zip(
            asks, chances.argmax(1).tolist(), chances[:, number].tolist(), things, strict=True
        )
        return [
            Reading(score, best == number, known[best], _right(ask, THINGS[one]))
            for ask, best, score, one in rows
        ]


def atelier_reader(device: str = "cpu") -> AtelierReader:
    """The reader that comes with the package."""
    return AtelierReader(atelier_judge(device))


def _right(ask: Ask, seen: str) -> bool | None:
    return seen == ask.thing if ask.thing else None


def _known(asked: PromptSet) -> tuple[str, ...]:
    return STYLES if asked.sort in ("style", PLAIN) else THINGS


def _number(asked: PromptSet) -> int:
    known = _known(asked)
    for number, name in enumerate(known):
        if words(name) == words(asked.concept):
            return number
    every = (*(name for name in STYLES if name != PLAIN), *THINGS)
    guess = nearest(asked.concept, every)
    raise UsageError(
        f"the judge does not know the concept {quoted(asked.concept)}",
        hint=f"did you mean {guess!r}?" if guess else "it knows " + ", ".join(every),
    )
