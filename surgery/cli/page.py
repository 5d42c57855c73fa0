"""What a command has to show, as plain values: lines and tables. Nothing here prints."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Style: TypeAlias = Literal["plain", "title", "good", "warn", "bad", "quiet", "command"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text; control characters in it are shown, never sent to a terminal."""

    text: str = ""
    style: Style = "plain"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under column titles; `right` holds the indices of right-aligned columns."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[int] = frozenset()


Page: TypeAlias = Sequence[Line | Table]


def number(figure: float | None) -> str:
    """A figure to three significant digits, a dash where there is none."""
    return "-" if figure is None else f"{figure:.3g}"


def percent(share: float | None) -> str:
    """A share (0 to 1) as a percentage; what is small but not nothing never reads as 0 %."""
    if share is None:
        return "-"
    return "<0.1 %" if 0 < share < 0.0005 else f"{share:.1%}".replace("%", " %")


def plural(count: int, noun: str) -> str:
    """`1 tensor`, `2 tensors`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def steps(heading: str, commands: Iterable[str]) -> list[Line]:
    """What can be run now, under a heading."""
    return [Line(heading, "quiet"), *(Line(f"  {command}", "command") for command in commands)]


def surgery(*words: str) -> str:
    """A command of surgery, quoted for a shell."""
    return shlex.join(["surgery", *words])
