"""The picture of a probe: how far each place goes, over layers, over tokens, over concepts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from surgery.pictures.pen import Pen, cut, length, wrapped
from surgery.pictures.sheet import FAINT, INK, RED
from surgery.report import ProbeReport, Score, SurveyReport
from surgery.report.findings import headline, title
from surgery.report.panels import Panel, marked, panels, place, profile, row, tokens
from surgery.store.text import visible

WIDTH, MARGIN, LABELS = 1200, 32, 190
TITLE, TEXT, SMALL = 24, 17, 14
HEAD, CELL, BARS, GAP = 34, 30, 190, 26
ROOM = 28
"""Width from which on a figure is written into a cell."""

GRID, EMPTY = (226, 226, 220), (244, 244, 240)
RAMP = ("f0f1ea", "deecde", "cbe6d2", "a9d9cb", "84cbc4", "62b1c2", "3f97bf", "347ab4", "2b5ca8",
        "244186", "1c2766")  # fmt: skip
"""Colours from none to all of the effect: ever darker, so that no one needs to tell hues apart."""

Cell = tuple[Score, int, int]


@dataclass(frozen=True, slots=True)
class Line:
    """A row of cells: each a score, the first column that it takes, and the one after its last."""

    label: str
    cells: tuple[Cell, ...]
    found: Score | None


@dataclass(frozen=True, slots=True)
class Band:
    """Rows that share their columns.

    Args:
        names: of the columns, and `axis` what they count.
        is_bars: one row, drawn as bars with their intervals.
    """

    title: str
    lines: tuple[Line, ...]
    names: tuple[str, ...]
    is_bars: bool = False
    axis: str = "layers"

    @property
    def shows(self) -> bool:
        """Whether a strip says in how many pictures the concept still shows."""
        return self.is_bars and any(score.shown for score, _, _ in self.lines[0].cells)

    @property
    def height(self) -> int:
        rows = BARS + 8 + CELL * self.shows if self.is_bars else CELL * len(self.lines)
        return HEAD + rows + 24 + GAP


def heat_map(report: ProbeReport | SurveyReport) -> Image.Image:
    """Draws a report, light, 1200 pixels wide and as high as it has rows.

    Args:
        report: bars for windows of layers, else a map for each kind of layer; of a survey a row
            for each concept.
    """
    bands = _sorts(report) if isinstance(report, SurveyReport) else _kinds(report)
    lines = wrapped(visible(headline(report)), TEXT, WIDTH - 2 * MARGIN, 3)
    top = MARGIN + 40 + 24 * len(lines) + GAP
    pen = Pen(WIDTH, top + sum(band.height for band in bands) + 56)
    pen.text(
        (MARGIN, MARGIN),
        cut(visible(title(report)), TITLE, WIDTH - 2 * MARGIN),
        size=TITLE,
        anchor="la",
    )
    for number, line in enumerate(lines):
        pen.text((MARGIN, MARGIN + 40 + 24 * number), line, FAINT, size=TEXT, anchor="la")
    for band in bands:
        _draw_band(pen, band, top)
        top += band.height
    has_found = any(line.found for band in bands for line in band.lines)
    _legend(pen, has_found=has_found, has_bars=any(band.is_bars for band in bands))
    return pen.finished()


def colour(share: float) -> tuple[int, int, int]:
    """The colour of a share; what lies outside 0 to 1 has the colour of its end."""
    code = RAMP[round(10 * min(1.0, max(0.0, share)))]
    return int(code[:2], 16), int(code[2:4], 16), int(code[4:], 16)


def _kinds(report: ProbeReport) -> tuple[Band, ...]:
    found, kinds = marked(report), panels(report.scores)
    if len(kinds) == 1 and kinds[0].columns == ("",):
        scores = profile(kinds[0])
        line = Line("effect", tuple((one, at, at + 1) for at, one in enumerate(scores)), found)
        return (Band(f"{kinds[0].title} layers", (line,), _names(kinds[0].sites), is_bars=True),)
    return tuple(_kind(panel, found) for panel in kinds)


def _kind(panel: Panel, found: Score | None) -> Band:
    lines = tuple(
        Line(
            tokens(column) if column else "effect, in %",
            tuple(
                (score, at, at + 1)
                for at, site in enumerate(panel.sites)
                if (score := panel.cells.get((site, column)))
            ),
            found,
        )
        for column in panel.columns
    )
    return Band(panel.title, lines, _names(panel.sites))


def _sorts(report: SurveyReport) -> tuple[Band, ...]:
    wide = max((row(one)[-1][2] for one in report.reports if one.scores), default=1)
    names = tuple(str(layer) for layer in range(wide))
    return tuple(
        Band(
            sort or "other",
            tuple(
                Line(one.concept, row(one), marked(one))
                for one in report.reports
                if one.sort == sort
            ),
            names,
            axis="from layer",
        )
        for sort in dict.fromkeys(one.sort for one in report.reports)
    )


def _names(sites: Sequence[str]) -> tuple[str, ...]:
    return tuple(spot.layers if (spot := place(site)) else "" for site in sites)


def _draw_band(pen: Pen, band: Band, top: float) -> None:
    step = (WIDTH - 2 * MARGIN - LABELS) / max(1, len(band.names))
    name = cut(visible(band.title), TEXT, WIDTH - 2 * MARGIN)
    pen.text((MARGIN, top), name[:1].upper() + name[1:], size=TEXT, anchor="la")
    top += HEAD
    if band.is_bars:
        top = _draw_bars(pen, band, top, step)
    else:
        for line in band.lines:
            _draw_line(pen, line, top, step)
            top += CELL
    pen.text((MARGIN, top + 6), band.axis, FAINT, size=SMALL, anchor="la")
    _draw_names(pen, band.names, top + 6, step)


def _draw_bars(pen: Pen, band: Band, top: float, step: float) -> float:
    """Bars, whiskers and the strip below them; where the next row begins."""
    line, floor = band.lines[0], top + BARS
    for share in (0.0, 0.5, 1.0):
        high = floor - share * BARS
        pen.line([(MARGIN + LABELS, high), (WIDTH - MARGIN, high)], GRID)
        pen.text((MARGIN + LABELS - 12, high), f"{share:.0%}", FAINT, size=SMALL, anchor="rm")
    for score, first, end in line.cells:
        left, right = _edges(first, end, step)
        inset = min(12.0, 0.15 * step)
        high = floor - max(0.01, _within(score.effect)) * BARS
        pen.box((left + inset, high, right - inset, floor), colour(score.effect), FAINT)
        _draw_interval(pen, score, (left + right) / 2, floor)
        if score is line.found:
            pen.box((left, top - 6, right, floor + 4 + CELL * band.shows), None, RED, wide=2)
    if not band.shows:
        return floor + 8
    _draw_shown(pen, line, floor + 4, step)
    return floor + 8 + CELL


def _draw_interval(pen: Pen, score: Score, middle: float, floor: float) -> None:
    if score.low is None or score.high is None:
        return
    low, high = (floor - _within(one) * BARS for one in (score.low, score.high))
    for colour_of, wide in (((255, 255, 255), 3), (INK, 1)):
        pen.line([(middle, low), (middle, high)], colour_of, wide)
    for end in (low, high):
        pen.line([(middle - 4, end), (middle + 4, end)], INK)


def _draw_shown(pen: Pen, line: Line, top: float, step: float) -> None:
    pen.text((MARGIN, top + CELL / 2), "still shown, in %", FAINT, size=SMALL, anchor="lm")
    for score, first, end in line.cells:
        if score.shown:
            _draw_cell(pen, (first, end, step), top, 1 - score.shown.value, score.shown.value)


def _draw_line(pen: Pen, line: Line, top: float, step: float) -> None:
    label = cut(visible(line.label), SMALL, LABELS - 14)
    pen.text((MARGIN, top + CELL / 2), label, FAINT, size=SMALL, anchor="lm")
    for score, first, end in line.cells:
        _draw_cell(pen, (first, end, step), top, score.effect, score.effect)
    for score, first, end in line.cells:
        if score is line.found:
            left, right = _edges(first, end, step)
            pen.box((left - 1, top - 1, right + 1, top + CELL - 1), None, RED, wide=3)


def _draw_cell(
    pen: Pen, columns: tuple[int, int, float], top: float, dark: float, figure: float
) -> None:
    left, right = _edges(*columns)
    fill = colour(dark)
    pen.box((left + 1, top + 1, right - 1, top + CELL - 3), fill)
    words = f"{round(100 * figure)}"
    if right - left >= max(ROOM, length(words, SMALL) + 6):
        ink = INK if sum(fill) > 400 else (255, 255, 255)
        pen.text(((left + right) / 2, top + CELL / 2 - 1), words, ink, size=SMALL, anchor="mm")


def _draw_names(pen: Pen, names: Sequence[str], top: float, step: float) -> None:
    widest = max((length(name, SMALL) for name in names), default=0)
    every = next((one for one in (1, 2, 5, 10) if one * step > widest + 6), 20)
    for at, name in enumerate(names):
        if at % every == 0:
            middle = sum(_edges(at, at + 1, step)) / 2
            pen.text((middle, top), name, FAINT, size=SMALL, anchor="ma")


def _legend(pen: Pen, *, has_found: bool, has_bars: bool) -> None:
    middle, left = pen.height - 40, MARGIN + 44
    pen.text((MARGIN, middle), "0 %", FAINT, size=SMALL, anchor="lm")
    for level in range(len(RAMP)):
        pen.box((left, middle - 7, left + 22, middle + 7), colour(level / 10))
        left += 22
    words = "100 % of the effect" + (", the line its 95 % interval" if has_bars else "")
    words += "; layers counted from 0, as they run"
    pen.text((left + 12, middle), words, FAINT, size=SMALL, anchor="lm")
    if has_found:
        left += 12 + round(length(words, SMALL)) + 24
        pen.box((left, middle - 8, left + 16, middle + 8), None, RED, wide=2)
        pen.text((left + 26, middle), "found here", FAINT, size=SMALL, anchor="lm")


def _edges(first: int, end: int, step: float) -> tuple[float, float]:
    return MARGIN + LABELS + first * step, MARGIN + LABELS + end * step


def _within(share: float) -> float:
    return min(1.0, max(0.0, share))
