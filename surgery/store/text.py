"""How words from files are shown: escaped, cut, with the nearest name. Opens no file."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

# Control, format (bidi, zero width, tags), surrogate, private use, line and paragraph separators:
# a terminal may act on them or hide them, so a name that holds them must not reach one as it is.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def visible(text: str) -> str:
    r"""Return `text` with every character that a terminal would hide or obey written as \uXXXX."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(char) for char in text)


def _escaped(char: str) -> str:
    if unicodedata.category(char) not in _HIDDEN:
        return char
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def quoted(text: str, limit: int = 120) -> str:
    """Return `text` visible, in quotes and cut to `limit` characters, for use in an error."""
    shown = visible(text[: limit + 1])
    return f"'{shown[:limit]}...'" if len(shown) > limit else f"'{shown}'"


def nearest(name: str, options: Iterable[str]) -> str | None:
    """Return the option spelt most like `name`, or None when none is like it."""
    return next(iter(get_close_matches(name, list(options), n=1, cutoff=0.6)), None)


def listed(items: Sequence[str], joint: str = "; ", most: int = 3) -> str:
    """Return the first of many items, and how many more there are."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return f"{joint.join(items[:most])}{more}"


def size(count: int) -> str:
    """Return a byte count as a person reads it: '2.1 GB', '17 bytes'."""
    amount = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{count} bytes" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    raise AssertionError("unreachable")
