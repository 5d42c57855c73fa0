"""JSON read with one meaning only: what two readers could understand differently is refused.

Refused beyond the grammar: a key twice in one object (in any spelling), NaN and Infinity, lone
surrogates, NUL, nesting that exhausts the stack. Nothing here knows what the JSON is about.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from surgery.errors import CheckpointError
from surgery.store.files import read_all
from surgery.store.text import quoted, visible


class _Ambiguous(ValueError):
    """What the JSON grammar allows and this reader does not."""


def load_object(raw: bytes, where: str) -> dict[str, object]:
    """Return the JSON object in `raw`.

    Raises:
        CheckpointError: not UTF-8, not JSON, not an object, or open to two readings.
    """
    try:
        text = raw.decode("utf-8")
        value = _decoder(text).decode(text)
        # Lone surrogates and NUL can only enter through an escape; the walk is skipped without one.
        if "\\u" in text:
            _check_strings(value)
    except UnicodeDecodeError as error:
        raise CheckpointError(
            f"the text at byte {error.start} is not UTF-8", where=where
        ) from error
    except RecursionError as error:
        raise CheckpointError("the JSON is nested too deeply", where=where) from error
    except _Ambiguous as error:
        raise CheckpointError(str(error), where=where) from error
    except ValueError as error:
        raise CheckpointError(f"not valid JSON: {visible(str(error))}", where=where) from error
    if not isinstance(value, dict):
        raise CheckpointError(f"expected a JSON object, got {type(value).__name__}", where=where)
    return value


def load_file(path: Path, limit: int = 64_000_000) -> dict[str, object]:
    """Return the JSON object in a regular file of at most `limit` bytes."""
    return load_object(read_all(path, limit), visible(str(path)))


def members(text: str, start: int = 0) -> dict[str, tuple[int, int, int]]:
    """Return, for the valid JSON object at `start`, where each member lies in `text`.

    Returns:
        key -> (start of the key, start of the value, end of the value), in file order.
    """
    decode = json.JSONDecoder(strict=True).raw_decode
    found: dict[str, tuple[int, int, int]] = {}
    at = _skip(text, start + 1)
    while text[at] != "}":
        key, after_key = decode(text, at)
        value_at = _skip(text, _skip(text, after_key) + 1)
        _, end = decode(text, value_at)
        found[key] = (at, value_at, end)
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at
    return found


def _skip(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at


def _decoder(text: str) -> json.JSONDecoder:
    # Python reads -0 as the integer 0; as a float it stays distinguishable. The hook costs a call
    # per number, so it is set only where it can matter.
    integer: Callable[[str], float] | None = _integer if "-0" in text else None
    return json.JSONDecoder(
        object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=integer
    )


def _integer(text: str) -> float:
    return -0.0 if text == "-0" else int(text)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) == len(pairs):
        return result
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise _Ambiguous(f"the key {quoted(key)} occurs twice (some readers do not notice)")
        seen.add(key)
    return result


def _no_constant(text: str) -> object:
    raise _Ambiguous(f"{text} is not JSON")


def _check_strings(value: object) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise _Ambiguous(f"the text {quoted(value)} holds a NUL character")
        if any("\ud800" <= char <= "\udfff" for char in value):
            raise _Ambiguous(f"the text {quoted(value)} holds half a surrogate pair")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_strings(key)
            _check_strings(item)
    elif isinstance(value, list):
        for item in value:
            _check_strings(item)
