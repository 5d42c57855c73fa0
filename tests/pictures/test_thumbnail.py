from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from surgery.pictures.thumbnail import SIDE, thumbnail


def opened(png: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(png, validate=True)))


def test_a_small_picture_keeps_every_pixel() -> None:
    picture = torch.stack([torch.full((4, 4), value) for value in (-1.0, 0.0, 1.0)])
    found = opened(thumbnail(picture))
    assert found.format == "PNG"
    assert (found.mode, found.size) == ("RGB", (4, 4))
    assert np.unique(np.asarray(found).reshape(-1, 3), axis=0).tolist() == [[0, 128, 255]]


@pytest.mark.parametrize(("height", "width"), [(512, 512), (1024, 512), (100, 300)])
def test_a_large_picture_is_made_smaller_in_its_own_shape(height: int, width: int) -> None:
    found = opened(thumbnail(torch.zeros(3, height, width)))
    assert max(found.size) == SIDE
    assert found.width / found.height == pytest.approx(width / height, rel=0.05)
    assert opened(thumbnail(torch.zeros(3, height, width), side=20)).size < (21, 21)


def test_what_is_up_is_up_and_what_is_red_is_red() -> None:
    picture = -torch.ones(3, 8, 8)
    picture[0, :4] = 1
    pixels = np.asarray(opened(thumbnail(picture)))
    assert pixels[0, 0].tolist() == [255, 0, 0]
    assert pixels[-1, -1].tolist() == [0, 0, 0]


def test_half_precision_and_values_outside_the_range_are_taken() -> None:
    picture = torch.tensor([-3.0, 0.5, 7.0])[:, None, None].expand(3, 2, 2)
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        assert np.asarray(opened(thumbnail(picture.to(dtype))))[0, 0].tolist() == [0, 191, 255]


def test_equal_pictures_give_equal_text() -> None:
    picture = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert thumbnail(picture) == thumbnail(picture.clone())
