"""Runs in which some cross-attention layers read another prompt (Basu et al. 2024)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from surgery.hooks import Hook
from surgery.model import Conditioning, Model
from surgery.probes.base import Substitute
from surgery.runs.base import Row, Sampling


def substituted(
    model: Model, rows: Sequence[Row], sampling: Sampling, on_step: Callable[[int], None]
) -> Tensor:
    """Each row samples its prompt with its own layers given the prompt without the concept.

    Only the keys and values of the prompt's own branch are concerned: guidance has its empty
    prompt in every layer, and pooled text stays that of the concept.

    Returns:
        Latents (n, channels, height, width).
    """
    asked, hooks = prepared(model, rows)
    return model.denoise(
        asked,
        [row.case.seed for row in rows],
        steps=sampling.steps,
        guidance=sampling.guidance,
        hooks=hooks,
        on_step=lambda *_: on_step(len(rows)),
    )


def prepared(model: Model, rows: Sequence[Row]) -> tuple[Conditioning, list[Hook]]:
    """The prompts with the concept, and the hooks that exchange them in each row's own layers."""
    asked, other = _encoded(model, rows)
    return asked, _hooks(model, rows, model.context(other))


def _encoded(model: Model, rows: Sequence[Row]) -> tuple[Conditioning, Conditioning]:
    """The prompts with and without the concept, each encoded once."""
    said = list(dict.fromkeys(text for row in rows for text in _texts(row)))
    states = model.encode(said)
    place = {text: number for number, text in enumerate(said)}
    with_it = [place[row.case.pair.source] for row in rows]
    without = [place[row.case.pair.target] for row in rows]
    return states.rows(with_it), states.rows(without)


def _texts(row: Row) -> tuple[str, str]:
    return row.case.pair.source, row.case.pair.target


def _hooks(model: Model, rows: Sequence[Row], other: Tensor) -> list[Hook]:
    layers = model.modules("cross_attn")
    told = torch.tensor([[_is_in(row, layer) for row in rows] for layer in range(len(layers))])
    told = told.to(other.device)[:, :, None, None]
    return [
        Hook(module, "context", _exchange(told[layer], other))
        for layer, module in enumerate(layers)
        if told[layer].any()
    ]


def _exchange(told: Tensor, other: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda context: torch.where(told, other, context)


def _is_in(row: Row, layer: int) -> bool:
    what = row.arm.intervention
    assert isinstance(what, Substitute)
    return what.first <= layer < what.stop
