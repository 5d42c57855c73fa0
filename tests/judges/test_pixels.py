from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from surgery.errors import CheckpointError
from surgery.judges.pixels import CLIP_MEAN, CLIP_STD, HALF, Preparation, preparation
from tests.judges.build import random_pictures

FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


def by_pillow(picture: torch.Tensor, size: tuple[int, int], mode: str) -> np.ndarray:
    """(3, H, W) in [-1, 1] → (3, h, w) in [0, 1], each channel resized as floats."""
    values = ((picture + 1) / 2).numpy()
    shown = [Image.fromarray(one).resize(size[::-1], FILTERS[mode]) for one in values]
    return np.stack([np.asarray(one) for one in shown]).clip(0, 1)


def unnormalised(prepared: torch.Tensor) -> np.ndarray:
    return (prepared * torch.tensor(HALF)[:, None, None] + 0.5).numpy()


@pytest.mark.parametrize("mode", ["bicubic", "bilinear"])
@pytest.mark.parametrize("side", [24, 150])
def test_resizing_is_that_of_pillow(mode: str, side: int) -> None:
    (picture,) = random_pictures(1)
    prepare = Preparation(side, side, mode, HALF, HALF)
    found = unnormalised(prepare(picture[None])[0])
    np.testing.assert_allclose(found, by_pillow(picture, (side, side), mode), atol=2e-3)


def test_the_middle_is_cut_out_of_what_is_not_square() -> None:
    (picture,) = random_pictures(1, 64, 96)
    found = unnormalised(Preparation(32, 32, mean=HALF, std=HALF)(picture[None])[0])
    whole = by_pillow(picture, (32, 48), "bicubic")
    np.testing.assert_allclose(found, whole[:, :, 8:40], atol=2e-3)


def test_without_an_edge_a_picture_is_squeezed_into_the_square() -> None:
    (picture,) = random_pictures(1, 64, 96)
    found = unnormalised(Preparation(32, None, mean=HALF, std=HALF)(picture[None])[0])
    np.testing.assert_allclose(found, by_pillow(picture, (32, 32), "bicubic"), atol=2e-3)


def test_a_picture_of_the_right_size_stays_what_it_is() -> None:
    pictures = random_pictures(2, 32, 32)
    assert torch.allclose(Preparation(32, 32, mean=HALF, std=HALF)(pictures), pictures, atol=1e-6)


def test_values_are_normalised_by_channel() -> None:
    found = Preparation(8, 8)(torch.full((1, 3, 8, 8), -1.0))[0, :, 0, 0]
    assert found.tolist() == pytest.approx(
        [-m / s for m, s in zip(CLIP_MEAN, CLIP_STD, strict=True)]
    )


@pytest.mark.parametrize(
    ("config", "made"),
    [
        (None, Preparation(224, 224)),
        ({"size": 224, "resample": 3}, Preparation(224, 224)),
        ({"size": {"shortest_edge": 256}, "resample": 2}, Preparation(224, 256, "bilinear")),
        ({"size": {"height": 224, "width": 224}}, Preparation(224, None)),
        (
            {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "size": 224},
            Preparation(224, 224, mean=HALF, std=HALF),
        ),
    ],
)
def test_a_preprocessor_file_is_read(config: dict[str, object] | None, made: Preparation) -> None:
    assert preparation(config, 224, "there") == made


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"resample": 1}, "there: the resampling 1 is not among those known here"),
        ({"image_mean": [0.5]}, "there: image_mean is not a list of three numbers"),
        ({"image_std": "none"}, "there: image_std is not a list of three numbers"),
    ],
)
def test_a_preprocessor_file_that_cannot_be_meant_is_refused(
    config: dict[str, object], message: str
) -> None:
    with pytest.raises(CheckpointError, match=message):
        preparation(config, 224, "there")
