"""What the edits of cross-attention share: they read the finished text states, and one map fits all.

Every key and value matrix reads the same states without a bias, so a ridge edit of any of them is
the same map of the states: W' = W P with one P, which holds no number of any weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from surgery.edits.base import Context, Matrix, States
from surgery.edits.delta import Delta, Mapped
from surgery.edits.ridge import RidgeEdit
from surgery.numerics.closed_form import shared_map

if TYPE_CHECKING:
    from surgery.layout import Layout, Site

ALL = "cross_attn.{k,v}"


class CrossAttentionEdit(RidgeEdit):
    """A ridge edit of key and value matrices."""

    states: ClassVar[States] = "conditioning"

    where: Annotated[
        str | None,
        Field(
            description="Which matrices, such as cross_attn.{k,v}[8:10]; left out, the method's."
        ),
    ] = None

    def sites(self, layout: Layout) -> tuple[Site, ...]:
        """The key and value matrices that `where` names."""
        return layout.select(self.where or ALL)

    def reads(self, layout: Layout) -> tuple[Site, ...]:
        """The text towers, whole."""
        towers = tuple(f"{role}." for role in layout.towers)
        return tuple(site for site in layout.sites if site.kind.startswith(towers))

    def solve(self, weights: Mapping[Site, Matrix], context: Context) -> dict[Site, Delta]:
        """The one map that all of them get; no weight enters it."""
        left, right = shared_map(self.targets(context), self.keys(context))
        return dict.fromkeys(weights, Mapped(left, right))
