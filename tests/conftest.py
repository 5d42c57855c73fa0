"""Signals as at a terminal: started in the background or under nohup, some come ignored.

No test finds or leaves anything in the user's own cache. And numbers are computed on one thread, in
every process that a test starts: two that wait for each other cost tiny models a hundred times as
much wherever anything else runs.
"""

from __future__ import annotations

import os
import signal
from itertools import count
from pathlib import Path

import pytest

# Read when numpy and torch are imported, which is later than this.
for library in ("OMP", "MKL", "OPENBLAS"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


NUMBERS = count()


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of this test; it is there only once something is kept in it."""
    place = tmp_path_factory.getbasetemp() / "caches" / str(next(NUMBERS))
    monkeypatch.setenv("XDG_CACHE_HOME", str(place))
    return place
