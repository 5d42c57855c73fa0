"""The judges of one verification, and what they say of pairs of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from surgery.errors import UsageError
from surgery.judges.distance import VisionDistance
from surgery.judges.readable import is_atelier
from surgery.judges.towers import Towers, load_towers
from surgery.report.verify import JudgeFacts, Marks
from surgery.verify.items import Pixels
from surgery.verify.readers.base import Reader
from surgery.verify.values import Ask, PromptSet

if TYPE_CHECKING:
    from surgery.verify.plan import Plan

_NAMED = ("auto", "atelier", "clip")


@dataclass(frozen=True, slots=True, eq=False)
class Bench:
    """Who judges.

    Args:
        reader: of concepts.
        towers: a CLIP or SigLIP model, for alignment and distance; None where there is none.
    """

    reader: Reader
    towers: Towers | None
    _texts: dict[str, Tensor] = field(default_factory=dict, init=False, repr=False)

    @property
    def facts(self) -> tuple[JudgeFacts, ...]:
        """All judges, that of concepts first."""
        if self.towers is None:
            return (self.reader.facts,)
        address, _, digest = self.towers.name.rpartition(" ")
        return (
            self.reader.facts,
            JudgeFacts("clip", address, digest, "alignment", "100 x cosine"),
            JudgeFacts("vision tower", address, digest, "distance", "1 - cosine, mean of 4 layers"),
        )

    def check(self, sets: Sequence[PromptSet]) -> None:
        """Refuse what the judges cannot read, before anything is painted.

        Raises:
            UsageError: as said.
        """
        for one in sets:
            self.reader.check(one)
            for ask in one.asks if self.towers else ():
                self.towers.ids(ask.prompt) if self.towers else None

    def marks(
        self, asked: PromptSet, asks: Sequence[Ask], before: Pixels, after: Pixels
    ) -> list[Marks]:
        """What is seen in pairs of pictures (n, height, width, 3).

        Raises:
            UsageError: the models paint pictures of different sizes.
        """
        if before.shape != after.shape:
            sizes = " and ".join(f"{one.shape[2]} x {one.shape[1]}" for one in (before, after))
            raise UsageError(f"the models paint pictures of {sizes}", hint="give a --resolution")
        old, new = _tensor(before), _tensor(after)
        sides = [self.reader.read(asked, asks, one) for one in (old, new)]
        clips = [self._clip(asks, one) for one in (old, new)]
        far = VisionDistance(self.towers).between(old, new) if self.towers else [None] * len(asks)
        return [
            Marks(
                one.shown, two.shown, one.score, two.score, one.seen, two.seen,
                one.thing, two.thing, left, right, distance,
            )
            for one, two, left, right, distance in zip(*sides, *clips, far, strict=True)
        ]  # fmt: skip

    def _clip(self, asks: Sequence[Ask], pictures: Tensor) -> list[float | None]:
        if self.towers is None:
            return [None] * len(asks)
        for ask in asks:
            if ask.prompt not in self._texts:
                self._texts[ask.prompt] = self.towers.texts([ask.prompt])[0]
        texts = torch.stack([self._texts[ask.prompt] for ask in asks])
        cosines = (self.towers.pictures(pictures) * texts).sum(1)
        return [100 * max(0.0, one) for one in cosines.tolist()]


def bench(plan: Plan) -> Bench:
    """The judges that were asked for, loaded.

    Raises:
        UsageError: no such judge, or none for this model.
        CheckpointError, HubError: its model cannot be read.
    """
    own = is_atelier(plan.before)
    judge, device = plan.wish.judge, plan.where.device
    if plan.wish.clip is None and judge == "clip" and not own:
        raise _no_judge()
    address = plan.wish.clip or ("atelier" if own else None)
    towers = load_towers(address, device) if address else None
    return Bench(_reader(plan, towers, own), towers)


def _reader(plan: Plan, towers: Towers | None, own: bool) -> Reader:
    judge, device = plan.wish.judge, plan.where.device
    if not isinstance(judge, str) or judge.startswith("python:"):
        from surgery.verify.readers.function import function_reader

        return function_reader(judge, plan.wish.threshold)
    if judge == "auto":
        judge = "atelier" if own and plan.wish.clip is None else "clip"
    if judge == "atelier":
        if not own:
            raise UsageError(
                "the judge 'atelier' reads pictures of atelier and of what was made from it",
                where=plan.before.address,
                hint="name a CLIP model by --clip",
            )
        from surgery.verify.readers.atelier import atelier_reader

        return atelier_reader(device)
    if judge == "clip":
        if towers is None:
            raise _no_judge()
        from surgery.verify.readers.clip import ClipReader

        return ClipReader(towers)
    from surgery.judges.classifier import load_classifier
    from surgery.verify.readers.classifier import ClassifierReader

    return ClassifierReader(load_classifier(judge, device))


def _no_judge() -> UsageError:
    return UsageError(
        "there is no judge for this model at hand",
        hint="name a CLIP model by --clip, a folder or openai/clip-vit-large-patch14, or a "
        "classifier by --judge",
    )


def _tensor(pixels: Pixels) -> Tensor:
    """(n, height, width, 3), 0 to 255 → (n, 3, height, width) in [-1, 1]."""
    return torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2).float() / 127.5 - 1
