"""What a probe found, in a sentence: the same words on a page, a picture and a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

from surgery.report.panels import depth, elsewhere, in_words, marked, place
from surgery.report.probes import ProbeReport, Score, SortFinding, SurveyReport
from surgery.report.shares import Share

RESTORING = frozenset({"trace_unet", "trace_text"})
"""Methods that restore a place; the others replace the text that it is given."""

PLURALS = {"object": "objects", "fact": "facts"}

MOSTLY = 0.75
"""Of the whole effect; below it a place holds a concept mostly, not whole."""

UNRUN = frozenset({"weights"})
"""Methods that run no model."""


def percent(share: float) -> str:
    """A share in whole percent; what is not quite nothing or all never reads as it."""
    whole = round(100 * share)
    if whole in (0, 100) and 0 < share < 1:
        return "<1 %" if whole == 0 else ">99 %"
    return f"{whole} %"


def effect(score: Score) -> str:
    """`83 % (78 to 88)`: how far a place goes, with its interval where it has one."""
    if score.low is None or score.high is None:
        return percent(score.effect)
    return f"{percent(score.effect)} ({round(100 * score.low)} to {round(100 * score.high)})"


def headline(report: ProbeReport | SurveyReport) -> str:
    """The finding in one sentence, names as they are in the report."""
    if isinstance(report, SurveyReport):
        return _survey(report)
    found = marked(report)
    if found is None:
        return _nowhere(report)
    if report.method in UNRUN:
        return (
            f"The weights hint at {_whole(report, found)} for {report.concept}; no model was run."
        )
    rest = elsewhere(report, found)
    verb = "is kept in" if found.effect >= MOSTLY else "is mostly kept in"
    if found.column:
        verb = "is found in"
    return f"{report.concept} {verb} {_whole(report, found)}: {_proof(report, found, rest)}."


def title(report: ProbeReport | SurveyReport) -> str:
    """What was looked for, where, and how."""
    if isinstance(report, SurveyReport):
        return f"What {report.model} keeps where, by {report.method}"
    return f"{report.concept} in {report.model}, by {report.method}"


def restores(report: ProbeReport) -> bool:
    """Whether places were restored in a corrupted run, not replaced in a sound one."""
    return report.method in RESTORING


def from_layers(finding: SortFinding) -> str:
    """`style from layer 8`, as the literature's tables say it."""
    spot = place(finding.site)
    sort = PLURALS.get(finding.sort, finding.sort)
    return f"{sort} from layer {spot.first}" if spot else f"{sort} in {finding.site}"


def before(report: ProbeReport) -> Share | None:
    """In how many pictures the concept shows while nothing is replaced."""
    shares = [one.shown for one in report.anchors if one.shown]
    return max(shares, key=lambda share: share.value, default=None)


def kept(rest: Sequence[Score]) -> float | None:
    """The least share of pictures with the concept over these places; None where one is unknown."""
    shares = [score.shown for score in rest]
    return min((one.value for one in shares if one), default=None) if all(shares) else None


def _whole(report: ProbeReport, found: Score) -> str:
    layers = depth(one for one in report.scores if one.column == found.column)
    is_window = "cross_attn" in found.site and layers > 1
    return f"{in_words(found)} of {layers}" if is_window else in_words(found)


def _proof(report: ProbeReport, found: Score, rest: Sequence[Score]) -> str:
    first, least = before(report), kept(rest)
    text = "its text" if "layer " in in_words(found) else "their text"
    if not restores(report) and found.shown and first and first.value > found.shown.value:
        proof = f"replacing {text} takes it from {percent(first.value)} to "
        proof += f"{percent(found.shown.value)} of pictures"
        if least is None:
            return proof
        rest_of_it = "all" if least == 1 else f"{floor(100 * least)} % or more"
        return f"{proof}; windows without these layers leave it in {rest_of_it}"
    most = max((score.effect for score in rest), default=None)
    proof = (
        f"restoring it alone brings back {percent(found.effect)} of what was lost"
        if restores(report)
        else f"replacing {text} goes {percent(found.effect)} of the way to the target"
    )
    if most is None:
        return proof
    if percent(most) == percent(found.effect):
        return f"{proof}, as do others of its kind"
    return f"{proof}, others of its kind at most {percent(most)}"


def _nowhere(report: ProbeReport) -> str:
    best = max(report.scores, key=lambda score: score.effect, default=None)
    if best is None:
        return f"No place was tried for {report.concept}."
    if restores(report):
        alone = f"the strongest, {in_words(best)}, brings back {percent(best.effect)}"
        if best.low is None:
            return f"One run cannot tell a place of {report.concept} from chance: {alone}."
    else:
        alone = f"the strongest, {in_words(best)}, goes {percent(best.effect)} of the way"
    return f"No single place holds {report.concept}: of {len(report.scores)} tried, {alone}."


def _survey(report: SurveyReport) -> str:
    parts = [from_layers(finding) for finding in report.sorts]
    if not parts:
        return f"{len(report.reports)} concepts were probed; no sort has a place of its own."
    listed = ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1]
    return f"{listed[0].upper()}{listed[1:]}."
