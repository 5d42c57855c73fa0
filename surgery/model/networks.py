"""Networks of diffusers and transformers, built from a configuration and the values of a file.

Which file holds what, `folder` and `single` know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTextModelWithProjection, T5EncoderModel

from surgery.errors import CheckpointError
from surgery.store.contents import TensorRef
from surgery.store.text import visible

Config = Mapping[str, object]
Tensors = dict[str, Tensor]

CLASSES = {
    one.__name__: one
    for one in (
        UNet2DConditionModel,
        AutoencoderKL,
        CLIPTextModel,
        CLIPTextModelWithProjection,
        T5EncoderModel,
    )
}
"""The networks that this release runs."""

COMPONENTS = {"text": "text_encoder", "text2": "text_encoder_2"}
"""Role of a text tower -> its folder in a pipeline."""

_DTYPES: Mapping[str, torch.dtype] = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64,
    "I32": torch.int32,
}


@dataclass(frozen=True, slots=True, eq=False)
class Networks:
    """The networks of a model and how its files say that it is sampled.

    Args:
        denoiser: predicts noise.
        vae: None where the denoiser paints pixels.
        towers: role -> text tower.
        scheduler: the configuration of the model's own scheduler; without `prediction_type` where
            nothing says what the denoiser predicts.
        zero_empty: the empty prompt is told as zeros.
        side: height and width of the latents that it was trained on; 0 where nothing says it.
    """

    denoiser: nn.Module
    vae: nn.Module | None
    towers: Mapping[str, nn.Module]
    scheduler: Config
    zero_empty: bool
    side: int

    def to(self, device: torch.device) -> Networks:
        """The same networks, moved."""
        for one in (self.denoiser, self.vae, *self.towers.values()):
            if one is not None:
                one.to(device)
        return self


def sample_side(config: Config) -> int:
    """Height and width of latents by the configuration of a denoiser; 0 where it is silent."""
    stated = config.get("sample_size")
    sides = list(stated) if isinstance(stated, list | tuple) else [stated]
    return sides[0] if isinstance(sides[0], int) and len(set(sides)) == 1 else 0


def zeros_for_empty(index: Config) -> bool:
    """Whether the empty prompt is told as zeros: with two towers it is, unless it says no."""
    return index.get("force_zeros_for_empty_prompt", "text_encoder_2" in index) is True


def value(
    ref: TensorRef, dtype: torch.dtype | None = None, rows: tuple[int, int] | None = None
) -> Tensor:
    """A tensor of a file, or some of its rows, as it is stored or as `dtype`.

    Raises:
        CheckpointError: it is stored in a form that is not read here.
    """
    if ref.dtype not in _DTYPES:
        raise CheckpointError(
            f"values stored as {visible(ref.dtype)} cannot be run",
            where=visible(f"{ref.file}:{ref.name}"),
            hint=f"{', '.join(_DTYPES)} can",
        )
    raw = bytearray(ref.read(*rows) if rows else ref.read())
    shape = (rows[1] - rows[0], *ref.shape[1:]) if rows else ref.shape
    stored = torch.frombuffer(raw, dtype=_DTYPES[ref.dtype]) if raw else torch.empty(0)
    shaped = stored.reshape(shape)
    return shaped.to(dtype) if dtype and shaped.is_floating_point() else shaped


def network(name: str, config: Config, tensors: Tensors, dtype: torch.dtype) -> nn.Module:
    """A network that holds these values, ready to run.

    Args:
        name: its class, one of `CLASSES`.
        config: what its config.json says.
        tensors: parameter -> value.

    Raises:
        CheckpointError: a parameter is missing, or of another shape than the configuration says.
    """
    if "_class_name" in config:
        return _diffusers(name, config, tensors).eval().requires_grad_(False)
    return _transformers(name, config, tensors, dtype).eval().requires_grad_(False)


def _diffusers(name: str, config: Config, tensors: Tensors) -> nn.Module:
    made = skeleton(name, config)
    _check_shapes(made, tensors)
    made.load_state_dict(tensors, strict=False, assign=True)
    rest = [name for name, held in made.state_dict().items() if held.is_meta]
    _check_missing(name, rest)
    return made


def _transformers(name: str, config: Config, tensors: Tensors, dtype: torch.dtype) -> nn.Module:
    cls = CLASSES[name]
    loaded: tuple[nn.Module, Mapping[str, Iterable[str]]] = cls.from_pretrained(
        None,
        config=cls.config_class(**config),
        state_dict=tensors,
        dtype=dtype,
        output_loading_info=True,
    )
    _check_missing(name, sorted(loaded[1]["missing_keys"]))
    return loaded[0]


def skeleton(name: str, config: Config) -> nn.Module:
    """The same network without values: its names and shapes."""
    cls = CLASSES[name]
    with torch.device("meta"):
        own = "_class_name" in config
        made: nn.Module = cls.from_config(dict(config)) if own else cls(cls.config_class(**config))
    return made


def _check_shapes(made: nn.Module, tensors: Tensors) -> None:
    for name, wanted in made.state_dict().items():
        found = tensors.get(name, wanted)
        if found.shape != wanted.shape:
            raise CheckpointError(
                f"{visible(name)} has shape {list(found.shape)}, and the configuration says "
                f"{list(wanted.shape)}"
            )


def _check_missing(name: str, missing: list[str]) -> None:
    if missing:
        raise CheckpointError(
            f"{len(missing)} tensors of the {name} are missing, such as {missing[0]}",
            hint="the configuration may be that of another model",
        )
