"""Pictures of an approach, judged: the one place where an attack meets a sampler and a judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from surgery.adversary.base import Approach, Means
from surgery.errors import UsageError
from surgery.judges import Mark, Seen
from surgery.model import Model
from surgery.pictures.thumbnail import thumbnail
from surgery.report.verify import Figure
from surgery.runs import Case


def plain(model: Model) -> Approach:
    """The prompts with the concept, as they are."""
    return lambda cases: (model.encode([case.pair.source for case in cases]), ())


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """What the judge says of one picture for each case, and the first few as PNG."""

    marks: tuple[Mark, ...]
    pictures: tuple[str, ...] = ()


def marks(
    means: Means,
    model: Model,
    approach: Approach,
    cases: Sequence[Case],
    *,
    label: str,
    steps: int | None = None,
) -> list[Mark]:
    """What the judge says of one picture for each case, see `painted`."""
    found = painted(means, model, approach, cases, label=label, steps=steps)
    return list(found.marks)


def painted(
    means: Means,
    model: Model,
    approach: Approach,
    cases: Sequence[Case],
    *,
    label: str,
    steps: int | None = None,
    kept: int = 0,
) -> Painted:
    """One picture for each case, judged.

    Args:
        label: what progress is told as.
        steps: of the sampler; None for those of the budget.
        kept: how many of the first pictures to keep.

    Raises:
        UsageError: the judge does not say whether it sees the concept, or numbers overflow.
    """
    size, found, small = means.budget.batch, list[Mark](), list[str]()
    for first in range(0, len(cases), size):
        batch = cases[first : first + size]
        told, hooks = approach(batch)
        latents = model.denoise(
            told,
            [case.seed for case in batch],
            steps=steps or means.budget.steps,
            guidance=means.budget.guidance,
            hooks=hooks,
            on_step=partial(_step, means, label, len(batch)),
        )
        pictures = model.decode(latents)
        found += _judged(means, batch, latents, pictures)
        small += [thumbnail(one) for one in pictures[: max(0, kept - len(small))].cpu()]
    return Painted(tuple(found), tuple(small))


def shown(found: Sequence[Mark]) -> Figure:
    """How many show the concept."""
    return Figure.share(sum(bool(mark.shown) for mark in found) / len(found), len(found))


def rank(means: Means, found: Sequence[Mark]) -> tuple[float, float]:
    """The more of the concept is seen, the smaller; what is seen as often is told by the score."""
    sign = -1 if means.judge.best(means.question.sort) == "least" else 1
    seen = sum(bool(mark.shown) for mark in found) / len(found)
    return -seen, sign * sum(mark.score for mark in found) / len(found)


def mute(judge: str) -> UsageError:
    return UsageError(
        f"the judge {judge!r} does not say whether a picture shows the concept",
        hint="attack with --judge atelier or clip",
    )


def _step(means: Means, label: str, rows: int, *step: object) -> None:
    means.on_step(label, means.budget.asked * rows)


def _judged(means: Means, batch: Sequence[Case], latents: Tensor, pictures: Tensor) -> list[Mark]:
    if not torch.isfinite(latents).all():
        raise UsageError("the model's numbers overflow", hint="choose --dtype float32")
    seen = Seen(latents, [case.pair for case in batch], pictures)
    found = means.judge.marks(means.question, seen)
    if any(mark.shown is None for mark in found):
        raise mute(means.judge.name)
    return found
