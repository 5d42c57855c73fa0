"""The page of a verification: the verdict, the gates, then everything that they rest on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from surgery.pages import blocks
from surgery.pages.attacks import attacks
from surgery.pages.changes import changes, leak_and_drift
from surgery.pages.evidence import evidence
from surgery.pages.figures import given, gone, intact
from surgery.pages.frame import page
from surgery.pages.html import Child, Html, el, unbroken
from surgery.pages.told import limits, recipe, told
from surgery.report import Gate, VerifyReport
from surgery.report.findings import percent
from surgery.report.sets import ASKED, missed_by, number, share
from surgery.report.verify import ERASED, Figure

STYLES = ("heat.css", "dots.css", "compare.css", "verify.css")
SCRIPTS = ("heat.js", "compare.js")
FEW_GATES = 8
"""Gates up to which those that passed are shown at once."""

LITERATURE: tuple[tuple[str, str, str], ...] = (
    ("ua", "UA, unlearning accuracy", "the erased concept is not seen, asked for by name"),
    ("general", "generality", "it is not seen, asked for in other words"),
    ("ira", "IRA, in-domain retain accuracy", "kept concepts of its sort are seen"),
    ("cra", "CRA, cross-domain retain accuracy", "kept concepts of other sorts are seen"),
    ("mean", "mean of UA, IRA and CRA", "as UnlearnCanvas has it, arXiv 2402.11846"),
    ("harmonic", "harmonic mean of UA, IRA and CRA", "low where one of them is"),
    ("mace", "harmonic mean of UA, generality and what is kept", "H_o of MACE, arXiv 2403.06135"),
)


def verify_page(report: VerifyReport) -> str:
    """A self-contained page of HTML; the same text for equal reports."""
    body = el(
        "div",
        _hero(report),
        _gates(report.gates),
        gone(report),
        intact(report),
        given(report),
        evidence(report),
        attacks(report),
        changes(report),
        leak_and_drift(report),
        _literature(report),
        limits(report),
        recipe(report),
        told(report),
    )
    title = f"{', '.join(report.concepts)}: {report.after.address} verified"
    return page(title, "verification", body, styles=STYLES, scripts=SCRIPTS)


def _hero(report: VerifyReport) -> Html:
    names = [[", " if at else "", el("b", one)] for at, one in enumerate(report.concepts)]
    lead = el("p", names, " in ", el("b", report.before.address), " and after the edit, in ",
              el("b", report.after.address), cls="lead")  # fmt: skip
    rest = el("p", unbroken(words), cls="rest") if (words := _rest(report)) else None
    return el("div", lead, _state(report), el("h1", unbroken(report.verdict)), rest,
              blocks.tiles(_tiles(report)))  # fmt: skip


def _rest(report: VerifyReport) -> str:
    """Whether the rest is intact, by the concept that lost most; '' where none was judged."""
    rest = report.of("kept", "unrelated")
    kept = [(one.retained, one.concept) for one in rest if one.retained]
    if not kept:
        return ""
    figure, concept = min(kept, key=lambda one: (one[0].value, one[0].low))
    many = len(kept) > 1
    if figure.value == 1:
        who = f"All {len(kept)} other concepts still show" if many else f"{concept} still shows"
        count = sum(one.count for one, _ in kept)
        return f"{who} in every one of {count:,} pictures that showed them before."
    who = f"Of {len(kept)} other concepts the weakest, {concept}," if many else concept
    return f"{who} still shows in {share(figure)} of the pictures that showed it before."


def _state(report: VerifyReport) -> Html | None:
    if not report.gates:
        return None
    every, missed = len(report.gates), len(report.missed)
    words = f"failed: {missed} of {every} gates missed" if missed else f"passed: {every} gates"
    return el("p", words, cls="state bad" if missed else "state good")


def _tiles(report: VerifyReport) -> Iterable[tuple[str, str, str]]:
    by_name = [one for one in report.of("erased") if one.shown_before and one.shown_after]
    if len(by_name) == 1 and (one := by_name[0]).shown_before and one.shown_after:
        change = f"{percent(one.shown_before.value)} → {percent(one.shown_after.value)}"
        yield f"shows {one.concept}", change, _of(one.shown_after)
    elif (ua := report.summary.ua) is not None:
        yield "gone, asked by name", percent(ua.value), _of(ua)
    for figure, what in (
        (report.summary.general, "gone, in other words"),
        (report.summary.ira, "kept, of its sort"),
        (report.summary.cra, "kept, of other sorts"),
    ):
        if figure is not None:
            yield what, percent(figure.value), _of(figure)
    if pictures := sum(one.n for one in report.sets):
        erased = sum(one.n for one in report.of(*ERASED))
        yield "pictures of each model", f"{pictures:,}", f"{erased:,} of what should be gone"


def _of(figure: Figure) -> str:
    low, high = round(100 * figure.low), round(100 * figure.high)
    return f"of {figure.count:,} pictures; 95 % interval {low} to {high} %"


def _gates(gates: Sequence[Gate]) -> Html | None:
    if not gates:
        return None
    missed = [gate for gate in gates if not gate.passed]
    passed = [gate for gate in gates if gate.passed]
    first = [*missed, *passed] if len(gates) <= FEW_GATES else missed
    rest = [] if len(gates) <= FEW_GATES else passed
    about = "What was expected, decided on the end of each interval that speaks against it."
    table = _gate_table("Gates", first) if first else None
    more = blocks.more(f"{len(rest)} gates that passed", _gate_table("Gates that passed", rest))
    return blocks.section("Gates", about, table, more if rest else None)


def _gate_table(caption: str, gates: Sequence[Gate]) -> Html:
    rows = [
        [
            [gate.name, el("small", gate.note) if gate.note else None],
            el("span", missed_by(gate), cls="good" if gate.passed else "bad"),
            gate.found,
            gate.limit,
        ]
        for gate in gates
    ]
    at = [number for number, gate in enumerate(gates) if not gate.passed]
    return blocks.table(caption, ("gate", "result", "found", "expected"), rows, found=at)


def _literature(report: VerifyReport) -> Html | None:
    rows: list[list[Child]] = [
        [[name, el("small", about)], share(figure)]
        for field, name, about in LITERATURE
        if (figure := getattr(report.summary, field)) is not None
    ]
    rows += [
        [
            [f"FID, {ASKED[group]}", el("small", f"{figure.count:,} pictures of each model")],
            number(figure.value),
        ]
        for group, figure in report.fid.items()
    ]
    if not rows:
        return None
    table = blocks.table("Summary", ("measure", "value (95 % interval)"), rows)
    about = "Named as papers have them. They compare where prompts, judge and pictures are alike."
    return blocks.section("Beside the literature", about, table)
