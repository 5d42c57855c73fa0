"""Patch files: a few changed tensors, exact in both directions, and what they belong to.

`encode` makes a `PatchFile` of a solved Patch and `models` of two models, `write` and `read`
are the file, `base` tells whether a model is the one it is for, `use` applies it and takes it back.
"""

from __future__ import annotations

from surgery.patches.encode import from_patch
from surgery.patches.models import from_models
from surgery.patches.read import read_patch
from surgery.patches.stored import PatchFile
from surgery.patches.use import apply_patch, undo_patch
from surgery.patches.write import write_patch

__all__ = [
    "PatchFile",
    "apply_patch",
    "from_models",
    "from_patch",
    "read_patch",
    "undo_patch",
    "write_patch",
]
