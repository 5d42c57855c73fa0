"""Every prompt set of the built-in world, painted once and read: what benches of recipes measure.

The judge shipped with `atelier` reads pictures of `atelier` and of what was made from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from surgery.judges.readable import must_be_atelier
from surgery.report import ExamReport, Gate, JudgedSet, Share
from surgery.store.address import locate
from surgery.store.checkpoint import open_checkpoint

if TYPE_CHECKING:
    import torch

    from surgery.atelier.exam import PromptSet, Purpose, SetReading


BUILT_IN = "atelier"
SLACK = 0.025
"""How far the share of right things may fall: one picture in forty, less than chance moves it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What passes: the most an erased concept, the least a kept one may show (shares, 0 to 1)."""

    erased: float = 0.10
    kept: float = 0.90


@dataclass(frozen=True, slots=True)
class Judged:
    """What the judge saw in the pictures of one model, set by set."""

    address: str
    sets: tuple[SetReading, ...]


def compared(
    before: Judged, after: Judged, erased: Sequence[str], limits: Limits = Limits()
) -> ExamReport:
    """Sets the readings of two models side by side; both answered the same prompt sets."""
    pairs = zip(before.sets, after.sets, strict=True)
    rows = tuple(_row(old, new, erased) for old, new in pairs)
    return ExamReport(before.address, after.address, rows, _gates(rows, limits))


def judged(
    address: str | Path,
    sets: Sequence[PromptSet],
    purpose: Purpose = "report",
    on_pictures: Callable[[int], None] = lambda made: None,
) -> Judged:
    """Has a model paint every prompt of the sets, and the judge read the pictures.

    Raises:
        UsageError: a model that the judge cannot read.
    """
    checkpoint = open_checkpoint(address)
    must_be_atelier(checkpoint)
    from surgery.atelier.exam import examine
    from surgery.atelier.judge import load_judge
    from surgery.model import generate, load_model

    model = load_model(checkpoint)

    def paint(prompts: Sequence[str], seeds: Sequence[int]) -> torch.Tensor:
        return generate(model, prompts, seeds, on_batch=on_pictures)

    judge = load_judge(locate(BUILT_IN).parent / "judge.safetensors")
    return Judged(str(address), examine(sets, paint, judge, purpose))


def _row(before: SetReading, after: SetReading, erased: Sequence[str]) -> JudgedSet:
    asked = before.asked
    return JudgedSet(
        concept=asked.concept,
        sort=asked.kind,
        erased=asked.concept in erased,
        concept_before=Share.of(before.concept, before.count),
        concept_after=Share.of(after.concept, after.count),
        became=after.most,
        thing_before=Share.of(before.thing, before.count),
        thing_after=Share.of(after.thing, after.count),
    )


def _gates(rows: Sequence[JudgedSet], limits: Limits) -> tuple[Gate, ...]:
    gone = [row for row in rows if row.erased]
    kept = [row for row in rows if not row.erased]
    gates = [_most(f"{row.concept} gone", row.concept_after, limits.erased) for row in gone]
    gates += [_least(f"{row.concept} kept", row.concept_after, limits.kept) for row in kept]
    styles = [row for row in gone if row.sort == "style"]
    return (
        *gates,
        *(_least(_still(row), row.thing_after, row.thing_before.value - SLACK) for row in styles),
    )


def _still(row: JudgedSet) -> str:
    return f"things in '{row.concept}' prompts kept"


def _most(name: str, found: Share, limit: float) -> Gate:
    return Gate(name, f"at most {limit:.1%}", f"{found.value:.1%}", found.value <= limit)


def _least(name: str, found: Share, limit: float) -> Gate:
    return Gate(name, f"at least {limit:.1%}", f"{found.value:.1%}", found.value >= limit)
