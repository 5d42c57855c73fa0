"""What the denoiser is told: the states that the family reads, changed by hooks or not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from surgery.errors import EditError
from surgery.hooks import Hook
from surgery.model import Conditioning, DiffusersModel, load_model

PROMPTS = ("a painting by van gogh", "a red ball", "")


def doubled(states: Tensor) -> Tensor:
    return states * 2


@pytest.mark.parametrize("what", ["self_attn", "mlp", "layer", "embedding"])
def test_a_change_in_a_text_tower_reaches_what_is_told(what: str, model: DiffusersModel) -> None:
    for role in model.towers:
        module = model.modules(f"{role}.{what}")[0]
        changed = model.encode(PROMPTS, [Hook(module, "output", doubled)])
        assert not torch.allclose(changed.states, model.encode(PROMPTS).states, atol=1e-3)


def test_a_change_of_the_layer_that_sdxl_reads_is_what_it_reads(folders: dict[str, Path]) -> None:
    model = load_model(folders["sdxl"])
    plain = model.encode(PROMPTS)
    hooks = [Hook(model.modules("text.layer")[-2], "output", doubled)]
    width = model.layout.tower("text").width
    changed = model.encode(PROMPTS, hooks).states
    assert torch.equal(changed[..., :width], 2 * plain.states[..., :width])
    assert torch.equal(changed[..., width:], plain.states[..., width:])
    last = [Hook(model.modules("text.layer")[-1], "output", doubled)]
    assert torch.equal(model.encode(PROMPTS, last).states, plain.states)


def test_sdxl_reads_the_second_to_last_states_of_both_towers(folders: dict[str, Path]) -> None:
    model = load_model(folders["sdxl"])
    told = model.encode(PROMPTS)
    parts = []
    for role, tower in load_model(folders["sdxl"]).towers.items():
        ids = torch.tensor([model.tokens(role).padded(prompt) for prompt in PROMPTS])
        said = tower(ids, output_hidden_states=True)
        parts.append(said.hidden_states[-2])
    assert torch.equal(told.states, torch.cat(parts, dim=-1))
    assert torch.equal(told.pooled, said.text_embeds)


def test_what_is_told_does_not_depend_on_other_prompts(model: DiffusersModel) -> None:
    together = model.encode(PROMPTS)
    for number, prompt in enumerate(PROMPTS):
        alone = model.encode([prompt])
        assert torch.allclose(together.rows([number]).states, alone.states, atol=1e-5)


def test_a_prompt_that_is_too_long_is_refused_and_never_cut(model: DiffusersModel) -> None:
    with pytest.raises(EditError, match="and the model reads 77"):
        model.encode(["red ball " * 40])


def test_rows_are_taken_and_put_together(model: DiffusersModel) -> None:
    told = model.encode(PROMPTS)
    assert len(told) == 3
    again = Conditioning.cat([told.rows([2, 0]), told.rows(slice(1, 2))])
    assert torch.equal(again.states, told.states[[2, 0, 1]])
    assert torch.equal(told.rows(torch.tensor([1, 1])).states, told.states[[1, 1]])
    if told.pooled is not None:
        assert torch.equal(again.pooled, told.pooled[[2, 0, 1]])
