"""Figures as papers report them, over all sets of a verification."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from surgery.report.verify import Figure, Group, How, Row, Summary
from surgery.verify.tally import share


def summary(rows: Sequence[Row], sorts: Mapping[tuple[Group, str], str]) -> Summary:
    """UA, IRA, CRA and what is made of them.

    Args:
        rows: of all sets.
        sorts: of each set, by its group and concept.

    Source: UnlearnCanvas, arXiv 2402.11846, section 4; MACE, arXiv 2403.06135, section 4.1.
    """
    gone = {sorts[row.group, row.concept] for row in rows if row.group == "erased"}
    staying = [row for row in rows if row.group in ("kept", "unrelated")]
    like = [row for row in staying if sorts[row.group, row.concept] in gone]
    unlike = [row for row in staying if sorts[row.group, row.concept] not in gone]
    ua = _less(_shown([row for row in rows if row.group == "erased"]))
    reworded = ("synonym", "paraphrase", "misspelling")
    general = _less(_shown([row for row in rows if row.group in reworded]))
    ira, cra = _shown(like), _shown(unlike)
    return Summary(
        ua=ua,
        ira=ira,
        cra=cra,
        mean=_arithmetic(ua, ira, cra),
        harmonic=harmonic(ua, ira, cra),
        general=general,
        mace=harmonic(ua, general, _shown(staying)),
    )


def _shown(rows: Sequence[Row]) -> Figure | None:
    return share(rows, lambda marks: marks.shown_after)


def _less(found: Figure | None) -> Figure | None:
    if found is None:
        return None
    return Figure(1 - found.value, 1 - found.high, 1 - found.low, found.count, found.how)


def _arithmetic(*parts: Figure | None) -> Figure | None:
    known = [one for one in parts if one is not None]
    if len(known) < len(parts):
        return None
    return _made(known, lambda values: sum(values) / len(values))


def harmonic(*parts: Figure | None) -> Figure | None:
    """The harmonic mean of shares; None where one is not known.

    Its ends are those of all its parts at once, so it errs on the wide side.
    """
    known = [one for one in parts if one is not None]
    if len(known) < len(parts):
        return None
    return _made(known, _harmonic)


def _made(parts: Sequence[Figure], of: Callable[[Sequence[float]], float]) -> Figure:
    return Figure(
        value=of([one.value for one in parts]),
        low=of([one.low for one in parts]),
        high=of([one.high for one in parts]),
        count=sum(one.count for one in parts),
        how=_how(parts),
    )


def _harmonic(values: Sequence[float]) -> float:
    return len(values) / sum(1 / value for value in values) if min(values) > 0 else 0.0


def _how(parts: Sequence[Figure]) -> How:
    return "bootstrap" if any(one.how == "bootstrap" for one in parts) else "wilson"
