"""How far into a prompt an edit reaches, in places of its tokens."""

from __future__ import annotations

from collections.abc import Mapping

from surgery.edits.base import Position
from surgery.edits.preserve import Reach

PLACES: Mapping[Reach, tuple[Position, ...]] = {
    "last": ("subject",),
    "eos": ("subject", "eos"),
    "name": ("name", "eos"),
    "pads": ("name", "eos", "pads"),
    "all": ("all",),
}
