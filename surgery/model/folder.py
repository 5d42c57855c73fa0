"""The networks of a diffusers folder, each by its class in model_index.json and its own files."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import nn

from surgery.errors import CheckpointError
from surgery.model.networks import (
    CLASSES,
    COMPONENTS,
    Config,
    Networks,
    Tensors,
    network,
    sample_side,
    value,
    zeros_for_empty,
)
from surgery.store.checkpoint import Checkpoint
from surgery.store.text import visible

_SCHEDULER = "scheduler/scheduler_config.json"
_NETWORKS = ("unet", "vae", *COMPONENTS.values())
# Attention of a VAE as diffusers before 0.18 named it.
_OLD = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
_OLD_NAME = re.compile(rf"(?<=\battentions\.\d\.)({'|'.join(_OLD)})(?=\.)")


def from_folder(checkpoint: Checkpoint, dtype: torch.dtype) -> Networks:
    """Load the networks that a diffusers folder lists.

    Raises:
        CheckpointError: one is missing, damaged, or of a class that is not run here.
    """
    index = checkpoint.json("model_index.json") or {}
    named = {name: _class(name, index[name], checkpoint) for name in _NETWORKS if name in index}
    loaded = {name: _network(checkpoint, name, kind, dtype) for name, kind in named.items() if kind}
    return Networks(
        denoiser=_needed(loaded, "unet", checkpoint),
        vae=loaded.get("vae"),
        towers={role: loaded[name] for role, name in COMPONENTS.items() if name in loaded},
        scheduler={"prediction_type": "epsilon", **_json(checkpoint, _SCHEDULER)},
        zero_empty=zeros_for_empty(index),
        side=sample_side(_json(checkpoint, "unet/config.json")),
    )


def _class(name: str, entry: object, checkpoint: Checkpoint) -> str | None:
    """The class of a component, or None where the pipeline does without it."""
    kind = entry[1] if isinstance(entry, list) and len(entry) == 2 else None
    if kind is not None and kind not in CLASSES:
        raise CheckpointError(
            f"its {name} is a {visible(str(kind))}, which this release does not run",
            where=visible(checkpoint.address),
            hint=f"it runs {', '.join(CLASSES)}",
        )
    return kind


def _network(checkpoint: Checkpoint, name: str, kind: str, dtype: torch.dtype) -> nn.Module:
    config = _json(checkpoint, f"{name}/config.json")
    # The picture decoder overflows in half precision.
    dtype = torch.float32 if name == "vae" and dtype == torch.float16 else dtype
    own = {
        full.removeprefix(f"{name}/"): ref
        for full, ref in checkpoint.items()
        if full.startswith(f"{name}/")
    }
    tensors: Tensors = {_new_name(one): value(ref, dtype) for one, ref in own.items()}
    try:
        return network(kind, config, tensors, dtype)
    except CheckpointError as error:
        raise CheckpointError(
            error.what, where=visible(f"{checkpoint.address}/{name}"), hint=error.hint
        ) from error


def _new_name(name: str) -> str:
    return _OLD_NAME.sub(lambda found: _OLD[found[1]], name)


def _json(checkpoint: Checkpoint, path: str) -> Config:
    found = checkpoint.json(path)
    if found is None:
        raise CheckpointError(f"there is no {path}", where=visible(checkpoint.address))
    return found


def _needed(loaded: Mapping[str, nn.Module], name: str, checkpoint: Checkpoint) -> nn.Module:
    if name not in loaded:
        raise CheckpointError(f"the pipeline has no {name}", where=visible(checkpoint.address))
    return loaded[name]
