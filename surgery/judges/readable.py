"""Which models make pictures that the built-in judge can read. Reads headers alone; no torch."""

from __future__ import annotations

from surgery.errors import UsageError
from surgery.questions import vocabulary_of
from surgery.store.checkpoint import Checkpoint

BUILT_IN = "atelier"


def is_atelier(checkpoint: Checkpoint) -> bool:
    """Whether a checkpoint is `atelier` or made from it, in any naming.

    The judge learnt the pictures of one model; those of others it would misread without a word.
    """
    return vocabulary_of(checkpoint) == "atelier"


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
