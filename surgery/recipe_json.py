"""A recipe in one line of JSON, as it is stored with a result, read without a YAML parser.

JSON is YAML, and would be read as such: thousands of concepts then take minutes.
"""

from __future__ import annotations

from typing import cast

from surgery.errors import CheckpointError
from surgery.recipe_text import Located, Plain
from surgery.store.strict_json import load_object

MAX_BYTES = 4_000_000
MAX_COMMAS = 200_000


def read_json(raw: bytes, where: str) -> Located | None:
    """The values of one line of JSON; None for anything else, which may be YAML."""
    line = raw.strip()
    if not line.startswith(b"{") or b"\n" in line or len(line) > MAX_BYTES:
        return None
    # Of more values than that, memory alone would be a burden; as YAML they are refused.
    if line.count(b",") > MAX_COMMAS:
        return None
    try:
        return Located(cast(Plain, load_object(line, where)), {}, where)
    except CheckpointError:
        return None
