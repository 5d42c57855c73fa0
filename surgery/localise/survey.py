"""From the reports of single concepts to where a model keeps styles, objects and facts."""

from __future__ import annotations

from collections.abc import Sequence

from surgery.probes.windows import is_window, overlap
from surgery.report import ProbeReport, SortFinding, SurveyReport


def survey_of(reports: Sequence[ProbeReport]) -> SurveyReport:
    """Several concepts of each sort, taken together."""
    sorts = dict.fromkeys(one.sort for one in reports)
    found = tuple(
        finding
        for sort in sorts
        if (finding := _finding(sort, [one for one in reports if one.sort == sort]))
    )
    return SurveyReport(reports[0].model, reports[0].method, found, tuple(reports))


def _finding(sort: str, reports: Sequence[ProbeReport]) -> SortFinding | None:
    """The place that all reports tried whose mean effect is the largest."""
    effects = [{score.name: score.effect for score in one.scores} for one in reports]
    shared = [site for site in effects[0] if all(site in other for other in effects)]
    if not shared:
        return None
    means = {site: sum(one[site] for one in effects) / len(effects) for site in shared}
    best = max(shared, key=means.__getitem__)
    own = [max(one, key=one.__getitem__) for one in effects]
    agreeing = sum(_agree(best, site) for site in own)
    return SortFinding(sort, best, means[best], len(reports), agreeing)


def _agree(one: str, other: str) -> bool:
    """Windows agree where they share a layer, other places where they are the same."""
    return one == other or (is_window(one) and is_window(other) and overlap(one, other))
