"""What a sweep found, for reading: a plot, the front, and the point that was taken."""

from __future__ import annotations

from collections.abc import Mapping
from shutil import get_terminal_size
from typing import TYPE_CHECKING

from surgery.cli.page import Line, Page, Table, number, plural
from surgery.cli.scatter import HIGH, MOST, Mark, scatter

if TYPE_CHECKING:
    from surgery.pictures.pareto import Chart
    from surgery.tune import Grid
    from surgery.tune.points import Point, TuneReport

SIGNS = {"missed": "-", "beaten": "·", "front": "o"}
NOW, CHOSEN = "x", "@"
GROUPS = {
    "prompts": "the edit's prompts, every place tried",
    "own": "the edit's prompts at its own places",
    "wordings": "other wordings",
    "neutral": "neutral prompts",
    "held": "what is held",
}
MEASURES = {"median": "median", "p95": "95 %", "max": "largest"}
REASONS = {
    "knee": "the knee: farthest below the line through the front's ends",
    "leak": "the least leak of the front",
    "drift": "the least drift of the front",
}


def grid_page(grid: Grid) -> Page:
    """The axes, and how many points they make."""
    rows = tuple((key, ", ".join(map(shown, values))) for key, values in grid.axes.items())
    title = f"Settings of {grid.recipe.name}, edits[{grid.number}] ({grid.edit.method})"
    return [
        Table(title, ("setting", "values"), rows),
        Line(f"{plural(len(grid.trials), 'point')}; dry run: nothing was solved", "quiet"),
    ]


def tune_page(report: TuneReport, chart: Chart, wish: str) -> Page:
    """The plot, the front's points, and the one that was taken."""
    count, beaten = len(report.points), len(report.points) - len(report.front)
    missed = sum(bool(point.missed) for point in report.points)
    took = sum(report.seconds.values())
    head = f"{plural(count, 'point')} of {report.recipe} on {report.model} in {took:.1f} s"
    rest = f"{beaten:,} are beaten or miss what the recipe expects ({missed:,})"
    page: list[Line | Table] = [Line(head, "title")]
    page += [Line(text) for text in _plot(report, chart)]
    signs = f"{SIGNS['front']} front   {SIGNS['beaten']} beaten   {NOW} as it was   {CHOSEN} chosen"
    if missed:
        signs += f"   {SIGNS['missed']} misses what the recipe expects"
    page.append(Line(f"       {signs}", "quiet"))
    if outside := chart.outside():
        page.append(Line(f"       {plural(outside, 'point')} farther out", "quiet"))
    page.append(_front(report))
    page.append(Line(f"{rest}; --format json lists all" if missed else _beaten(beaten), "quiet"))
    page += _chosen(report, wish)
    return page


def chart_of(report: TuneReport) -> Chart:
    """The report as it is drawn."""
    from surgery.pictures.pareto import Chart, Dot, Kind

    front = set(report.front)
    dots = []
    for place, point in enumerate(report.points):
        leak, drift = report.costs(place)
        kind: Kind = "front" if place in front else "missed" if point.missed else "beaten"
        dots.append(Dot(drift, leak, kind))
    chosen = report.points[report.chosen]
    return Chart(
        title=f"{report.recipe}: what is left against what else moves",
        subtitle=f"{report.method} on {report.model}, {plural(len(dots), 'point')}",
        drift=f"drift: {figure_name(report.drift)} (0 is unmoved)",
        leak=f"leak: {figure_name(report.leak)} (0 nothing left, 1 all)",
        dots=dots,
        now=0,
        chosen=report.chosen,
        note=settings_text(chosen.settings),
    )


def figure_name(name: str) -> str:
    """`prompts-median` as people say it."""
    group, _, measure = name.partition("-")
    return f"{MEASURES[measure]} of {GROUPS[group]}"


def settings_text(settings: Mapping[str, str | float | bool | None]) -> str:
    """Settings on one line, as --grid takes them."""
    return "  ".join(f"{key}={shown(value)}" for key, value in settings.items())


def shown(value: str | float | bool | None) -> str:
    """A value as a recipe writes it."""
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    return f"{value:g}" if isinstance(value, float) else str(value)


def _plot(report: TuneReport, chart: Chart) -> list[str]:
    order = ("missed", "beaten", "front")
    dots = sorted(chart.dots, key=lambda dot: order.index(dot.kind))
    marks = [Mark(dot.drift, dot.leak, SIGNS[dot.kind]) for dot in dots]
    for place, sign in ((0, NOW), (report.chosen, CHOSEN)):
        marks.append(Mark(chart.dots[place].drift, chart.dots[place].leak, sign))
    width = get_terminal_size((MOST, HIGH)).columns
    return scatter(marks, chart.reach(), (chart.drift, chart.leak), width)


def _front(report: TuneReport) -> Table:
    keys = tuple(report.axes)
    places = list(report.front)
    places += [place for place in dict.fromkeys((report.chosen, 0)) if place not in places]
    rows = tuple(
        (
            str(place),
            *(shown(report.points[place].settings[key]) for key in keys),
            *map(number, report.costs(place)),
            *_others(report.points[place]),
            _remark(report, place),
        )
        for place in places
    )
    columns = ("point", *keys, "leak", "drift", "wordings", "moved most", "")
    right = frozenset({0, *range(len(keys) + 1, len(keys) + 5)})
    title = "The front, from least drift to least leak"
    return Table(title, columns, rows, right=right)


def _others(point: Point) -> tuple[str, str]:
    """Figures beside those that were chosen: other wordings, and the most that anything moved."""
    wordings = point.wordings.median if point.wordings else None
    return number(wordings), number(point.neutral.max)


def _remark(report: TuneReport, place: int) -> str:
    remarks = [
        *(["chosen"] if place == report.chosen else []),
        *(["as it was"] if place == 0 else []),
        *(["beaten"] if place not in report.front and not report.points[place].missed else []),
        *(["misses a limit"] if report.points[place].missed else []),
    ]
    return ", ".join(remarks)


def _beaten(beaten: int) -> str:
    verb = "is" if beaten == 1 else "are"
    return f"{plural(beaten, 'point')} {verb} beaten on both counts; --format json lists all"


def _chosen(report: TuneReport, wish: str) -> list[Line]:
    (leak, drift), (old_leak, old_drift) = report.costs(report.chosen), report.costs(0)
    reason = REASONS.get(wish, "as you asked")
    change = settings_text(report.changes) or "nothing to change"
    page = [
        Line(f"point {report.chosen}, {reason}: {change}", "good"),
        Line(
            f"leak {number(old_leak)} -> {number(leak)}, "
            f"drift {number(old_drift)} -> {number(drift)}"
        ),
    ]
    missed = report.points[report.chosen].missed
    if missed:
        page.append(Line(f"it misses what the recipe expects: {'; '.join(missed)}", "warn"))
    if "where" in report.axes:
        text = "leak and drift are of the edited matrices alone, and do not say what they control"
        page.append(Line(f"{text}: paint before you trust a place", "warn"))
    return page
