"""Which built-in questions a model understands: those of `atelier`, or those of the wide world."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Protocol

from surgery.questions.values import Vocabulary
from surgery.store.checkpoint import open_checkpoint

BUILT_IN = "atelier"


class Shaped(Protocol):
    """Anything with a shape: a stored tensor, or one in memory."""

    @property
    def shape(self) -> tuple[int, ...]: ...


def vocabulary_of(tensors: Mapping[str, Shaped]) -> Vocabulary:
    """The questions for a model: `atelier` for that model and what was made from it.

    Args:
        tensors: name -> tensor of a checkpoint, in whichever naming.
    """
    return "atelier" if _matrices(tensors) == _atelier() else "world"


@cache
def _atelier() -> Counter[tuple[int, ...]]:
    return _matrices(open_checkpoint(BUILT_IN))


def _matrices(tensors: Mapping[str, Shaped]) -> Counter[tuple[int, ...]]:
    """How many matrices there are of each shape; a convolution of one pixel is one too.

    Vectors are left out: single files hold a sampler's tables beside the model's own.
    """
    shapes = (tuple(side for side in tensor.shape if side > 1) for tensor in tensors.values())
    return Counter(shape for shape in shapes if len(shape) > 1)
