"""Which built-in questions a model understands: those of `atelier`, or those of the wide world."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Protocol

from surgery.questions.values import Vocabulary
from surgery.store.checkpoint import open_checkpoint

TELLING = (
    "token_embedding.weight",
    "position_embedding.weight",
    "attn2.to_k.weight",
    "attn2.to_q.weight",
    "decoder.conv_in.weight",
)
"""Endings of names that all ways to store such a model share."""


class Shaped(Protocol):
    """Anything with a shape: a stored tensor, or one in memory."""

    @property
    def shape(self) -> tuple[int, ...]: ...


def vocabulary_of(tensors: Mapping[str, Shaped]) -> Vocabulary:
    """The questions for a model: `atelier` for that model and what was made from it.

    Args:
        tensors: name -> tensor of a checkpoint, in whichever naming.
    """
    return "atelier" if _telling(tensors) == _atelier() else "world"


def _telling(tensors: Mapping[str, Shaped]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    found = (
        (ending, tuple(tensor.shape))
        for name, tensor in tensors.items()
        for ending in TELLING
        if name.endswith(ending)
    )
    return tuple(sorted(found))


@cache
def _atelier() -> tuple[tuple[str, tuple[int, ...]], ...]:
    return _telling(open_checkpoint("atelier"))
