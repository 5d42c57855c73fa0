"""The loaded networks of a model and what belongs to them. How they are loaded, `load` knows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import torch
from torch import nn

from surgery.layout import Layout, detect
from surgery.model.base import PromptTokens
from surgery.model.networks import COMPONENTS, Networks


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """A model in memory, ready to run.

    Args:
        networks: all on one device.
        tokens: role -> tokenizer.
        layout: what the networks are and where their sites are, under names of diffusers.
        fingerprint: of the files that they came from, and of the values in them.
    """

    networks: Networks
    tokens: Mapping[str, PromptTokens] = field(repr=False)
    layout: Layout
    fingerprint: str


def layout_of(
    denoiser: nn.Module,
    towers: Mapping[str, nn.Module],
    tokenizers: Mapping[str, Mapping[str, object] | None] | None = None,
) -> Layout:
    """Recognise networks in memory by the names of their parameters.

    Args:
        tokenizers: "tokenizer/tokenizer_config.json" and the like -> what it says.

    Raises:
        LayoutError: no layout describes them.
    """
    networks = {"unet": denoiser, **{COMPONENTS[role]: one for role, one in towers.items()}}
    named = {
        f"{name}/{parameter}": value
        for name, network in networks.items()
        for parameter, value in network.state_dict().items()
    }
    configs = {f"{name}/config.json": config_of(network) for name, network in networks.items()}
    return detect(named, {**(tokenizers or {}), **configs})


def config_of(network: nn.Module) -> dict[str, object]:
    """A network's configuration as its config.json states it."""
    config: Any = network.config
    return dict(config.to_dict() if hasattr(config, "to_dict") else config)


def fingerprint(networks: Networks, files: str) -> str:
    """Hex digest of the fingerprint of files, of all that is configured and of every value.

    Files alone do not tell: an edit in place changes neither their sizes nor their headers, and
    it may change a single value; a single file may be read by another configuration.
    """
    digest = sha256(files.encode())
    parts = [networks.denoiser, networks.vae, *networks.towers.values()]
    there = [one for one in parts if one is not None]
    for config in (*map(config_of, there), networks.scheduler):
        digest.update(_stated(config))
    digest.update(f"{networks.zero_empty} {networks.side}".encode())
    for network in there:
        for name, held in network.state_dict().items():
            digest.update(name.encode())
            digest.update(held.reshape(-1).cpu().contiguous().view(torch.uint8).numpy())
    return digest.hexdigest()


def _stated(config: Mapping[str, object]) -> bytes:
    # What begins with _ says where a configuration is from, not what it is.
    own = {key: value for key, value in config.items() if not key.startswith("_")}
    return json.dumps(own, sort_keys=True, default=str).encode()
