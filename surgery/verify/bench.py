"""The judges of one verification, and what they say of pairs of pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from surgery.errors import UsageError
from surgery.judges.distance import VisionDistance
from surgery.judges.metric_files import check_metrics
from surgery.judges.metrics import Frechet, Lpips, load_frechet, load_lpips
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
        lpips, frechet: None where they were not asked for.
    """

    reader: Reader
    towers: Towers | None
    lpips: Lpips | None = None
    frechet: Frechet | None = None
    _texts: dict[str, Tensor] = field(default_factory=dict, init=False, repr=False)

    @property
    def facts(self) -> tuple[JudgeFacts, ...]:
        """All judges, that of concepts first."""
        return (self.reader.facts, *self._of_towers(), *self._of_metrics())

    def _of_towers(self) -> Iterator[JudgeFacts]:
        if self.towers is not None:
            address, _, digest = self.towers.name.rpartition(" ")
            yield JudgeFacts("clip", address, digest, "alignment", "100 x cosine")
            layers = "1 - cosine, mean of 4 layers"
            yield JudgeFacts("vision tower", address, digest, "distance", layers)

    def _of_metrics(self) -> Iterator[JudgeFacts]:
        if self.lpips is not None:
            yield JudgeFacts("LPIPS", "AlexNet of torchvision", self.lpips.digest, "distance")
        if self.frechet is not None:
            yield JudgeFacts("FID", "Inception of torch-fidelity", self.frechet.digest, "sets")

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
        none = [None] * len(asks)
        far = VisionDistance(self.towers).between(old, new) if self.towers else none
        learned = self.lpips.between(old, new) if self.lpips else none
        return [
            Marks(
                one.shown, two.shown, one.score, two.score, one.seen, two.seen,
                one.thing, two.thing, left, right, distance, lpips,
            )
            for one, two, left, right, distance, lpips in zip(
                *sides, *clips, far, learned, strict=True
            )
        ]  # fmt: skip

    def features(self, before: Pixels, after: Pixels) -> list[tuple[Tensor, Tensor] | None]:
        """What FID is made of, for pairs of pictures (n, height, width, 3)."""
        if self.frechet is None:
            return [None] * len(before)
        old, new = (self.frechet.features(_channels_first(one)) for one in (before, after))
        return list(zip(old, new, strict=True))

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
    check_metrics(plan.wish.metrics)
    own = is_atelier(plan.before)
    judge, device = plan.wish.judge, plan.where.device
    if plan.wish.clip is None and judge == "clip" and not own:
        raise _no_judge()
    address = plan.wish.clip or ("atelier" if own else None)
    lpips = load_lpips(device) if "lpips" in plan.wish.metrics else None
    frechet = load_frechet(device) if "fid" in plan.wish.metrics else None
    towers = load_towers(address, device) if address else None
    return Bench(_reader(plan, towers, own), towers, lpips, frechet)


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
    return _channels_first(pixels).float() / 127.5 - 1


def _channels_first(pixels: Pixels) -> Tensor:
    return torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2)
