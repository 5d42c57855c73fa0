"""Paints an item: the models that this process has loaded, and pictures from them."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from surgery.engine.serial import torch_threads
from surgery.errors import CheckpointError, UsageError
from surgery.model import DiffusersModel, load_model
from surgery.store.checkpoint import open_checkpoint
from surgery.verify.items import Batch, Item, ItemResult, Painting, Pixels

_MOST = 2
"""Models that a process holds: the one before and the one after."""
_held: OrderedDict[tuple[str, str, Painting], DiffusersModel] = OrderedDict()


def paint(item: Item) -> ItemResult:
    """See `items.run_item`."""
    with torch_threads(item.painting.threads):
        model = _model(item)
        before = model.evaluations
        made = [_pictures(model, one, item.painting.steps) for one in item.batches]
        return ItemResult(item.number, item.arm, np.concatenate(made), model.evaluations - before)


def model_of(item: Item) -> DiffusersModel:
    """The model that an item is painted by, loaded once."""
    return _model(item)


def forget() -> None:
    """Let the models go."""
    _held.clear()


def _model(item: Item) -> DiffusersModel:
    key = item.model, item.fingerprint, replace(item.painting, steps=0)
    if key not in _held:
        while len(_held) >= _MOST:
            _held.popitem(last=False)
        _held[key] = _loaded(item)
    _held.move_to_end(key)
    return _held[key]


def _loaded(item: Item) -> DiffusersModel:
    opened, how = open_checkpoint(item.model), item.painting
    if opened.fingerprint != item.fingerprint:
        raise CheckpointError("the model changed while it was verified", where=item.model)
    model = load_model(
        opened,
        config=Path(how.config) if how.config else None,
        tokenizer=Path(how.tokenizer) if how.tokenizer else None,
        device=how.device,
        dtype=how.dtype,
        resolution=how.resolution,
    )
    if not how.scheduler:
        return model
    networks = replace(model.networks, scheduler=json.loads(how.scheduler))
    return DiffusersModel(replace(model.parts, networks=networks), how.resolution)


def _pictures(model: DiffusersModel, batch: Batch, steps: int) -> Pixels:
    told = model.encode(batch.prompts)
    latents = model.denoise(told, batch.seeds, steps=steps, guidance=batch.guidance)
    if not torch.isfinite(latents).all():
        dtype = str(model.dtype).removeprefix("torch.")
        raise UsageError(
            f"in {dtype} the model's numbers overflow",
            hint="choose --dtype bfloat16 or float32, or less --guidance",
        )
    pictures = model.decode(latents).add(1).mul(127.5).round().permute(0, 2, 3, 1)
    return pictures.cpu().numpy().astype(np.uint8)
