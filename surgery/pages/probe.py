"""The page of a probe: the finding, its chart, the pictures behind it, and what to do with it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from math import floor

from surgery.pages import blocks
from surgery.pages.cost import cost_card, duration
from surgery.pages.frame import page
from surgery.pages.heat import Marks, charts, legend, ruler
from surgery.pages.html import Child, Html, el, unbroken
from surgery.pages.shots import keys, shots
from surgery.pages.survey import survey
from surgery.report import ProbeReport, Score, SurveyReport
from surgery.report.findings import before, effect, headline, kept, percent, restores, title
from surgery.report.panels import depth, elsewhere, in_words, marked, panels, place
from surgery.store.text import visible

STYLES, SCRIPTS = ("heat.css",), ("heat.js",)
EDITED_TEXT = "text.self_attn[0]"
"""The one place in a text tower that a recipe is drafted for."""
FEW_ROWS = 16
"""Rows of a table that are shown at once."""


def probe_page(report: ProbeReport | SurveyReport) -> str:
    """A self-contained page of HTML; the same text for equal reports.

    Args:
        report: of one probe, or of a survey of several concepts of each sort.
    """
    if isinstance(report, SurveyReport):
        body = survey(report, details)
    else:
        body = el("div", _hero(report), details(report))
    subject = f"{report.kind} by {report.method}"
    return page(title(report), subject, body, styles=STYLES, scripts=SCRIPTS)


def details(report: ProbeReport, prefix: str = "") -> Html:
    """Everything below the headline.

    Args:
        prefix: of the names of parts, where a page holds several reports.
    """
    parts = [_chart(report, prefix), _pictures(report, prefix), _apply(report), _how(report)]
    return el("div", parts)


def _hero(report: ProbeReport) -> Html:
    found = marked(report)
    spot = place(found.site) if found else None
    layers = depth(report.scores)
    is_window = spot is not None and spot.kind == "cross_attn"
    return el(
        "div",
        _lead(report),
        el("h1", unbroken(headline(report))),
        ruler(spot, layers) if spot and is_window else None,
        blocks.tiles(_figures(report, found)),
    )


def _lead(report: ProbeReport) -> Html:
    sort = f", {report.sort}" if report.sort else ""
    return el("p", el("b", report.concept), f"{sort}, in ", el("b", report.model), cls="lead")


def _figures(report: ProbeReport, found: Score | None) -> Iterable[tuple[str, str, str]]:
    is_trace = restores(report)
    first = report.anchors[0].shown if is_trace and report.anchors else before(report)
    if found and found.shown and first:
        change = f"{percent(first.value)} → {percent(found.shown.value)}"
        low, high = round(100 * found.shown.low), round(100 * found.shown.high)
        note = f"of {found.shown.count} pictures; 95 % interval {low} to {high} %"
        yield "concept shown again" if is_trace else "concept still shown", change, note
        if not is_trace and (least := kept(elsewhere(report, found))) is not None:
            yield (
                "without these layers",
                f"{floor(100 * least)} %",
                "at least, in every other window",
            )
    if best := found or max(report.scores, key=lambda one: one.effect, default=None):
        yield (
            "effect" if found else "strongest effect",
            effect(best).partition(" (")[0],
            _interval(best),
        )
    yield "places tried", f"{len(report.scores) + len(report.smaller):,}", ""
    if cost := report.cost:
        yield "cost", duration(cost.seconds), f"{cost.evaluations:,} denoiser runs"


def _interval(score: Score) -> str:
    if score.low is None or score.high is None:
        return "drawn once, no interval"
    return f"95 % interval {round(100 * score.low)} to {round(100 * score.high)} %"


def _chart(report: ProbeReport, prefix: str) -> Html:
    marks = Marks(marked(report), keys(report, prefix))
    act = (
        "How much of what was lost each place brings back, restored alone."
        if restores(report)
        else "How much of the way to the target each place goes, when it alone is given other text."
    )
    rows = _table("All figures", report.scores, marks.found)
    return blocks.section(
        "Where it is",
        f"{act} Layers are counted from 0, in the order in which they run.",
        legend("effect", is_found=marks.found is not None),
        charts(report.scores, marks),
        blocks.more("All figures as a table", rows, is_open=len(report.scores) <= FEW_ROWS),
        _smaller(report, Marks(keys=marks.keys)),
    )


def _smaller(report: ProbeReport, marks: Marks) -> Html | None:
    if not report.smaller:
        return None
    about = (
        f"{len(report.smaller)} windows of other sizes, which did not suffice or were not needed"
    )
    sizes: dict[str, list[Score]] = {}
    for score in report.smaller:
        spot = place(score.site)
        sizes.setdefault(f"Windows of {spot.end - spot.first}" if spot else "Others", []).append(
            score
        )
    drawn = [[el("h3", size), charts(scores, marks)] for size, scores in sizes.items()]
    return blocks.more(about, drawn, _table(about, report.smaller, None))


def _table(caption: str, scores: Iterable[Score], found: Score | None) -> Html:
    listed = tuple(scores)
    is_seen = any(score.shown for score in listed)
    kinds = panels(listed)
    first = kinds[0].title if len(kinds) == 1 else "place"
    columns = [first, "effect, % (95 % interval)", *(["still shown"] if is_seen else []),
               "score ± std", "runs"]  # fmt: skip
    rows = [
        [
            _named(score, len(kinds) == 1),
            effect(score),
            *([percent(score.shown.value) if score.shown else "-"] if is_seen else []),
            f"{score.mean:.3g} ± {score.std:.2g}",
            f"{score.count:,}",
        ]
        for score in listed
    ]
    at = [number for number, score in enumerate(listed) if score is found]
    return blocks.table(caption, columns, rows, found=at)


def _named(score: Score, is_only_kind: bool) -> str:
    spot = place(score.site)
    if not (is_only_kind and spot) or score.column:
        return in_words(score)
    return f"layers {spot.layers}" if spot.end > spot.first + 1 else f"layer {spot.first}"


def _pictures(report: ProbeReport, prefix: str) -> Html | None:
    first, rest = shots(report, prefix)
    if not first:
        return None
    about = "Each place has the same prompts and seeds, one beside the other."
    more = blocks.more(f"{len(rest)} more places", blocks.gallery(rest)) if rest else None
    return blocks.section("The pictures behind the scores", about, blocks.gallery(first), more)


def _apply(report: ProbeReport) -> Html:
    if not report.found:
        about = "No place passed, so no recipe is drafted from this probe. Try more seeds, wider "
        about += "windows or another method; --report FILE.json keeps every figure."
        return blocks.section("What to do with it", about)
    is_edited = not restores(report) or report.found.startswith(EDITED_TEXT)
    about = "The first line drafts a recipe for the place that was found, the second applies it."
    if not is_edited:
        about = "No edit of this place is known. The first line finds a window of layers that "
        about += "one is known for and drafts its recipe, the second applies it."
    probe = ["probe", report.model, "--concept", report.concept, "--target", report.target]
    probe += ["--method", report.method if is_edited else "quick", "--recipe", "out.yaml"]
    commands = [["surgery", *probe], ["surgery", "apply", "out.yaml"]]
    return blocks.section(
        "What to do with it",
        about,
        blocks.code(shlex.join(map(visible, words)) for words in commands),
    )


def _how(report: ProbeReport) -> Html:
    about = {"model": report.model, "fingerprint": report.fingerprint, "method": report.method,
             "judge": report.judge, "concept": report.concept, "target": report.target}  # fmt: skip
    settings = {name: value for name, value in about.items() if value} | dict(report.settings)
    cards: list[Child] = [blocks.card("Settings", blocks.facts(settings)), _prompts(report)]
    if report.notes:
        cards.append(blocks.card("What the figures do not say", blocks.bullets(report.notes)))
    cards.append(cost_card(report.cost))
    return blocks.section("How it was measured", "", blocks.columns(*cards))


def _prompts(report: ProbeReport) -> Html | None:
    if not report.prompts:
        return None
    pairs = [el("li", one, el("small", other)) for one, other in report.prompts]
    return blocks.card("Prompts, and the same without it", el("ul", pairs, cls="pairs"))
