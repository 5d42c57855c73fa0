"""In which order a model runs its blocks: hooks on one forward pass on the meta device."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping

from tests.helpers.structures import build, configs


def block_order(model: str) -> list[list[str]]:
    """[module name, "cross", "self" or "resnet"] of attentions and resnet blocks, as they run."""
    component = "unet" if "unet" in configs(model) else "transformer"
    module = build(configs(model)[component])
    ran: list[list[str]] = []
    for name, layer in module.named_modules():
        if type(layer).__name__.endswith(("Attention", "ResnetBlock2D")):
            layer.register_forward_pre_hook(_recorder(f"{component}/{name}", ran), with_kwargs=True)
    _forward(module, configs(model)[component])
    return ran


def _recorder(name: str, ran: list[list[str]]) -> Callable[..., None]:
    def record(layer: object, args: tuple[object, ...], kwargs: Mapping[str, object]) -> None:
        text = kwargs.get("encoder_hidden_states", args[1] if len(args) > 1 else None)
        resnet = type(layer).__name__ == "ResnetBlock2D"
        ran.append([name, "resnet" if resnet else "self" if text is None else "cross"])

    return record


def _forward(module, config: Mapping[str, object]) -> None:
    import torch

    with torch.device("meta"):
        width = config.get("cross_attention_dim")
        width = config.get("encoder_hid_dim") or config.get("joint_attention_dim") or width
        width = config.get("caption_channels") or config.get("text_dim") or width
        offered = {
            "timestep": torch.ones(1),
            "encoder_hidden_states": torch.zeros(1, 8, int(width)),
            "pooled_projections": torch.zeros(1, config.get("pooled_projection_dim") or 8),
            "guidance": torch.ones(1) if config.get("guidance_embeds") else None,
            "txt_ids": torch.zeros(8, 3),
            "img_ids": torch.zeros(16, 3),
            "added_cond_kwargs": _added(config),
            "return_dict": False,
        }
        size = int(config.get("sample_size") or 64)
        channels = int(config["in_channels"])
        latent = torch.zeros(1, channels, size, size)
        if "img_ids" in inspect.signature(module.forward).parameters:
            latent = torch.zeros(1, 16, channels)
        if "Wan" in type(module).__name__:
            latent = torch.zeros(1, channels, 1, 16, 16)
            if config.get("image_dim"):
                offered["encoder_hidden_states_image"] = torch.zeros(1, 257, config["image_dim"])
        wanted = inspect.signature(module.forward).parameters
        module(latent, **{key: value for key, value in offered.items() if key in wanted})


def _added(config: Mapping[str, object]) -> dict[str, object]:
    import torch

    if "PixArt" in str(config["_class_name"]):
        return {"resolution": None, "aspect_ratio": None}
    pooled = int(config.get("projection_class_embeddings_input_dim") or 2816)
    ids = 5 if pooled == 2560 else 6
    return {"text_embeds": torch.zeros(1, pooled - 256 * ids), "time_ids": torch.zeros(1, ids)}
