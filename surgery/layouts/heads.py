"""How many heads the rows of an attention's weights are shared out among, by their number.

No tensor says it. A network's own configuration does; a single file has none, and there it is known
for the published widths alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from surgery.layouts.counts import Config
from surgery.selector import Site

Heads = Mapping[int, int]
"""Rows of a weight -> heads."""


def heads_by_width(config: Config | None, published: Heads) -> Heads:
    """What a configuration says, or else what is known of models as published.

    Source: diffusers' UNet2DConditionModel, where `attention_head_dim` is how many heads there are.
    """
    widths = (config or {}).get("block_out_channels")
    if config is None or not isinstance(widths, list):
        return published
    stated = config.get("num_attention_heads") or config.get("attention_head_dim")
    each = stated if isinstance(stated, list) else [stated] * len(widths)
    if len(each) != len(widths) or not all(_whole(one) for one in (*widths, *each)):
        return {}
    pairs = set(zip(widths, each, strict=True))
    return dict(pairs) if len(dict(pairs)) == len(pairs) else {}


def with_heads(
    sites: Sequence[Site], kinds: Sequence[str], heads: Heads, widths: Mapping[str, int]
) -> list[Site]:
    """The same sites, told their heads where they have some and it is known how many.

    Args:
        kinds: of sites whose rows are shared out among heads.
        widths: tensor name -> rows.
    """
    return [
        replace(site, heads=_fitting(heads, widths[site.tensor])) if site.kind in kinds else site
        for site in sites
    ]


def _fitting(heads: Heads, width: int) -> int | None:
    found = heads.get(width)
    return found if found and width % found == 0 else None


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
