"""Elements of HTML: the one place where text becomes markup, so that nothing goes in unescaped."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import TypeAlias

from surgery.store.text import visible

EMPTY_ELEMENTS = frozenset({"img", "input", "link", "meta"})


class Html(str):
    """Markup that is ready; every other text is escaped where it enters an element."""

    __slots__ = ()


Child: TypeAlias = str | Html | Iterable["Child"] | None
Value: TypeAlias = str | int | float | bool | None


def el(name: str, *children: Child, **attributes: Value) -> Html:
    """An element.

    Args:
        children: text (escaped, control characters made visible), markup, or sequences of them.
        attributes: `cls` is class, other underscores are hyphens; None and False leave one out,
            True gives it without a value.
    """
    opening = f"<{name}{''.join(_attribute(*one) for one in attributes.items())}>"
    inside = "".join(_content(child) for child in children)
    return Html(opening if name in EMPTY_ELEMENTS else f"{opening}{inside}</{name}>")


def unbroken(text: str) -> str:
    """The text with each figure and its percent sign kept on one line."""
    return text.replace(" %", "\u00a0%")


def style(**figures: float) -> str:
    """Custom properties for a style attribute: `--from: 0.5`."""
    return ";".join(f"--{name.rstrip('_')}:{figure:.4g}" for name, figure in figures.items())


def _attribute(name: str, value: Value) -> str:
    if value is None or value is False:
        return ""
    name = "class" if name == "cls" else name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{_escaped(str(value))}"'


def _content(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, str):
        return child if isinstance(child, Html) else _escaped(child)
    return "".join(_content(one) for one in child)


def _escaped(text: str) -> str:
    return html.escape(visible(text))
