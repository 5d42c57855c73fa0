"""The page of scores of components: layers on both sides, and the components that stand out."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from surgery.pages import blocks
from surgery.pages.frame import page
from surgery.pages.html import Child, Html, el, style, unbroken
from surgery.report import Component, ComponentReport, SiteScores
from surgery.report.findings import percent
from surgery.store.text import visible


def component_page(report: ComponentReport) -> str:
    """A self-contained page of HTML; the same text for equal reports."""
    parts = (_hero(report), _layers(report), _components(report), _use(report), _how(report))
    title = f"{report.concept}: what the {report.unit}s of {report.model} count"
    about = f"components by {report.method}"
    return page(title, about, el("div", parts), styles=("components.css",), scripts=())


def _hero(report: ComponentReport) -> Html:
    sort = f", {report.sort}" if report.sort else ""
    lead = el("p", el("b", report.concept), f"{sort}, in ", el("b", report.model), cls="lead")
    return el("div", lead, el("h1", unbroken(_headline(report))), blocks.tiles(_figures(report)))


def _headline(report: ComponentReport) -> str:
    if not report.towards:
        return f"No {report.unit} speaks for {report.concept}."
    most = max(report.sites, key=lambda one: one.towards)
    share = percent(most.towards / report.towards)
    return f"{most.site} holds {share} of all that speaks for {report.concept}."


def _figures(report: ComponentReport) -> Iterable[tuple[str, str, str]]:
    count = sum(one.count for one in report.sites)
    yield "scored", f"{count:,} {report.unit}s", f"in {len(report.sites)} matrices"
    for name, side in (("for it", "positive"), ("against it", "negative")):
        own = sum(getattr(one, side) for one in report.sites)
        yield f"speak {name}", percent(own / count), f"{own:,} of them"
    if (found := report.linearity) is not None:
        interval = f"95 % interval {found.low:.2f} to {found.high:.2f}, {found.count} masks"
        yield "foretold and true change", f"r = {found.r:.2f}", interval
    if report.cost is not None:
        spent = f"{report.cost.evaluations:,} denoiser runs, {report.cost.peak_mb:,.0f} MB at most"
        yield "cost", f"{report.cost.seconds:.3g} s", spent


def _layers(report: ComponentReport) -> Html:
    about = "Each weight's share of all that speaks for the concept, and of all that speaks "
    about += "against it. Layers are counted from 0, in the order in which they run."
    shares = [(one, *_shares(one, report)) for one in report.sites]
    most = max((max(towards, against) for _, towards, against in shares), default=0) or 1
    head = el("div", el("span"), el("span", "against it"), el("span", "for it"), cls="side head")
    rows = [_row(*one, most) for one in shares]
    table = blocks.table(
        "All weights",
        ("weight", f"{report.unit}s", "for it", "against it", "share for it", "share against it"),
        [_cells(*one) for one in shares],
    )
    more = blocks.more("All figures as a table", table)
    return blocks.section("Where they are", about, el("div", head, rows, cls="card sides"), more)


def _row(one: SiteScores, towards: float, against: float, most: float) -> Html:
    label = f"{one.site}: {percent(towards)} of all for it, {percent(against)} of all against it"
    bars = [
        el("span", el("i", style=style(to=share / most)), el("small", percent(share)), cls=side)
        for side, share in (("against", against), ("towards", towards))
    ]
    return el("div", el("span", one.site), bars, cls="side", role="img", aria_label=label)


def _cells(one: SiteScores, towards: float, against: float) -> list[str]:
    counts = (one.count, one.positive, one.negative)
    return [one.site, *(f"{count:,}" for count in counts), percent(towards), percent(against)]


def _shares(one: SiteScores, report: ComponentReport) -> tuple[float, float]:
    towards = one.towards / report.towards if report.towards else 0.0
    return towards, one.against / report.against if report.against else 0.0


def _components(report: ComponentReport) -> Html:
    about = "The place is the weight, then row and column, counted from 0."
    cards = [
        blocks.card(title, _list(title, side))
        for title, side in (
            ("They speak for it", report.positive),
            ("They speak against it", report.negative),
        )
        if side
    ]
    return blocks.section(f"The {report.unit}s that stand out", about, blocks.columns(*cards))


def _list(title: str, side: Sequence[Component]) -> Html:
    rows = [[one.name, f"{one.score:.3g}"] for one in side]
    return blocks.table(title, ("component", "score"), rows)


def _use(report: ComponentReport) -> Html:
    about = "The first line keeps the scores and drafts a recipe that masks by them, the second "
    about += "applies it, the third tries masks of several sizes without scoring anew."
    probe = ["surgery", "probe", report.model, "--concept", report.concept]
    probe += ["--method", report.method, "--scores", "scores.safetensors", "--recipe", "mask.yaml"]
    commands = [probe, ["surgery", "apply", "mask.yaml"], ["surgery", "tune", "mask.yaml"]]
    lines = blocks.code(shlex.join(map(visible, words)) for words in commands)
    return blocks.section("What to do with it", about, lines)


def _how(report: ComponentReport) -> Html:
    about = {"model": report.model, "fingerprint": report.fingerprint, "method": report.method,
             "concept": report.concept, "target": report.target}  # fmt: skip
    cards: list[Child] = [blocks.card("Settings", blocks.facts(about | dict(report.settings)))]
    pairs = [el("li", one, el("small", other or "(nothing)")) for one, other in report.prompts]
    cards.append(blocks.card("Prompts, and the same without it", el("ul", pairs, cls="pairs")))
    if report.notes:
        cards.append(blocks.card("What the figures do not say", blocks.bullets(report.notes)))
    return blocks.section("How it was scored", "", blocks.columns(*cards))
