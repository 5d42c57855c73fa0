"""The page of a survey: a row for each sort, then one for each concept, with all of its probe."""

from __future__ import annotations

from collections.abc import Callable

from surgery.pages import blocks
from surgery.pages.heat import legend, strip
from surgery.pages.html import Html, el, unbroken
from surgery.report import ProbeReport, SurveyReport
from surgery.report.findings import from_layers, headline, percent
from surgery.report.panels import in_words_of, marked, place, row

Details = Callable[[ProbeReport, str], Html]


def survey(report: SurveyReport, details: Details) -> Html:
    """The body of the page.

    Args:
        details: what is shown of a concept when its row is opened.
    """
    lead = el("p", "style, objects and facts in ", el("b", report.model), cls="lead")
    return el(
        "div",
        lead,
        el("h1", unbroken(headline(report))),
        _sorts(report),
        _concepts(report, details),
    )


def _sorts(report: SurveyReport) -> Html:
    rows = [
        [
            from_layers(one),
            in_words_of(one.site),
            percent(one.effect),
            f"{one.agreeing} of {one.count}",
        ]
        for one in report.sorts
    ]
    columns = ("from", "place", "mean effect", "concepts that agree")
    about = "For each sort the place with the largest mean effect over its concepts. A concept "
    about += "agrees where its own best place shares a layer with it."
    table = blocks.table("Where each sort is kept", columns, rows, words=2)
    return blocks.section("By sort", about, el("div", table, cls="card"))


def _concepts(report: SurveyReport, details: Details) -> Html:
    wide = max((row(one)[-1][2] for one in report.reports if one.scores), default=1)
    sorts = dict.fromkeys(one.sort for one in report.reports)
    numbered = list(enumerate(report.reports))
    groups = [
        el(
            "div",
            el("h3", sort.capitalize() or "Other"),
            [
                _row(one, f"{number}-", wide, details)
                for number, one in numbered
                if one.sort == sort
            ],
            cls="group",
        )
        for sort in sorts
    ]
    about = "Each cell is a window, at its first layer; the layers run from left to right, from 0. "
    about += "Open a concept for its chart, its pictures and how it was measured."
    return blocks.section("By concept", about, legend("effect"), groups)


def _row(report: ProbeReport, prefix: str, wide: int, details: Details) -> Html:
    found = marked(report)
    spot = place(found.site) if found else None
    where = f"layers {spot.layers}" if spot else "no single place"
    summary = el("summary", el("b", report.concept), strip(report, wide), el("small", where))
    body = el("div", el("p", headline(report)), details(report, prefix))
    return el("details", summary, body, cls="concept")
