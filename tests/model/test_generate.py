"""Pictures in batches: as many as prompts, each of its own prompt and seed."""

from __future__ import annotations

from pathlib import Path

import torch

from surgery.model import generate, load_model


def test_batches_are_told_of_and_put_together(folders: dict[str, Path]) -> None:
    model, told = load_model(folders["sd1"]), []
    prompts = ["a red ball", "a flag", "a blue star"]
    made = generate(model, prompts, [7, 8, 9], steps=1, batch=2, on_batch=told.append)
    assert told == [2, 1]
    assert made.shape == (3, 3, model.resolution, model.resolution)
    assert float(made.abs().max()) <= 1
    again = generate(model, prompts[1:2], [8], steps=1)
    assert torch.allclose(made[1], again[0], atol=1e-4)
