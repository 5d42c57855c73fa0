from __future__ import annotations

from pathlib import Path

import pytest
import torch

from surgery.atelier.world import Scene
from surgery.judges.distance import VisionDistance
from surgery.judges.towers import load_towers
from tests.judges.build import drawn, random_pictures, write_siglip

OWN = VisionDistance(load_towers("atelier"))
STAR, RED_BALL = Scene("star", "red"), Scene("ball", "red", "escher")


def test_the_same_picture_is_no_distance_from_itself() -> None:
    pictures = random_pictures(3)
    assert OWN.between(pictures, pictures.clone()) == [0.0, 0.0, 0.0]


def test_it_is_the_same_both_ways() -> None:
    first, second = random_pictures(4).split(2)
    assert OWN.between(first, second) == pytest.approx(OWN.between(second, first), abs=1e-6)


def test_a_little_noise_is_nearer_than_another_picture() -> None:
    star, other = drawn(STAR), drawn(RED_BALL)
    noisy = star + 0.01 * torch.randn(star.shape, generator=torch.Generator().manual_seed(0))
    (near,), (far,) = OWN.between(star, noisy), OWN.between(star, other)
    assert 0 < near < 0.05 < 0.2 < far < 2


def test_each_row_is_judged_by_itself() -> None:
    pictures = drawn(STAR, RED_BALL, STAR)
    whole = OWN.between(pictures, pictures.flip(0))
    alone = [OWN.between(pictures[n : n + 1], pictures.flip(0)[n : n + 1])[0] for n in range(3)]
    assert whole == pytest.approx(alone, abs=1e-5)


def test_siglip_has_a_vision_tower_too(tmp_path: Path) -> None:
    distance = VisionDistance(load_towers(write_siglip(tmp_path)))
    (found,) = distance.between(random_pictures(1), -random_pictures(1))
    assert 0 < found < 2
