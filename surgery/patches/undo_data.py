"""Whether a file can bring back what an edit took out. Reads beginnings only."""

from __future__ import annotations

from pathlib import Path

from surgery.errors import CheckpointError
from surgery.patches.manifest import FORMAT
from surgery.store.files import read_span
from surgery.store.header import read_header
from surgery.store.journal import MAGIC


def is_undo_data(path: Path) -> bool:
    """Whether a file is a patch or the undo file of an edit in place."""
    try:
        if read_span(path, 0, len(MAGIC)) == MAGIC:
            return True
        return path.suffix == ".safetensors" and FORMAT in read_header(path).metadata
    except CheckpointError:
        return False
