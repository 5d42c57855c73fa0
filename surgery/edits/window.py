"""The located window: the cross-attention layers that a layout gives for a kind of concept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from surgery.edits.base import Concept
from surgery.errors import EditError

if TYPE_CHECKING:
    from surgery.layout import Layout


def window_of(concepts: Sequence[Concept], layout: Layout) -> str:
    """The keys and values of the layers that control the concepts' kind, as a selector.

    Raises:
        EditError: concepts of kinds that different layers control.
        LayoutError: nothing says which layers control a kind in such a model.
    """
    windows = {concept.kind: layout.window(concept.kind) for concept in concepts}
    if len(set(windows.values())) > 1:
        raise EditError(
            f"layers of their own control each of {', '.join(windows)}",
            hint="make one edit for each kind, or name the matrices in `where`",
        )
    return next(iter(windows.values()))
