"""How large pictures are, and what the decoder is handed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from surgery.errors import UsageError
from surgery.model import load_model
from surgery.model.pixels import decoded, latent_side, pixels_per_side


def test_a_decoder_enlarges_and_pixels_are_their_own(folders: dict[str, Path]) -> None:
    latent, pixels = load_model(folders["sd1"]).networks, load_model(folders["if"]).networks
    assert (pixels_per_side(latent.vae), pixels_per_side(pixels.vae)) == (8, 1)
    assert (latent_side(latent, None), latent_side(latent, 256)) == (8, 32)
    assert (latent_side(pixels, None), latent_side(pixels, 64)) == (16, 64)


def test_a_denoiser_that_halves_pixels_needs_a_multiple(folders: dict[str, Path]) -> None:
    networks = load_model(folders["if"]).networks
    with pytest.raises(UsageError, match="a multiple of 8; its own are 16"):
        latent_side(networks, 20)


def test_a_model_without_a_size_must_be_given_one(folders: dict[str, Path]) -> None:
    networks = replace(load_model(folders["sd1"]).networks, side=0)
    assert latent_side(networks, 64) == 8
    with pytest.raises(UsageError, match="does not say how large"):
        latent_side(networks, None)


def test_latents_are_turned_back_into_the_decoders_own(folders: dict[str, Path]) -> None:
    vae = load_model(folders["sd1"]).networks.vae
    latents = torch.randn(1, 4, 8, 8)
    vae.register_to_config(scaling_factor=0.5, latents_mean=[1.0] * 4, latents_std=[3.0] * 4)
    with torch.no_grad():
        assert torch.equal(decoded(vae, latents), vae.decode(latents * 3 / 0.5 + 1).sample)
        vae.register_to_config(latents_mean=None, latents_std=None, shift_factor=0.25)
        assert torch.equal(decoded(vae, latents), vae.decode(latents / 0.5 + 0.25).sample)
