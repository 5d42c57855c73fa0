"""Charts of scores: bars over windows, strips over layers, layers by tokens. Figures on demand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from surgery.pages.html import Child, Html, el, style
from surgery.report import ProbeReport, Score
from surgery.report.findings import percent
from surgery.report.panels import (
    Panel,
    Place,
    in_words,
    marked,
    panels,
    place,
    profile,
    row,
    tokens,
)

LEVELS = 10
MANY = 24
"""Columns from which on they are narrow, and only each fifth is named."""

WORDY = 12
"""Columns up to which a window is named by all its layers, not by its first."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What is told apart in a chart: the found place, and the places with pictures (their keys)."""

    found: Score | None = None
    keys: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def attributes(self, score: Score, look: str) -> dict[str, str | None]:
        names = [look, f"e{level(score.effect)}", *(["found"] if score is self.found else [])]
        key = self.keys.get((score.site, score.column))
        return {"cls": " ".join(names), "aria_label": told(score), "data_key": key}


def charts(scores: Iterable[Score], marks: Marks) -> Html:
    """Bars for windows of one kind; else a heat map for each kind."""
    found = panels(scores)
    if len(found) == 1 and found[0].columns == ("",):
        return el("div", _bars(found[0], marks), cls="card")
    many = any(len(panel.sites) > MANY for panel in found)
    return el("div", [_grid(panel, marks, many=many) for panel in found], cls="card")


def strip(report: ProbeReport, wide: int) -> Html:
    """One row for a whole report: each place begins at its first layer, `wide` layers in all."""
    marks, cells = Marks(marked(report)), []
    for score, first, end in row(report):
        look = marks.attributes(score, "cell")
        across = f"grid-column:{first + 1}/{end + 1}"
        cells.append(el("span", el("span", _short(score)), role="img", style=across, **look))
    return el("span", cells, cls="strip", style=style(n=wide))


def ruler(spot: Place, layers: int) -> Html:
    """All layers, the found ones marked."""
    ticks = [
        el("i", cls="found" if spot.first <= one < spot.end else None) for one in range(layers)
    ]
    marked_ones = el("div", ticks, cls="ruler", style=style(n=layers), aria_hidden="true")
    ends = el("div", el("span", "first layer, 0"), el("span", f"last layer, {layers - 1}"),
              cls="ends")  # fmt: skip
    return el("div", marked_ones, ends)


def legend(words: str, *, end: str = "100 %", is_found: bool = True) -> Html:
    """How to read the colours, the darkest of which is `end`, and what marks the found place."""
    ramp = el("span", [el("i", cls=f"e{one}") for one in range(LEVELS + 1)], cls="ramp")
    mark = el("span", el("span", cls="key"), "found here", cls="found") if is_found else None
    return el("p", el("span", words), el("span", "0 %"), ramp, el("span", end), mark,
              cls="legend")  # fmt: skip


def level(share: float) -> int:
    """The colour of a share, 0 to 10; what lies outside 0 to 1 has the colour of its end."""
    return round(LEVELS * min(1.0, max(0.0, share)))


def told(score: Score) -> str:
    """Everything that is known of a place, its parts apart for the eye."""
    parts = [in_words(score), f"effect {percent(score.effect)}"]
    if score.low is not None and score.high is not None:
        parts[-1] += f", 95 % interval {round(100 * score.low)} to {round(100 * score.high)}"
    if score.shown:
        parts.append(f"shown in {percent(score.shown.value)} of {score.shown.count} pictures")
    parts.append(f"score {score.mean:.3g} ± {score.std:.2g} over {score.count} runs")
    return " · ".join(parts)


def _bars(panel: Panel, marks: Marks) -> Html:
    scores = profile(panel)
    rows: list[Child] = [_axis(), [_well(score, marks) for score in scores]]
    if any(score.shown for score in scores):
        rows += [el("span", "still shown, in %", cls="label"), [_shown(one) for one in scores]]
    rows += [_foot(panel)]
    return _heat(
        rows, len(scores), f"effect of each window of {panel.title} layers", many=len(scores) > MANY
    )


def _axis() -> Html:
    marks = [el("span", words) for words in ("100 %", "effect", "0 %")]
    return el("span", marks, cls="label axis", aria_hidden="true")


def _well(score: Score, marks: Marks) -> Html:
    low, high = (score.effect if one is None else one for one in (score.low, score.high))
    heights = {"e": score.effect, "lo": low, "hi": high}
    clipped = {name: min(1.0, max(0.0, one)) for name, one in heights.items()}
    whisker = el("span", cls="whisker") if score.low is not None else None
    return el("button", el("span", cls="fill"), whisker, type="button", style=style(**clipped),
              **marks.attributes(score, "well"))  # fmt: skip


def _shown(score: Score) -> Html:
    if score.shown is None:
        return el("span", cls="cell none")
    look = f"cell e{level(1 - score.shown.value)}"
    return el("span", el("span", f"{round(100 * score.shown.value)}"), cls=look, aria_hidden="true")


def _grid(panel: Panel, marks: Marks, *, many: bool) -> Html:
    rows: list[Child] = []
    for column in panel.columns:
        rows.append(el("span", tokens(column) if column else "effect, in %", cls="label"))
        rows.append([_cell(panel.cells.get((site, column)), marks) for site in panel.sites])
    rows.append(_foot(panel))
    chart = _heat(rows, len(panel.sites), f"effect of each layer: {panel.title}", many=many)
    return el("div", el("h3", panel.title[:1].upper() + panel.title[1:]), chart, cls="chart")


def _cell(score: Score | None, marks: Marks) -> Html:
    if score is None:
        return el("button", type="button", cls="cell none", disabled=True)
    number = el("span", _short(score))
    return el("button", number, type="button", **marks.attributes(score, "cell"))


def _foot(panel: Panel) -> list[Html]:
    """The row of layer numbers."""
    spots = [place(site) for site in panel.sites]
    is_whole = len(spots) <= WORDY or all(spot and spot.end == spot.first + 1 for spot in spots)
    names = [(spot.layers if is_whole else str(spot.first)) if spot else "" for spot in spots]
    step = 5 if len(spots) > WORDY else 1
    ticks = [
        el("span", el("span", name, cls=None if at % step else "tick"), cls="at")
        for at, name in enumerate(names)
    ]
    return [el("span", "layers" if is_whole else "from layer", cls="label"), *ticks]


def _heat(rows: Child, wide: int, label: str, *, many: bool) -> Html:
    look = "heat many" if many else "heat"
    grid = el("div", rows, cls=look, style=style(n=wide), data_wide=wide)
    return el("div", grid, cls="scroll", role="group", aria_label=label)


def _short(score: Score) -> str:
    return f"{round(100 * score.effect)}"
