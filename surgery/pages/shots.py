"""Which pictures of a report belong together, in which order, and what each group is called."""

from __future__ import annotations

import re

from surgery.pages.blocks import Shots
from surgery.report import ProbeReport, Score
from surgery.report.findings import effect, percent
from surgery.report.panels import in_words, marked, tokens

SHOWN_AT_ONCE = 12
"""Groups that are shown before the rest is asked for."""

ANCHORS = {
    "none": "nothing replaced",
    "all": "everything replaced",
    "clean": "nothing corrupted",
    "corrupted": "corrupted, nothing restored",
}

BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
Spot = tuple[str, str]


def keys(report: ProbeReport, prefix: str = "") -> dict[Spot, str]:
    """Site and tokens -> the name of its group, for those places that have pictures."""
    sound = (one for one in report.pictures if BASE64.fullmatch(one.png))
    spots = dict.fromkeys((one.site, one.column) for one in sound)
    return {spot: f"{prefix}{number}" for number, spot in enumerate(spots)}


def shots(report: ProbeReport, prefix: str = "") -> tuple[tuple[Shots, ...], tuple[Shots, ...]]:
    """The groups that are shown at once, and the rest, smaller windows among them.

    The anchors come first, then the found place, then the others in order of depth.
    """
    found = marked(report)
    scores = {(score.site, score.column): score for score in (*report.scores, *report.smaller)}
    anchors = [(score.site, score.column) for score in report.anchors]
    first = [*anchors, *([(found.site, found.column)] if found else []), *scores]
    names = keys(report, prefix)
    order = dict.fromkeys([*(spot for spot in first if spot in names), *names])
    groups = tuple(_group(report, spot, names[spot], scores.get(spot), found) for spot in order)
    smaller = sum((score.site, score.column) in names for score in report.smaller)
    cut = min(SHOWN_AT_ONCE, len(groups) - smaller)
    return groups[:cut], groups[cut:]


def _group(
    report: ProbeReport, spot: Spot, key: str, score: Score | None, found: Score | None
) -> Shots:
    own = (one.png for one in report.pictures if (one.site, one.column) == spot)
    pngs = tuple(png for png in own if BASE64.fullmatch(png))
    anchor = next((one for one in report.anchors if (one.site, one.column) == spot), None)
    if score is not None:
        return Shots(key, in_words(score), _note(score), pngs, score is found)
    site, column = spot
    name = ANCHORS.get(site, site) + (f" at the {tokens(column)}" if column else "")
    return Shots(key, name, _seen(anchor) if anchor else "", pngs)


def _note(score: Score) -> str:
    return _seen(score) or f"effect {effect(score)}"


def _seen(score: Score) -> str:
    return f"shown in {percent(score.shown.value)}" if score.shown else ""
