"""What edits of cross-attention share: they read the finished text states, and one map fits all.

Every key and value matrix reads the same states without a bias, so a ridge edit of any of them is
the same map of the states: W' = W P with one P, which holds no number of any weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field
from pydantic.config import JsonDict

from surgery.edits.base import Context, Edit, Matrix, States
from surgery.edits.delta import Delta, Mapped
from surgery.edits.pooled import Pooled
from surgery.edits.ridge import RidgeEdit
from surgery.numerics.closed_form import shared_map

if TYPE_CHECKING:
    from surgery.layout import Layout, Site


ALL = "cross_attn.{k,v}"
POOLED_SITE = "pooled.in"


def _or_a_report(schema: JsonDict) -> None:
    """A recipe file may name a report instead; it is read before the edit is made."""
    options = schema["anyOf"]
    assert isinstance(options, list)
    options.append(
        {
            "type": "object",
            "properties": {
                "from": {"type": "string"},
                "top": {"type": "integer", "minimum": 1, "default": 1},
            },
            "required": ["from"],
            "additionalProperties": False,
        }
    )


Where = Annotated[
    str | None,
    Field(
        description="Which matrices, such as cross_attn.{k,v}[8:10], or those that a probe found "
        "best, {from: report.json, top: 1}; left out, the method's.",
        json_schema_extra=_or_a_report,
    ),
]


def towers_of(layout: Layout) -> tuple[Site, ...]:
    """Every site of the text towers."""
    towers = tuple(f"{role}." for role in layout.towers)
    return tuple(site for site in layout.sites if site.kind.startswith(towers))


class CrossAttentionEdit(RidgeEdit):
    """A ridge edit of key and value matrices."""

    states: ClassVar[States] = "conditioning"
    contexts: ClassVar[bool] = True

    where: Where = None
    pooled: Annotated[
        bool | None,
        Field(
            strict=True,
            description="Whether to edit the pooled path too, where a model has one (SDXL); left "
            "out, for styles and facts.",
        ),
    ] = None

    def sites(self, layout: Layout) -> tuple[Site, ...]:
        """The key and value matrices that `where` names."""
        return layout.select(self.where or ALL)

    def companions(self, layout: Layout) -> tuple[Edit, ...]:
        """The same for the pooled path, which no key or value matrix is on."""
        through = [one for one in self.concepts if self.pooled or one.kind in ("style", "fact")]
        if not layout.counts.get(POOLED_SITE) or self.pooled is False or not through:
            return ()
        return (
            Pooled(
                concepts=tuple(through),
                preserve=self.preserve,
                preserve_defaults=self.preserve_defaults,
                preserve_scale=self.preserve_scale,
                ridge=self.ridge,
                strength=self.strength,
            ),
        )

    def reads(self, layout: Layout) -> tuple[Site, ...]:
        """The text towers, whole."""
        return towers_of(layout)

    def solve(self, weights: Mapping[Site, Matrix], context: Context) -> dict[Site, Delta]:
        """The one map that all of them get; no weight enters it."""
        left, right = shared_map(self.targets(context), self.keys(context))
        return dict.fromkeys(weights, Mapped(left, right))
