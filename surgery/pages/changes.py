"""Where weights changed, block by block; and how much is left and moved inside of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from surgery.pages import blocks
from surgery.pages.dots import Axis, Dot, Line, chart, key
from surgery.pages.heat import legend, level
from surgery.pages.html import Child, Html, el, style
from surgery.report import BlockChange, Drift, Leak, Spread, VerifyReport
from surgery.report.sets import number

FEWEST = 8
"""Columns of a row of blocks: shorter rows leave room, so that cells do not become bars."""

NUMBERED = re.compile(r"(?P<family>.*)\.(?P<at>\d{1,4})")
AT_ONCE = 40


def changes(report: VerifyReport) -> Html | None:
    """The section on the weights; None where nothing was compared."""
    if not report.blocks:
        return None
    most = max(one.relative_norm or 0.0 for one in report.blocks)
    about = "Each cell is a block of the networks, coloured by how much its weights changed, "
    about += "relative to their size. Blocks that are not shown, and hatched ones, did not change."
    drawn = [_family(name, some, most) for name, some in _families(report.blocks)]
    ramp = legend("change of the weights", end=_share(most), is_found=False)
    table = blocks.more("All figures as a table", _table(report.blocks))
    return blocks.section("Where weights changed", about, ramp, el("div", drawn, cls="card"), table)


def leak_and_drift(report: VerifyReport) -> Html | None:
    """The section on what `apply` measured inside the edited layers."""
    if not report.leaks and not report.drifts:
        return None
    about = "Measured inside the edited layers, without pictures. Leak is what is left of the way "
    about += (
        "from the concept to its target: 0 nothing, 1 all. Drift is how far other prompts moved."
    )
    looks = key(("now", True, "median, the line up to 95 % of them"), ("most", False, "largest"))
    cards = [_leaks(report.leaks), _drifts(report.drifts)]
    return blocks.section("Leak and drift", about, looks, cards)


def _families(changed: Sequence[BlockChange]) -> list[tuple[str, list[BlockChange]]]:
    """Blocks of one name but for their number, in the order in which they came."""
    names = dict.fromkeys(_family_of(one.block) for one in changed)
    return [(name, [one for one in changed if _family_of(one.block) == name]) for name in names]


def _family_of(block: str) -> str:
    found = NUMBERED.fullmatch(block)
    return found["family"] if found else block


def _at(block: str) -> int:
    found = NUMBERED.fullmatch(block)
    return int(found["at"]) if found else 0


def _family(name: str, changed: Sequence[BlockChange], most: float) -> Html:
    places = {_at(one.block): one for one in changed}
    wide = max(FEWEST, max(places) + 1)
    cells = [_cell(places.get(at), most) for at in range(max(places) + 1)]
    is_numbered = NUMBERED.fullmatch(changed[0].block) is not None
    numbers = [el("span", el("span", str(at)), cls="at") for at in range(len(cells))]
    rows: list[Child] = [cells, *([_filled(numbers, wide)] if is_numbered else [])]
    look = "heat plain many" if wide > 24 else "heat plain"
    grid = el("div", _filled(cells, wide), rows[1:], cls=look, style=style(n=wide), data_wide=wide)
    words = f"change of each block of {name}"
    box = el("div", grid, cls="scroll", role="group", aria_label=words)
    return el("div", el("h3", name.replace("/", ": ")), box, cls="chart")


def _filled(cells: Sequence[Html], wide: int) -> list[Html]:
    return [*cells, *(el("span") for _ in range(wide - len(cells)))]


def _cell(change: BlockChange | None, most: float) -> Html:
    if change is None:
        return el("button", type="button", cls="cell none", disabled=True)
    strength = (change.relative_norm or 0.0) / most if most else 0.0
    words = " · ".join([
        change.block.replace("/", ": "),
        f"changed by {_share(change.relative_norm)} of their size",
        f"{change.tensors} of {change.of} tensors",
        f"largest change of a number {_figure(change.max_abs)}",
    ])  # fmt: skip
    return el("button", el("span", _share(change.relative_norm)), type="button",
              cls=f"cell e{level(strength)}", aria_label=words)  # fmt: skip


def _table(changed: Sequence[BlockChange]) -> Html:
    columns = ("block", "tensors", "change of the weights", "largest change")
    rows = [
        [one.block, f"{one.tensors} of {one.of}", _share(one.relative_norm), _figure(one.max_abs)]
        for one in changed
    ]
    return blocks.table("What changed, by block", columns, rows)


def _leaks(leaks: Sequence[Leak]) -> Html | None:
    if not leaks:
        return None
    several = len({leak.concept for leak in leaks}) > 1
    lines = [
        _line(
            f"{leak.concept}, {leak.wording}" if several else leak.wording,
            f"becomes {leak.target or 'nothing'}",
            leak.figure,
        )
        for leak in leaks
    ]
    return _card("Leak", "what is left", lines, [leak.figure for leak in leaks])


def _drifts(drifts: Sequence[Drift]) -> Html | None:
    if not drifts:
        return None
    lines = [_line(_drift_name(one), _most(one), one.figure) for one in drifts]
    return _card("Drift", "how far prompts moved", lines, [one.figure for one in drifts])


def _drift_name(drift: Drift) -> str:
    return f"{drift.group}, {drift.path}" if drift.path else drift.group


def _most(drift: Drift) -> str:
    moved = ", ".join(one.prompt for one in drift.most[:2])
    return f"{drift.prompts:,} prompts" + (f"; most: {moved}" if moved else "")


def _card(title: str, what: str, lines: Sequence[Line], figures: Sequence[Spread]) -> Html:
    high = max(1.0, *(one.max for one in figures))
    axis = Axis(what, 0, high, ("0", number(high)))
    rest = lines[AT_ONCE:]
    more = blocks.more(f"{len(rest)} more", chart(axis, rest)) if rest else None
    return blocks.card(title, chart(axis, lines[:AT_ONCE]), more)


def _line(name: str, note: str, figure: Spread) -> Line:
    dots = (
        Dot(figure.median, figure.median, figure.p95),
        Dot(figure.max, figure.max, figure.max, "most"),
    )
    shown: list[Child] = [el("b", number(figure.median)), f", at most {number(figure.max)}"]
    words = f"median {number(figure.median)}, 95 % below {number(figure.p95)}, "
    return Line(name, note, dots, shown, words + f"at most {number(figure.max)}")


def _share(share: float | None) -> str:
    if share is None:
        return "-"
    return f"{100 * share:.3g} %" if share else "0 %"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
