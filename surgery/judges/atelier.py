"""The judge that comes with `atelier`: it reads artist and thing off a picture of its world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, ClassVar

import torch

from surgery.atelier.judge import Judge as Network
from surgery.atelier.judge import load_judge
from surgery.atelier.pictures import PAINTERS, THINGS
from surgery.edits.names import words
from surgery.errors import UsageError
from surgery.judges.base import Mark, Seen, Sees, marked, pictures_of
from surgery.report.probes import Best
from surgery.store.address import locate
from surgery.store.text import nearest, quoted

if TYPE_CHECKING:
    from surgery.questions import Question, Sort

SIDE = 64


@dataclass(frozen=True, slots=True, eq=False)
class AtelierJudge:
    """Scores how probable the concept is among the artists, or among the things.

    Args:
        network: the judge's network.
        name: with a digest of its weights.
        device: where to compute.
    """

    network: Network
    name: str
    device: str

    sees: ClassVar[Sees] = "pictures"
    anchored: ClassVar[bool] = False

    def best(self, sort: Sort) -> Best:
        """The least: there the concept is gone."""
        return "least"

    def check(self, question: Question) -> None:
        """Refuse a concept that the judge does not know.

        Raises:
            UsageError: as said.
        """
        _number(question)

    @torch.no_grad()
    def marks(self, question: Question, seen: Seen) -> list[Mark]:
        """The probability of the concept, and whether none is more probable.

        Raises:
            UsageError: a concept that it does not know, or pictures of another model.
        """
        number, pictures = _number(question), pictures_of(seen)
        if pictures.shape[1:] != (3, SIDE, SIDE):
            height, width = pictures.shape[-2:]
            raise UsageError(
                f"the judge 'atelier' reads pictures of {SIDE} x {SIDE}, not of {width} x {height}",
                hint="leave --resolution out, or take --judge noise",
            )
        thing, _, artist = self.network(pictures.to(self.device).float())
        found = (artist if question.sort == "style" else thing).softmax(1)
        shown: list[bool] = (found.argmax(1) == number).tolist()
        return marked(self.name, found[:, number].tolist(), shown)


def atelier_judge(device: str = "cpu") -> AtelierJudge:
    """The judge that comes with the package."""
    file = locate("atelier").parent / "judge.safetensors"
    digest = sha256(file.read_bytes()).hexdigest()[:12]
    return AtelierJudge(load_judge(file).to(device), f"atelier {digest}", device)


def _number(question: Question) -> int:
    """The class of the concept in its head."""
    known = PAINTERS if question.sort == "style" else THINGS
    asked = words(question.concept)
    for number, name in enumerate(known):
        if name is not None and words(name) == asked:
            return number
    raise UsageError(
        f"the judge 'atelier' knows no {question.sort} {quoted(question.concept)}",
        hint=_hint(question, [name for name in known if name is not None]),
    )


def _hint(question: Question, known: Sequence[str]) -> str:
    others = THINGS if question.sort == "style" else [one for one in PAINTERS if one is not None]
    if any(words(name) == words(question.concept) for name in others):
        sort = "an object or a fact" if question.sort == "style" else "a style"
        return f"it is {sort}"
    guess = nearest(question.concept, known)
    meant = f"did you mean {guess!r}" if guess else "it knows " + ", ".join(known)
    return f"{meant}; --judge noise judges every concept"
