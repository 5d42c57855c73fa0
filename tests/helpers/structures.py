"""Names and shapes of real models, built from their configurations by diffusers and transformers.

Nothing here knows a layout. Everything is on the meta device: no weights, no memory.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CONFIGS = Path(__file__).parents[1] / "layouts" / "configs"
TOKENIZERS = ("tokenizer", "tokenizer_2")


@dataclass(frozen=True, slots=True)
class Ref:
    """A tensor of which only the shape is known."""

    shape: tuple[int, ...]
    dtype: str = "F16"


def configs(model: str) -> dict[str, dict[str, object]]:
    """Component -> configuration of a real model."""
    return json.loads((CONFIGS / f"{model}.json").read_text("utf-8"))


def build(config: Mapping[str, object]):
    """A module on the meta device from one component's configuration."""
    import diffusers
    import torch
    import transformers

    warnings.simplefilter("ignore")
    with torch.device("meta"):
        if name := config.get("_class_name"):
            return getattr(diffusers, str(name)).from_config(dict(config)).eval()
        cls = getattr(transformers, str(_architecture(config)))
        return cls(cls.config_class(**config)).eval()


def _architecture(config: Mapping[str, object]) -> object:
    listed = config.get("architectures")
    return listed[0] if isinstance(listed, list) else "T5EncoderModel"


def folder(model: str, *, old_clip: bool = True, leave_out: tuple[str, ...] = ()) -> dict[str, Ref]:
    """Tensors of a diffusers folder, `component/name`.

    Args:
        old_clip: CLIP files as transformers before 5.6 wrote them, with `text_model.`.
        leave_out: components that are not there.
    """
    tensors: dict[str, Ref] = {}
    for component, config in configs(model).items():
        if component in leave_out or component in TOKENIZERS:
            continue
        for name, shape in component_shapes(config, old_clip=old_clip).items():
            tensors[f"{component}/{name}"] = Ref(shape)
    return tensors


def component_shapes(
    config: Mapping[str, object], *, old_clip: bool = True
) -> dict[str, tuple[int, ...]]:
    """Name -> shape as a weight file of that component holds them; tied copies once."""
    module = build(config)
    found = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    if "shared.weight" in found:
        found.pop("encoder.embed_tokens.weight", None)
    if not str(_architecture(config)).startswith("CLIP") or "_class_name" in config:
        return found
    return {_clip_name(name, old_clip): shape for name, shape in found.items()}


def _clip_name(name: str, old: bool) -> str:
    if name.startswith("text_projection"):
        return name
    bare = name.removeprefix("text_model.")
    return f"text_model.{bare}" if old else bare


def config_files(model: str) -> dict[str, dict[str, object]]:
    """Relative path -> parsed JSON, as a diffusers folder holds them."""
    names = {key: "tokenizer_config" if key in TOKENIZERS else "config" for key in configs(model)}
    return {f"{key}/{names[key]}.json": value for key, value in configs(model).items()}
