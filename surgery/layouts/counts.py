"""How many layers a network's own configuration says it has.

Only counting lives here; it is held against the names in `fit`. A configuration is read as
untrusted data: a value of the wrong form is a `LayoutError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from surgery.errors import LayoutError

Config = Mapping[str, object]


def expected(rule: str, config: Config, where: str) -> int | None:
    """Return the number of layers that a configuration states, or None if it does not say.

    Args:
        rule: a named counter below, or the configuration key that holds the number.
    Raises:
        LayoutError: the configuration holds something that cannot be a count.
    """
    if rule in COUNTERS:
        return COUNTERS[rule](config, where)
    return None if config.get(rule) is None else _whole(config[rule], f"{where}:{rule}")


def transformer_blocks(config: Config, where: str) -> int | None:
    """Count the transformer blocks of a UNet2DConditionModel.

    Source: diffusers' UNet2DConditionModel; up blocks hold one more layer and run in reverse.
    """
    down, up = _names(config, "down_block_types"), _names(config, "up_block_types")
    if not down or not up:
        return None
    layers = _per_block(config.get("layers_per_block", 2), len(down), where)
    depth = _per_block(config.get("transformer_layers_per_block", 1), len(down), where)
    back = config.get("reverse_transformer_layers_per_block")
    up_depth = depth[::-1] if back is None else _per_block(back, len(up), where)
    total = sum(_block(*block, where) for block in zip(down, layers, depth, strict=True))
    more = [_whole(n, where) + 1 for n in reversed(layers)]
    total += sum(_block(*block, where) for block in zip(up, more, up_depth, strict=True))
    middle = config.get("mid_block_type", "UNetMidBlock2DCrossAttn")
    return total + _block(str(middle), 1, depth[-1], where)


def attentions(config: Config, where: str) -> int | None:
    """Count the attention layers of a UNet whose blocks hold them bare (DeepFloyd IF)."""
    flat = {**config, "transformer_layers_per_block": 1}
    flat["reverse_transformer_layers_per_block"] = None
    return transformer_blocks(flat, where)


def resnets(config: Config, where: str) -> int | None:
    """Count the resnet blocks of a UNet2DConditionModel, those that change the resolution included.

    Source: diffusers' UNet2DConditionModel; every level but the last goes down or up, and does so
    by a resnet block where its type is named in `SAMPLED_BY_RESNET`.
    """
    down, up = _names(config, "down_block_types"), _names(config, "up_block_types")
    middle = config.get("mid_block_type", "UNetMidBlock2DCrossAttn")
    known = middle is None or middle in MIDDLE_RESNETS
    if not down or not up or not known or {*down, *up} - SAMPLED_BY_RESNET - SAMPLED_BY_CONV:
        return None
    layers = _per_block(config.get("layers_per_block", 2), len(down), where)
    total = sum(_whole(n, where) for n in layers) + sum(_whole(n, where) + 1 for n in layers)
    total += sum(kind in SAMPLED_BY_RESNET for kind in (*down[:-1], *up[:-1]))
    return total + (0 if middle is None else MIDDLE_RESNETS[str(middle)])


COUNTERS: dict[str, Callable[[Config, str], int | None]] = {
    "unet_transformer_blocks": transformer_blocks,
    "unet_attentions": attentions,
    "unet_resnets": resnets,
}
MIDDLE_RESNETS = {
    "UNetMidBlock2DCrossAttn": 2,
    "UNetMidBlock2DSimpleCrossAttn": 2,
    "UNetMidBlock2D": 1,
}
SAMPLED_BY_CONV = {"DownBlock2D", "CrossAttnDownBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"}
SAMPLED_BY_RESNET = {
    "ResnetDownsampleBlock2D",
    "SimpleCrossAttnDownBlock2D",
    "ResnetUpsampleBlock2D",
    "SimpleCrossAttnUpBlock2D",
}


def _block(kind: str, layers: object, depth: object, where: str) -> int:
    if "CrossAttn" not in kind:
        return 0
    if isinstance(depth, Sequence) and not isinstance(depth, str):
        return sum(_whole(item, where) for item in depth)
    return _whole(layers, where) * _whole(depth, where)


def _names(config: Config, key: str) -> list[str]:
    value = config.get(key)
    return [str(item) for item in value] if isinstance(value, list | tuple) else []


def _per_block(value: object, blocks: int, where: str) -> list[object]:
    if not isinstance(value, list | tuple):
        return [_whole(value, where)] * blocks
    if len(value) != blocks:
        raise LayoutError(f"{len(value)} entries for {blocks} blocks", where=where)
    return list(value)


def _whole(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 100_000:
        raise LayoutError(f"{value!r} is no number of layers", where=where)
    return value
