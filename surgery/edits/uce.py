"""UCE: erase concepts from every key and value matrix at once, and hold others."""

from __future__ import annotations

from typing import Literal

from surgery.edits.cross_attention import CrossAttentionEdit
from surgery.edits.ridge import Positions, Ridge


class Uce(CrossAttentionEdit):
    """Make concepts read as their targets in all cross-attention, and hold others.

    The ridge edit of every key and value matrix; k and t are the finished text states.

    Source: Gandikota et al. 2024, Unified Concept Editing in Diffusion Models, arXiv 2308.14761,
    eq. 7; its ridge of 0.5 is against |k|^2 of some 770, where this one is relative.
    """

    method: Literal["uce"] = "uce"
    positions: Positions = "eos"
    ridge: Ridge = 0.001
