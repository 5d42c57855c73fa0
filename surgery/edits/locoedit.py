"""LocoEdit: erase concepts from the keys and values of the few layers that control them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from surgery.edits.cross_attention import CrossAttentionEdit
from surgery.edits.ridge import Positions, Ridge
from surgery.edits.window import window_of

if TYPE_CHECKING:
    from surgery.layout import Layout, Site


class LocoEdit(CrossAttentionEdit):
    """Make concepts read as their targets in a located window of cross-attention layers.

    The ridge edit of the window's key and value matrices; k and t are the finished text states.
    Left out, `where` is the window that the layout gives for the concepts' kind.

    Source: Basu et al. 2024, On Mechanistic Knowledge Localization in Text-to-Image Generative
    Models, arXiv 2405.01008, eq. 3-4; its ridge of 0.01 is against |k|^2 of some 770, where this
    one is relative, and it edits at the last token of the subject alone.
    """

    method: Literal["locoedit"] = "locoedit"
    positions: Positions = "eos"
    ridge: Ridge = 0.001

    def sites(self, layout: Layout) -> tuple[Site, ...]:
        """The keys and values of the window.

        Raises:
            EditError: concepts of kinds that different layers control.
            LayoutError: nothing says which layers control a kind in such a model.
        """
        return layout.select(self.where or window_of(self.concepts, layout))
