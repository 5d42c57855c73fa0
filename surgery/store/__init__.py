"""Safetensors bytes and where they lie: read strictly, written atomically, never decoded.

No torch, no numpy, no network. Numbers are for `numerics`, meaning is for `layout`.
"""

from __future__ import annotations

from surgery.store.address import locate
from surgery.store.checkpoint import Checkpoint, TensorRef, open_checkpoint
from surgery.store.header import DTYPE_BITS, Header, TensorEntry, read_header
from surgery.store.text import nearest, visible
from surgery.store.writer import Changes, Written, write

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
