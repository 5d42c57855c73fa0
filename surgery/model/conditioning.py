"""What each family's denoiser is told of a prompt: which states of which text tower.

Hooks of whoever asks are in force while the towers run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from surgery.hooks import Hook, intervene
from surgery.layout import Layout
from surgery.model.base import Conditioning, PromptTokens
from surgery.model.sites import modules

Ids = Sequence[Sequence[int]]


def encode(
    prompts: Sequence[str],
    layout: Layout,
    towers: Mapping[str, nn.Module],
    tokens: Mapping[str, PromptTokens],
    hooks: Sequence[Hook],
) -> Conditioning:
    """Run every text tower of the family over prompts.

    Raises:
        EditError: a prompt that is longer than a tower reads.
    """
    ids = {role: [tokens[role].padded(prompt) for prompt in prompts] for role in towers}
    with intervene(hooks):
        if layout.family == "sdxl":
            first = _penultimate(towers["text"], ids["text"], _layers(layout, towers, "text"))
            second = _penultimate(towers["text2"], ids["text2"], _layers(layout, towers, "text2"))
            return Conditioning(torch.cat([first[0], second[0]], dim=-1), second[1].text_embeds)
        if layout.family == "if":
            lengths = [len(tokens["text"].encode(prompt)) for prompt in prompts]
            return Conditioning(_t5(towers["text"], ids["text"], lengths))
        return Conditioning(towers["text"](_tensor(ids["text"], towers["text"])).last_hidden_state)


def _layers(layout: Layout, towers: Mapping[str, nn.Module], role: str) -> tuple[nn.Module, ...]:
    return modules(f"{role}.layer", layout, nn.Module(), towers)


def _penultimate(tower: nn.Module, ids: Ids, layers: Sequence[nn.Module]) -> tuple[Tensor, Any]:
    """The states before the last layer, and all else that the tower says.

    The tower's own record of its states is kept apart from what hooks make of them.
    """
    kept: list[Tensor] = []

    def keep(states: Tensor) -> Tensor:
        kept.append(states)
        return states

    with intervene([Hook(layers[-2], "output", keep)]):
        said = tower(_tensor(ids, tower))
    return kept[0], said


def _t5(tower: nn.Module, ids: Ids, lengths: Sequence[int]) -> Tensor:
    filled = _tensor(ids, tower)
    places = torch.arange(filled.shape[1], device=filled.device)
    mask = places < torch.tensor(lengths, device=filled.device)[:, None]
    states: Tensor = tower(filled, attention_mask=mask.long()).last_hidden_state
    return states


def _tensor(ids: Ids, tower: nn.Module) -> Tensor:
    return torch.tensor(ids, device=next(tower.parameters()).device)
