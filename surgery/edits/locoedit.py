"""LocoEdit: erase concepts from the keys and values of the few layers that control them."""

from __future__ import annotations

from typing import Literal

from surgery.edits.cross_attention import CrossAttentionEdit
from surgery.edits.ridge import Positions


class LocoEdit(CrossAttentionEdit):
    """Make concepts read as their targets in a located window of cross-attention layers.

    The ridge edit of the window's key and value matrices; k and t are the finished text states.
    Left out, `where` is the window that the layout gives for the concepts' kind.

    Source: Basu et al. 2024, On Mechanistic Knowledge Localization in Text-to-Image Generative
    Models, arXiv 2405.01008, eq. 3-4.
    """

    method: Literal["locoedit"] = "locoedit"
    positions: Positions = "eos"
