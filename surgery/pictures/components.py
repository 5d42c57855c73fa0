"""The picture of scores of components: what speaks for a concept and against it, layer by layer."""

from __future__ import annotations

from PIL import Image

from surgery.pictures.pen import Pen, Rgb, cut
from surgery.pictures.sheet import FAINT
from surgery.report import ComponentReport, SiteScores
from surgery.report.findings import percent
from surgery.store.text import visible

WIDTH, MARGIN, ROW, TOP = 1200, 32, 26, 148
MIDDLE, REACH = 680, 400
"""Where the two sides meet, and how far the longer one goes."""
FOR, AGAINST = (43, 92, 168), (196, 108, 52)


def component_chart(report: ComponentReport) -> Image.Image:
    """Two bars for each weight, from a line in the middle: against the concept, and for it."""
    pen = Pen(WIDTH, TOP + ROW * len(report.sites) + MARGIN)
    title = f"{report.concept} in {report.model}: what its {report.unit}s count"
    pen.text((MARGIN, MARGIN), cut(visible(title), 24, WIDTH - 2 * MARGIN), size=24, anchor="la")
    about = f"{report.method}; shares of all that speaks for it, and of all that speaks against it"
    pen.text((MARGIN, MARGIN + 40), visible(about), FAINT, size=17, anchor="la")
    pen.text((MIDDLE - 12, TOP - 14), "against it", AGAINST, size=14, anchor="rs")
    pen.text((MIDDLE + 12, TOP - 14), "for it", FOR, size=14, anchor="ls")
    shares = [_shares(one, report) for one in report.sites]
    most = max((max(pair) for pair in shares), default=0) or 1
    for number, (one, (towards, against)) in enumerate(zip(report.sites, shares, strict=True)):
        top = TOP + ROW * number
        pen.text((MARGIN, top + ROW / 2), visible(one.site), size=14, anchor="lm")
        _bar(pen, top, towards / most, towards, FOR)
        _bar(pen, top, -against / most, against, AGAINST)
    pen.line(((MIDDLE, TOP - 6), (MIDDLE, TOP + ROW * len(shares))), FAINT)
    return pen.finished()


def _shares(one: SiteScores, report: ComponentReport) -> tuple[float, float]:
    towards = one.towards / report.towards if report.towards else 0.0
    against = one.against / report.against if report.against else 0.0
    return towards, against


def _bar(pen: Pen, top: float, reach: float, share: float, colour: Rgb) -> None:
    """A bar to the right or, below zero, to the left, with its figure at the end."""
    if not share:
        return
    end = MIDDLE + reach * REACH
    left, right = min(MIDDLE, end), max(MIDDLE, end)
    pen.box((left, top + 5, right, top + ROW - 5), colour)
    side = 1 if reach > 0 else -1
    anchor = "lm" if side > 0 else "rm"
    pen.text((end + 8 * side, top + ROW / 2), percent(share), FAINT, size=14, anchor=anchor)
