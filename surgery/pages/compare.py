"""Two pictures of one thing, the one over the other, with a slider that uncovers the lower one."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from surgery.pages.html import Child, Html, el, style

SMALL = 160
"""Sides, in pixels, up to which a picture is shown in its own pixels, not smoothed."""

HEAD = 24
"""Bytes of a PNG that hold its size; 32 letters of base64."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One prompt and seed, painted by both models.

    Args:
        title, note: the prompt, and what is to be said of it in a few words.
        before, after: PNGs as base64 text.
        look: of the note: `good`, `bad` or nothing.
        seed: from which both were painted.
        names: of the two pictures.
    """

    title: str
    note: str
    before: str
    after: str
    look: str = ""
    seed: int | None = None
    names: tuple[str, str] = ("before", "after")


def pairs(every: Sequence[Pair]) -> Html:
    """Pairs beside each other where there is room."""
    return el("div", [_pair(one) for one in every], cls="compare")


def all_at_once() -> Html:
    """A slider that moves all the others; there is none where scripts do not run."""
    slider = el("input", type="range", min=0, max=100, value=50, cls="all",
                aria_label="show more of all pictures before")  # fmt: skip
    return el("label", el("span", "after"), slider, el("span", "before"), cls="all-at-once",
              hidden=True)  # fmt: skip


def _pair(pair: Pair) -> Html:
    look = "pictures small" if _is_small(pair.before) else "pictures"
    then, now = pair.names
    slider = el("input", type="range", min=0, max=100, value=50,
                aria_label=f"how much is {then}, not {now}: {pair.title}")  # fmt: skip
    stage: list[Child] = [
        _picture(pair.after, "after", f"{now}: {pair.title}", now),
        _picture(pair.before, "before", f"{then}: {pair.title}", then),
        el("i", cls="edge", aria_hidden="true"),
        slider,
    ]
    note = el("small", pair.note, cls=pair.look or None) if pair.note else None
    seed = el("small", f"seed {pair.seed}") if pair.seed is not None else None
    words = el("figcaption", el("span", pair.title), note, seed)
    return el("figure", el("div", stage, cls=look, style=style(at=50)), words, cls="pair")


def _picture(png: str, look: str, words: str, name: str) -> Html:
    picture = el("img", src=f"data:image/png;base64,{png}", alt=words, draggable="false")
    return el("span", picture, el("b", name), cls=look)


def _is_small(png: str) -> bool:
    try:
        head = base64.b64decode(png[:32])
    except binascii.Error:
        return False
    return len(head) >= HEAD and max(_sides(head)) <= SMALL


def _sides(head: bytes) -> tuple[int, int]:
    """Width and height, as the header chunk of a PNG has them (RFC 2083, 4.1.1)."""
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
