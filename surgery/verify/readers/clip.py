"""CLIP zero-shot: of the concept and what else it might be, whose words a picture is nearest to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from surgery.edits.templates import medium_of
from surgery.errors import UsageError
from surgery.judges.clip import STYLE, THING
from surgery.judges.towers import Towers
from surgery.report.verify import ERASED, JudgeFacts
from surgery.store.text import quoted
from surgery.verify.readers.base import Reading
from surgery.verify.values import Ask, PromptSet

PLAIN = "plain"
UNIT = "100 x cosine"


@dataclass(frozen=True, slots=True, eq=False)
class ClipReader:
    """Scores 100 times the cosine of a picture and the mean of several texts for the concept.

    Where every picture is to show its own prompt, it must be nearer to it than to the others; where
    nothing else is named, the score alone is told.

    Source: Radford et al. 2021, arXiv 2103.00020, section 3.1.4.
    """

    towers: Towers
    _known: dict[tuple[str, ...], Tensor] = field(default_factory=dict, init=False, repr=False)

    @property
    def facts(self) -> JudgeFacts:
        """The model."""
        address, _, digest = self.towers.name.rpartition(" ")
        return JudgeFacts("clip", address, digest, "concept", UNIT)

    def check(self, asked: PromptSet) -> None:
        """Refuse a concept that nothing can be told from, and texts that are not read whole.

        Raises:
            UsageError: as said.
        """
        names = _candidates(asked)
        if len(names) < 2 and asked.group in (*ERASED, "given"):
            raise UsageError(
                f"there is nothing that CLIP could see instead of {quoted(asked.concept)}",
                hint="name what should stay by --keep",
            )
        for name in names:
            for text in _texts(name, asked):
                self.towers.ids(text)

    def read(self, asked: PromptSet, asks: Sequence[Ask], pictures: Tensor) -> list[Reading]:
        """See `Reader`."""
        names = _candidates(asked)
        found = self.towers.pictures(pictures)
        # Row by row, so that no row sees another.
        near = torch.stack([(found * self._direction(name, asked)).sum(1) for name in names], 1)
        places = {name: number for number, name in enumerate(names)}
        readings = []
        for ask, row in zip(asks, near.tolist(), strict=True):
            wanted = places[ask.prompt if asked.own else asked.concept]
            best = row.index(max(row))
            told = (best == wanted, names[best]) if len(names) > 1 else (None, "")
            readings.append(Reading(100 * row[wanted], *told))
        return readings

    def _direction(self, name: str, asked: PromptSet) -> Tensor:
        texts = _texts(name, asked)
        if texts not in self._known:
            each = torch.stack([self.towers.texts([text])[0] for text in texts])
            self._known[texts] = F.normalize(each.mean(0), dim=0)
        return self._known[texts]


def _candidates(asked: PromptSet) -> tuple[str, ...]:
    if asked.own:
        return tuple(dict.fromkeys(ask.prompt for ask in asked.asks))
    return (asked.concept, *asked.others)


def _texts(name: str, asked: PromptSet) -> tuple[str, ...]:
    """The texts whose mean stands for a name."""
    if asked.own:
        return (name,)
    if asked.sort in ("style", PLAIN):
        medium = medium_of("painting" if name == PLAIN else name)
        return (medium,) if medium else tuple(text.format(name) for text in STYLE)
    return tuple(text.format(name) for text in THING)
