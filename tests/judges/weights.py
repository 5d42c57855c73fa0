"""Files of weights for the tests of metrics."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from surgery.judges.metric_files import NEEDS


def place(monkeypatch: pytest.MonkeyPatch, home: Path, name: str, content: bytes) -> Path:
    """Put a metric's weights where torch keeps its own, under a name that tells their digest."""
    file = f"{name}-{sha256(content).hexdigest()[:8]}.pth"
    monkeypatch.setitem(NEEDS, name, replace(NEEDS[name], url=f"https://nowhere.test/{file}"))
    folder = home / "hub" / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file).write_bytes(content)
    return folder / file
