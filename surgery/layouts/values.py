"""Values of a parsed YAML file, checked for their form. No layout is known here."""

from __future__ import annotations

from collections.abc import Mapping

from surgery.errors import LayoutError


def check(where: str, data: Mapping[str, object], known: set[str], needed: set[str]) -> None:
    """Check that a mapping has the keys it needs and no other.

    Args:
        where: what is read, for the message.
    Raises:
        LayoutError: a key that is not known, or one that is missing.
    """
    for key in sorted(set(data) - known):
        raise LayoutError(f"unknown key {key!r}", where=where, hint=f"keys: {sorted(known)}")
    for key in sorted(needed - set(data)):
        raise LayoutError(f"key {key!r} is missing", where=where)


def mapping(where: str, value: object) -> Mapping[str, object]:
    """Return keys and values, the keys as text.

    Raises:
        LayoutError: it is something else.
    """
    if not isinstance(value, Mapping):
        raise LayoutError(f"expected keys and values, got {value!r}", where=where)
    return {str(key): item for key, item in value.items()}


def words(where: str, value: object) -> tuple[str, ...]:
    """Return a list of texts; one text is a list of itself.

    Raises:
        LayoutError: it is something else.
    """
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise LayoutError(f"expected a list of texts, got {value!r}", where=where)
    return tuple(value)


def whole(where: str, value: object) -> int:
    """Return a whole number.

    Raises:
        LayoutError: it is something else.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise LayoutError(f"expected a whole number, got {value!r}", where=where)
    return value
