"""Values of files become networks: every form that is read, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from surgery.errors import CheckpointError
from surgery.model.networks import sample_side, value, zeros_for_empty
from surgery.store.checkpoint import open_checkpoint

KINDS = (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_values_are_read_as_stored_or_as_asked(kind: torch.dtype, tmp_path: Path) -> None:
    wanted = torch.randn(6, 3).to(kind)
    save_file({"a": wanted}, tmp_path / "a.safetensors")
    ref = open_checkpoint(tmp_path / "a.safetensors")["a"]
    assert torch.equal(value(ref).float(), wanted.float()) and value(ref).dtype == kind
    assert torch.equal(value(ref, torch.float32, (2, 5)), wanted[2:5].float())


def test_whole_numbers_and_empty_tensors_stay_what_they_are(tmp_path: Path) -> None:
    held = {"ids": torch.arange(4), "none": torch.zeros(0, 3), "one": torch.tensor(2.5)}
    save_file(held, tmp_path / "a.safetensors")
    opened = open_checkpoint(tmp_path / "a.safetensors")
    for name, wanted in held.items():
        found = value(opened[name], torch.float32)
        assert found.shape == wanted.shape and torch.equal(found, wanted)


def test_values_in_another_form_are_refused(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(4, dtype=torch.uint8)}, tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match="values stored as U8 cannot be run"):
        value(open_checkpoint(tmp_path / "a.safetensors")["a"])


@pytest.mark.parametrize(
    ("stated", "side"), [(64, 64), ([96, 96], 96), ([64, 32], 0), (None, 0), ("64", 0)]
)
def test_the_side_of_latents_is_what_the_configuration_says(stated: object, side: int) -> None:
    assert sample_side({"sample_size": stated}) == side


def test_the_empty_prompt_of_two_towers_is_zeros_unless_said_otherwise() -> None:
    assert not zeros_for_empty({"text_encoder": []})
    assert zeros_for_empty({"text_encoder_2": []})
    assert not zeros_for_empty({"text_encoder_2": [], "force_zeros_for_empty_prompt": False})
