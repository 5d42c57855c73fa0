"""Parts of reports on edits: what is left, what moved, what each tensor and gate came to."""

from __future__ import annotations

from dataclasses import dataclass

from surgery.report.base import Spread


@dataclass(frozen=True, slots=True)
class Leak:
    """How much of an erased concept is left: ||W'k - Wt|| / ||Wk - Wt|| over keys and sites.

    0 means that it reads exactly as its target, 1 that it reads as before.

    Args:
        wording: how it is asked for: `prompts` are those of the edit itself; `score`, where it is
            solved on scores: the share of what speaks for the concept that is not taken out.
    """

    edit: int
    concept: str
    target: str
    wording: str
    figure: Spread


@dataclass(frozen=True, slots=True)
class Moved:
    """How far one prompt moved: ||(W' - W)p|| / ||Wp|| over its places and the edited sites."""

    prompt: str
    figure: Spread


@dataclass(frozen=True, slots=True)
class Drift:
    """How far prompts moved that should not have: as `Moved`, over all prompts of a group.

    Args:
        group: `preserved` (held by the edit), `neighbours` (of those the nearest to what is
            erased) or `neutral` (never seen by the edit).
        prompts: how many there are.
        most: those that moved most, the first most of all.
        path: the way into the model that is measured, where it is not the edit's first.
    """

    edit: int
    group: str
    prompts: int
    figure: Spread
    most: tuple[Moved, ...]
    path: str = ""


@dataclass(frozen=True, slots=True)
class SiteFigure:
    """Leak of the edit's own prompts and drift of neutral ones at one edited site."""

    edit: int
    site: str
    leak: Spread | None
    drift: Spread | None


@dataclass(frozen=True, slots=True)
class EditedTensor:
    """What the edits did to one stored tensor.

    Args:
        rank: rank of the solved change; None where it is not low-rank.
        relative_norm: ||W' - W|| / ||W||, Frobenius, after rounding to the stored type.
        changed: share (0 to 1) of the entries whose stored value changed.
        lost: ||rounded - solved|| / ||solved - W||: the part of the change that rounding took.
        zeroed: entries that were not zero and are now.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    rank: int | None
    relative_norm: float
    changed: float
    lost: float
    zeroed: int = 0


@dataclass(frozen=True, slots=True)
class Gate:
    """One expectation and what was found.

    Args:
        missed_by: how far what was found lies beyond the limit, in its own unit; 0 where it passed.
        note: what it was decided on, where that does not go without saying.
    """

    name: str
    limit: str
    found: str
    passed: bool
    missed_by: float = 0.0
    note: str = ""
