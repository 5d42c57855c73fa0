"""Which models make pictures that the built-in judge can read. Reads headers alone; no torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from surgery.errors import UsageError
from surgery.store.checkpoint import Checkpoint, TensorRef, open_checkpoint

BUILT_IN = "atelier"


def is_atelier(checkpoint: Mapping[str, TensorRef]) -> bool:
    """Whether a checkpoint is `atelier` or made from it, in any naming.

    The judge learnt the pictures of one model; those of others it would misread without a word.
    """
    return _matrices(checkpoint) == _matrices(open_checkpoint(BUILT_IN))


def must_be_atelier(checkpoint: Checkpoint) -> None:
    """Refuse a model whose pictures the built-in judge does not know.

    Raises:
        UsageError: as said.
    """
    if not is_atelier(checkpoint):
        raise UsageError(
            "there is no judge for this model",
            where=checkpoint.address,
            hint=f"the built-in judge reads {BUILT_IN!r} and what was made from it",
        )


def _matrices(checkpoint: Mapping[str, TensorRef]) -> Counter[tuple[int, ...]]:
    """How many matrices there are of each shape; a convolution of one pixel is one too.

    Vectors are left out: single files hold a sampler's tables beside the model's own.
    """
    shapes = (tuple(side for side in ref.shape if side > 1) for ref in checkpoint.values())
    return Counter(shape for shape in shapes if len(shape) > 1)
