"""What a probe found, for reading in a terminal."""

from __future__ import annotations

from surgery.cli.page import Line, Page, Table, plural
from surgery.report import ProbeReport, Score, SurveyReport
from surgery.report.findings import headline, percent

BAR = 12
EIGHTHS = " ▏▎▍▌▋▊▉█"
FEW = 12


def probe_page(report: ProbeReport | SurveyReport) -> Page:
    """The figures, what they say, and what they do not say."""
    return survey_page(report) if isinstance(report, SurveyReport) else concept_page(report)


def concept_page(report: ProbeReport) -> Page:
    """One concept: the places with their figures, and the verdict."""
    title = f"{report.concept} ({report.sort}) in {report.model}, {report.method}"
    table = _grid(report, title) if _is_grid(report) else _list(report, title)
    lines = [Line(headline(report), "good" if report.found else "warn")]
    return [table, *lines, *_small_print(report)]


def survey_page(report: SurveyReport) -> Page:
    """Styles, objects and facts: where each sort is kept, and each concept."""
    rows = tuple(
        (
            one.sort,
            one.site,
            percent(one.effect),
            f"{one.agreeing} of {one.count}",
        )
        for one in report.sorts
    )
    columns = ("kind", "kept in", "effect", "concepts that agree")
    sorts = Table(f"Where {report.model} keeps what, {report.method}", columns, rows)
    each = tuple((one.concept, one.sort, *_best(one)) for one in report.reports)
    heads = ("concept", "kind", "best place", "effect", "still shown")
    return [sorts, Table("Each concept", heads, each), *_small_print(*report.reports)]


def _best(report: ProbeReport) -> tuple[str, str, str]:
    best = max(report.scores, key=lambda score: score.effect)
    return best.name, percent(best.effect), _shown(best)


def _list(report: ProbeReport, title: str) -> Table:
    """A row for each place; of very many the ones with the largest effects."""
    shown = report.scores
    if len(shown) > 2 * FEW and report.method not in ("quick", "locogen", "weights"):
        shown = tuple(sorted(shown, key=lambda score: -score.effect)[:FEW])
        title += f" (the {FEW} largest of {len(report.scores)})"
    columns = ("place", "effect", "", "95 %", "still shown", "score")
    rows = tuple(_row(score, report) for score in (*report.anchors, *shown))
    if report.checked:
        full = {score.site: percent(score.effect) for score in report.checked}
        columns = (*columns[:4], "in full", *columns[4:5])
        rows = tuple((*row[:4], full.get(row[0], "-"), *row[4:5]) for row in rows)
    return Table(title, columns, rows, frozenset({1, len(columns) - 1} - {4}))


def _row(score: Score, report: ProbeReport) -> tuple[str, ...]:
    is_anchor = score in report.anchors
    place = f"({score.site})" if is_anchor else score.name
    mark = "  ←" if score.site == report.found else ""
    return (
        place,
        percent(score.effect),
        bar(score.effect) + mark,
        _interval(score),
        _shown(score),
        _score(score.mean),
    )


def _grid(report: ProbeReport, title: str) -> Table:
    columns = tuple(dict.fromkeys(score.column for score in report.scores))
    sites = dict.fromkeys(score.site for score in report.scores)
    effects = {(score.site, score.column): score.effect for score in report.scores}
    rows = tuple((site, *(_cell(effects.get((site, one))) for one in columns)) for site in sites)
    right = frozenset(range(1, len(columns) + 1))
    return Table(f"{title}: effect", ("layer", *columns), rows, right)


def _cell(effect: float | None) -> str:
    return "-" if effect is None else percent(effect)


def _score(score: float) -> str:
    return "0" if abs(score) < 0.0005 else f"{score:.3g}"


def _is_grid(report: ProbeReport) -> bool:
    return any(score.column for score in report.scores)


def bar(effect: float, width: int = BAR) -> str:
    """A bar of a share, 0 to 1."""
    eighths = round(max(0.0, min(1.0, effect)) * width * 8)
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()


def _interval(score: Score) -> str:
    if score.low is None or score.high is None:
        return "-"
    return f"{percent(score.low)} to {percent(score.high)}"


def _shown(score: Score) -> str:
    if score.shown is None:
        return "-"
    return f"{percent(score.shown.value)} of {score.shown.count}"


def _small_print(*reports: ProbeReport) -> list[Line]:
    notes = dict.fromkeys(note for report in reports for note in report.notes)
    costs = [report.cost for report in reports if report.cost]
    evaluations, kept = sum(one.evaluations for one in costs), sum(one.kept for one in costs)
    spent = [
        f"{evaluations:,} denoiser evaluations",
        f"{sum(one.seconds for one in costs):.1f} s",
        f"{max((one.peak_mb for one in costs), default=0):,.0f} MB",
        f"judge {reports[0].judge}",
    ]
    if kept:
        spent.append(f"{plural(kept, 'measurement')} kept from before")
    return [*(Line(note, "quiet") for note in notes), Line(", ".join(spent), "quiet")]
