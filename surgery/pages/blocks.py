"""The blocks that reports are put together from. What a report says in them is not known here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from surgery.pages.html import Child, Html, el, style, unbroken

MOST_BESIDE = 4
"""Pictures of one group that stand in one row."""


@dataclass(frozen=True, slots=True)
class Shots:
    """Pictures of one thing.

    Args:
        key: what a chart knows it by.
        note: what is to be said of them, in a few words.
        pngs: as base64 text.
    """

    key: str
    title: str
    note: str
    pngs: tuple[str, ...]
    found: bool = False


def section(title: str, about: str, *content: Child) -> Html:
    """A part of the page under a heading, with a sentence on how to read it."""
    return el("section", el("h2", title), el("p", about) if about else None, content)


def tiles(figures: Iterable[tuple[str, str, str]]) -> Html:
    """The few figures that matter most: what, how much, a note."""
    boxes = [
        el("div", el("dt", what), [el("dd", unbroken(one)) for one in (figure, note) if one])
        for what, figure, note in figures
    ]
    return el("dl", boxes, cls="tiles")


def table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Child]],
    *,
    words: int = 1,
    found: Iterable[int] = (),
) -> Html:
    """Rows under column titles, the first column a title too.

    Args:
        words: how many columns hold words; the others hold figures.
        found: rows to mark.
    """
    marked = set(found)
    sides = [None if at < words else "number" for at in range(len(columns))]
    titles = zip(columns, sides, strict=True)
    head = el("tr", [el("th", name, scope="col", cls=side) for name, side in titles])
    body = [
        el(
            "tr",
            el("th", row[0], scope="row"),
            [el("td", one, cls=side) for one, side in zip(row[1:], sides[1:], strict=True)],
            cls="found" if number in marked else None,
        )
        for number, row in enumerate(rows)
    ]
    whole = el("table", el("caption", caption), el("thead", head), el("tbody", body))
    return el("div", whole, cls="scroll", tabindex=0, role="region", aria_label=caption)


def facts(values: Mapping[str, object]) -> Html:
    """Names and their values."""
    return el("dl", [[el("dt", name), el("dd", _said(one))] for name, one in values.items()],
              cls="facts")  # fmt: skip


def card(title: str, *content: Child) -> Html:
    """A box with a title."""
    return el("div", el("h3", title), content, cls="card")


def columns(*cards: Child) -> Html:
    """Boxes beside each other where there is room."""
    return el("div", cards, cls="columns")


def code(lines: Iterable[str]) -> Html:
    """Lines to copy."""
    button = el("button", "Copy", type="button", cls="copy", hidden=True)
    return el("div", button, el("code", [[line, Html("\n")] for line in lines]), cls="code")


def more(title: str, *content: Child, is_open: bool = False) -> Html:
    """What is shown on demand."""
    return el("details", el("summary", title), content, cls="more", open=is_open)


def bullets(texts: Iterable[str]) -> Html:
    """One point under the other."""
    return el("ul", [el("li", text) for text in texts], cls="notes")


def gallery(shots: Sequence[Shots]) -> Html:
    """Groups of pictures, each with what it shows."""
    beside = min(MOST_BESIDE, max((len(one.pngs) for one in shots), default=1))
    return el("div", [_shots(one) for one in shots], cls="gallery", style=style(beside=beside))


def footer(*content: Child) -> Html:
    """What a page ends on."""
    return el("footer", content)


def _shots(shots: Shots) -> Html:
    words = el("figcaption", el("b", shots.title), el("small", shots.note))
    pictures = [
        el("img", src=f"data:image/png;base64,{png}", alt=f"picture {number}: {shots.title}")
        for number, png in enumerate(shots.pngs, 1)
    ]
    look = "shots found" if shots.found else "shots"
    return el("figure", words, el("div", pictures, cls="row"), cls=look, data_key=shots.key)


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
