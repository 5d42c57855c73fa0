"""The YAML of layouts as it was parsed before: `compiled.json`, made by tests/refresh_docs.py.

Parsing YAML would take a fifth of the time of a whole edit. The YAML is the truth: a file that
differs from what was parsed then is parsed now.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from zlib import crc32

HERE = Path(__file__).parent
COMPILED = HERE / "compiled.json"


def read_yaml(path: Path) -> object:
    """Return what a YAML file of this folder says."""
    raw = path.read_bytes()
    entry = _compiled().get(path.relative_to(HERE).as_posix(), {})
    return entry["data"] if entry.get("crc") == crc32(raw) else _parsed(raw)


def compiled() -> str:
    """Return what `COMPILED` should hold: every YAML file here by its relative name."""
    found = {
        path.relative_to(HERE).as_posix(): {
            "crc": crc32(path.read_bytes()),
            "data": _parsed(path.read_bytes()),
        }
        for path in sorted(HERE.rglob("*.yaml"))
    }
    lines = (f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in found.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _parsed(raw: bytes) -> object:
    from ruamel.yaml import YAML

    return YAML(typ="safe", pure=True).load(raw.decode("utf-8"))


@cache
def _compiled() -> dict[str, dict[str, object]]:
    if not COMPILED.is_file():
        return {}
    found: dict[str, dict[str, object]] = json.loads(COMPILED.read_bytes())
    return found
