"""Loads a checkpoint's networks into memory. Nothing but the checkpoint itself is ever fetched."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import torch
from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging

from surgery.errors import CheckpointError, UsageError
from surgery.layout import RUN, Layout
from surgery.model.base import Precision, PromptTokens
from surgery.model.diffusers_model import DiffusersModel
from surgery.model.folder import from_folder
from surgery.model.networks import Networks
from surgery.model.parts import Parts, config_of, fingerprint, layout_of
from surgery.model.schedule import checked
from surgery.model.single import from_single
from surgery.model.t5_tokens import load_t5_tokens
from surgery.model.unstated import decided
from surgery.scaled import scale_name
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from surgery.store.text import visible
from surgery.tokens import find_tokens

_TOKENIZER_FILES = ("special_tokens_map.json", "tokenizer_config.json")

diffusers_logging.disable_progress_bar()
transformers_logging.disable_progress_bar()


def load_model(
    checkpoint: Checkpoint | str | Path,
    *,
    config: Path | None = None,
    tokenizer: Path | None = None,
    device: str = "cpu",
    dtype: Precision = "float32",
    resolution: int | None = None,
) -> DiffusersModel:
    """Load a text-to-image model: a diffusers folder, or a single file with all its networks.

    Args:
        checkpoint: it, or its address.
        config: a diffusers folder that states the configuration of a single file; left out, it is
            that of Stable Diffusion 1.5, 2.1 or XL, as the file's structure says.
        tokenizer: a folder with the model's tokenizer, where none is beside the weights.
        device: `cpu`, `cuda`, `cuda:1`, `mps`.
        dtype: what the networks compute in; between steps everything is float32.
        resolution: height and width of pictures in pixels; left out, the model's own.

    Raises:
        UsageError: a device that is not there, or a resolution that the model cannot paint.
        CheckpointError: a network, configuration or tokenizer is missing or does not fit.
        LayoutError: no layout describes it.
    """
    place, precision = device_of(device), _precision(dtype)
    opened = checkpoint if isinstance(checkpoint, Checkpoint) else open_checkpoint(checkpoint)
    opened = opened.here()
    _check_values(opened)
    networks = _networks(opened, config, precision)
    towers = networks.towers
    layout = layout_of(networks.denoiser, towers, _tokenizer_files(opened))
    _check(networks, layout, opened)
    places = {role: _tokenizer(layout.tower(role).tokenizer, tokenizer, config) for role in towers}
    tokens = {role: _tokens(role, networks, layout, opened, places[role]) for role in towers}
    print_of = fingerprint(networks, opened.fingerprint)
    parts = Parts(networks.to(place), tokens, layout, print_of)
    return DiffusersModel(decided(parts), resolution)


def device_of(name: str) -> torch.device:
    """The device of a name.

    Raises:
        UsageError: it is not here, or there is no such name.
    """
    try:
        place = torch.device(name)
    except RuntimeError as error:
        raise UsageError(
            f"no device is called {visible(name)!r}", hint="cpu, cuda or mps"
        ) from error
    there = {
        "cpu": True,
        "cuda": (place.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there.get(place.type, False):
        raise UsageError(f"there is no {visible(name)} here", hint="cpu always is")
    return place


def _precision(name: str) -> torch.dtype:
    if name not in get_args(Precision):
        known = ", ".join(get_args(Precision))
        raise UsageError(f"networks do not compute in {visible(name)!r}", hint=f"in {known}")
    dtype = getattr(torch, name)
    assert isinstance(dtype, torch.dtype)
    return dtype


def _check_values(checkpoint: Checkpoint) -> None:
    for name in checkpoint:
        if scale_name(name, checkpoint) is not None:
            raise CheckpointError(
                f"{visible(name)} is stored as 8-bit numbers with a scale, which cannot be run",
                where=visible(checkpoint.address),
                hint="give the model in half precision",
            )


def _networks(checkpoint: Checkpoint, config: Path | None, dtype: torch.dtype) -> Networks:
    if checkpoint.json("model_index.json") is None:
        return from_single(checkpoint, config, dtype)
    if config is not None:
        raise UsageError(
            "a diffusers folder states its own configuration",
            where=visible(checkpoint.address),
            hint="leave --config out",
        )
    return from_folder(checkpoint, dtype)


def _check(networks: Networks, layout: Layout, checkpoint: Checkpoint) -> None:
    where = visible(checkpoint.address)
    if layout.family not in RUN:
        raise CheckpointError(
            f"{layout.name} models cannot be run by this release",
            where=where,
            hint=f"{', '.join(RUN)} can",
        )
    needed = ("text", "text2") if layout.family == "sdxl" else ("text",)
    if absent := [role for role in needed if role not in networks.towers]:
        raise CheckpointError(
            f"it has no {absent[0]} tower", where=where, hint="give the whole model"
        )
    checked(networks.scheduler, where)
    if networks.vae is None and layout.family != "if":
        raise CheckpointError("it has no vae", where=where, hint="give the whole model")
    read = config_of(networks.denoiser)["in_channels"]
    made = 3 if networks.vae is None else config_of(networks.vae)["latent_channels"]
    if read != made:
        raise CheckpointError(
            f"its denoiser reads {read} channels and paints {made}, so it begins with a picture",
            where=where,
            hint="give a model that paints from text alone",
        )


def _tokens(
    role: str, networks: Networks, layout: Layout, checkpoint: Checkpoint, given: Path | None
) -> PromptTokens:
    shape = layout.tower(role)
    if shape.kind == "t5":
        return load_t5_tokens(given or checkpoint.folder(shape.tokenizer), shape.max_length)
    rows = int(str(config_of(networks.towers[role])["vocab_size"]))
    return find_tokens(checkpoint, shape, rows, given)


def _tokenizer(name: str, given: Path | None, config: Path | None) -> Path | None:
    """The folder that was given for a tokenizer: itself, or the part of a pipeline's folder."""
    inside = [folder / name for folder in (given, config) if folder is not None]
    return next((folder for folder in inside[:1] if folder.is_dir()), given)


def _tokenizer_files(checkpoint: Checkpoint) -> Mapping[str, Mapping[str, object] | None]:
    names = [f"{one}/{file}" for one in ("tokenizer", "tokenizer_2") for file in _TOKENIZER_FILES]
    return {name: checkpoint.json(name) for name in names}
