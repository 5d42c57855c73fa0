"""Gates: the recipe's limits against the figures of the result. Opens no file, prints nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from surgery.figures import OWN, WORST
from surgery.recipe import Expect, Limit
from surgery.report import Drift, Gate, Leak, Spread

HELD = ("preserved", "neighbours")


def gates(expect: Expect, leaks: Sequence[Leak], drifts: Sequence[Drift]) -> tuple[Gate, ...]:
    """What the recipe expects, and what was found.

    `leak` is of the edit's own prompts, `wordings` of every other way to ask for the concept in
    words; `drift` is of what is held, `neutral` of prompts that the edit never saw.
    """
    own = [leak.figure for leak in leaks if leak.wording in OWN]
    other = [leak.figure for leak in leaks if leak.wording not in (*OWN, WORST)]
    held = [drift.figure for drift in drifts if drift.group in HELD]
    neutral = [drift.figure for drift in drifts if drift.group == "neutral"]
    return (
        *_limits("leak", expect.leak, own),
        *_limits("wordings", expect.wordings, other),
        *_limits("drift", expect.drift, held),
        *_limits("neutral", expect.neutral, neutral),
    )


_MEASURES: dict[str, Callable[[Spread], float]] = {
    "max": lambda spread: spread.max,
    "p95": lambda spread: spread.p95,
    "median": lambda spread: spread.median,
}


def _limits(name: str, limit: Limit | None, found: Sequence[Spread]) -> list[Gate]:
    """The worst row decides, each limit by its own measure."""
    if limit is None:
        return []
    checked = []
    for measure, of in _MEASURES.items():
        most = getattr(limit, measure)
        if most is not None:
            worst = max((of(spread) for spread in found), default=0.0)
            title = name if measure == "max" else f"{name} {measure}"
            passed, short = worst <= most, max(0.0, worst - most)
            checked.append(Gate(title, f"at most {most:g}", f"{worst:.3g}", passed, short))
    return checked
