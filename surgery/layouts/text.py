"""The shape of a text tower: what its forward pass needs besides its weights.

Read from tensor shapes, then from configuration files, then from the layout's own words. No
weights and no tokenizer here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from surgery.errors import LayoutError
from surgery.layouts.fit import Configs, Fitted
from surgery.layouts.schema import TextRole

# Every published CLIP text tower has heads of this width: L 768/12, H 1024/16, bigG 1280/20.
CLIP_HEAD_WIDTH = 64


@dataclass(frozen=True, slots=True)
class TextShape:
    """A text tower.

    Args:
        heads: attention heads; 0 where neither shapes nor configuration say (see `Layout.text`).
        layers: layers that are run.
        width: hidden size.
        max_length: tokens in a prompt, begin and end included.
        activation: `quick_gelu`, `gelu` or the configuration's own word.
        pad_id: the padding token's id, or None where it is the end-of-text token.
        tokenizer: subfolder of a diffusers folder that holds the tokenizer.
        norm_eps: epsilon of the layer norms.
        kind: the part that describes it: `clip`, `openclip`, `t5`, ...
        reads: which states the denoiser reads: `last` (after the final norm) or `penultimate`.
    """

    heads: int
    layers: int
    width: int
    max_length: int
    activation: str
    pad_id: int | None = None
    tokenizer: str = "tokenizer"
    norm_eps: float = 1e-5
    kind: str = "clip"
    reads: str = "last"


def text_shape(fitted: Fitted, layers: int, configs: Configs) -> TextShape:
    """Return the shape of a text tower that was found.

    Args:
        layers: number of layers that are run, from the names.
    Raises:
        LayoutError: shapes and configuration contradict each other.
    """
    own = fitted.role.text
    width = fitted.facts.get("width")
    if own is None or width is None:
        raise LayoutError("the width of this text tower is not clear", where=fitted.prefix)
    config = (configs(fitted.config) if fitted.config else None) or {}
    return TextShape(
        heads=_heads(fitted, width, config),
        layers=layers,
        width=width,
        max_length=fitted.facts.get("max_length") or own.max_length,
        activation=str(config.get("hidden_act") or config.get("dense_act_fn") or own.activation),
        pad_id=_pad(own, fitted, configs),
        tokenizer=own.tokenizer,
        norm_eps=_real(config, ("layer_norm_eps", "layer_norm_epsilon"), own.norm_eps),
        kind=fitted.role.part.name,
        reads=own.reads,
    )


def _heads(fitted: Fitted, width: int, config: Mapping[str, object]) -> int:
    stated = config.get("num_attention_heads") or config.get("num_heads")
    if isinstance(stated, int) and not isinstance(stated, bool):
        size = config.get("hidden_size") or config.get("d_model") or width
        shared = "num_attention_heads" in config
        if size != width or stated < 1 or (shared and width % stated):
            raise LayoutError(
                f"width {size!r} and {stated} heads by the configuration, width {width} by shape",
                where=fitted.config,
            )
        return stated
    heads = fitted.facts.get("heads")
    if heads is not None:
        return heads
    return width // CLIP_HEAD_WIDTH if width % CLIP_HEAD_WIDTH == 0 else 0


def _real(config: Mapping[str, object], keys: tuple[str, ...], otherwise: float) -> float:
    values = [config[key] for key in keys if isinstance(config.get(key), float)]
    return float(str(values[0])) if values else otherwise


def _pad(own: TextRole, fitted: Fitted, configs: Configs) -> int | None:
    """The padding id: the tokenizer's own word where a folder has one, else the layout's."""
    if not fitted.base.endswith("/"):
        return own.pad
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        words = configs(f"{own.tokenizer}/{name}") or {}
        pad, end = _content(words.get("pad_token")), _content(words.get("eos_token"))
        if pad is not None and pad == end:
            return None
        if pad in ("!", "<pad>"):
            return 0
    return own.pad


def _content(token: object) -> str | None:
    if isinstance(token, Mapping):
        token = token.get("content")
    return token if isinstance(token, str) else None
