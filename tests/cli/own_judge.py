"""Judges as a user writes them, for `--judge python:...`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from surgery.questions import Question


def bright(pictures: NDArray[np.uint8], question: Question) -> Sequence[bool]:
    """Everything shows the concept."""
    return [True] * len(pictures)


def dark(pictures: NDArray[np.uint8], question: Question) -> Sequence[bool]:
    """Nothing does."""
    return [False] * len(pictures)
