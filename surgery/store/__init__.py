"""Safetensors bytes and where they lie: read strictly, written atomically, never decoded.

No numpy; the network in `hub` alone, torch in the process that `pickled` starts. Numbers are for
`numerics`, meaning is for `layout`.
"""

from __future__ import annotations

from surgery.store.address import locate
from surgery.store.changes import Changes
from surgery.store.checkpoint import Checkpoint, TensorRef, open_checkpoint
from surgery.store.header import DTYPE_BITS, Header, TensorEntry, read_header
from surgery.store.text import nearest, visible
from surgery.store.writer import Written, write

__all__ = [
    "DTYPE_BITS",
    "Changes",
    "Checkpoint",
    "Header",
    "TensorEntry",
    "TensorRef",
    "Written",
    "locate",
    "nearest",
    "open_checkpoint",
    "read_header",
    "visible",
    "write",
]
