"""A contact sheet: labelled groups of pictures, the row before above the row after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]

TILE, GAP, MARGIN, TITLE, SIDE = 128, 6, 24, 58, 84
PAPER, INK, FAINT, RED, GREEN = (
    (250, 250, 248),
    (28, 28, 30),
    (120, 120, 126),
    (186, 32, 38),
    (26, 122, 62),
)


@dataclass(frozen=True, slots=True)
class Group:
    """One concept: `before` and `after` hold the same prompts and seeds, (n, height, width, 3)."""

    name: str
    erased: bool
    before: Pixels
    after: Pixels


def contact_sheet(title: str, footnote: str, groups: Sequence[Group]) -> Image.Image:
    """Draws the groups side by side; a coloured word says what should have happened to each."""
    widths = [len(group.before) * (TILE + GAP) for group in groups]
    width = SIDE + sum(widths) + MARGIN * len(groups) + MARGIN // 2
    height = 2 * MARGIN + 2 * TITLE + 2 * (TILE + GAP) + MARGIN
    sheet = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((MARGIN, MARGIN), title, INK, _font(22))
    pen.text((MARGIN, height - MARGIN - 6), footnote, FAINT, _font(12))
    top = MARGIN + 2 * TITLE - 8
    for row, word in enumerate(("before", "after")):
        pen.text((MARGIN, top + row * (TILE + GAP) + TILE // 2 - 8), word, FAINT, _font(15))
    left = SIDE
    for group, taken in zip(groups, widths, strict=True):
        _draw_group(sheet, group, left, top)
        left += taken + MARGIN
    return sheet


def _draw_group(sheet: Image.Image, group: Group, left: int, top: int) -> None:
    pen = ImageDraw.Draw(sheet)
    word, colour = ("should change", RED) if group.erased else ("should stay", GREEN)
    pen.text((left, top - TITLE + 6), group.name, INK, _font(17))
    pen.text((left, top - TITLE + 30), word, colour, _font(13))
    for row, pictures in enumerate((group.before, group.after)):
        for column, pixels in enumerate(pictures):
            place = left + column * (TILE + GAP), top + row * (TILE + GAP)
            sheet.paste(_tile(pixels), place)


def _tile(pixels: Pixels) -> Image.Image:
    small = pixels.shape[0] < TILE
    how = Image.Resampling.NEAREST if small else Image.Resampling.LANCZOS
    return Image.fromarray(pixels).resize((TILE, TILE), how)


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def save(sheet: Image.Image, path: Path) -> None:
    """Writes a PNG; an unfinished one is never seen under its name."""
    partial = path.with_name(f".{path.name}.part")
    try:
        sheet.save(partial, format="PNG", optimize=True)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
