"""The order of a job's calls: data synced before a name is given, the folder after, then the end.

This is what a power loss needs; no kill can show it, because the system's cache outlives a process.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tests.crash.scene import Scene
from tests.crash.tracing import Call

_OPEN_FILE = re.compile(r"\d+<([^>]*)>")
_NAMES = re.compile(r'"([^"]*)"')
_SYNCS = frozenset({"fsync", "fdatasync"})
_RENAMES = frozenset({"rename", "renameat2"})


def problems(scene: Scene, calls: Sequence[Call]) -> list[str]:
    """What a power loss could break in this run; empty when the order is right."""
    found, dirty, unsynced_names = [], set[str](), set[str]()
    for call in calls:
        path = match[1] if (match := _OPEN_FILE.match(call.text)) else ""
        if call.name == "pwrite64":
            if path == str(scene.model):
                found += [f"{path} edited before {name} was safe" for name in unsynced_names]
            dirty.add(path)
        elif call.name in _SYNCS:
            dirty.discard(path)
            unsynced_names = {name for name in unsynced_names if _folder(name) != path}
        elif call.name in _RENAMES:
            source, target = _NAMES.findall(call.text)[:2]
            inside = [name for name in dirty if name == source or name.startswith(f"{source}/")]
            found += [f"{name} renamed before it was synced" for name in inside]
            unsynced_names.add(target)
        elif call.name == "write" and call.text.startswith("1<"):
            found += [f"{name} told before it was safe" for name in dirty | unsynced_names]
        elif call.name == "symlink":
            unsynced_names.add(_NAMES.findall(call.text)[1])
    found += [f"{name} never synced" for name in dirty]
    return found + [f"the folder of {name} never synced" for name in unsynced_names]


def _folder(name: str) -> str:
    return name.rpartition("/")[0]
