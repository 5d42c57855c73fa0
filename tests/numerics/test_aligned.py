from __future__ import annotations

import numpy as np
import pytest

from surgery.numerics.aligned import Directions, by_head, standing_out

WIDTH = 6


def draws(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def plain() -> np.ndarray:
    return draws(0, 40, WIDTH) * np.array([9, 3, 1, 1, 1, 0.3])


def dropped(found: Directions, samples: np.ndarray) -> np.ndarray:
    return samples - samples @ found.read @ found.fill.T


def held(ridge: float) -> np.ndarray:
    moment = plain().T @ plain()
    return moment / np.trace(moment) * WIDTH + ridge * np.eye(WIDTH)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_what_is_dropped_is_gone_and_dropping_again_takes_nothing(count: int) -> None:
    found = standing_out(draws(1, 30, WIDTH), plain(), count, 0.1)
    np.testing.assert_allclose(found.read.T @ found.fill, np.eye(count), atol=1e-12)
    once = dropped(found, draws(2, 5, WIDTH))
    np.testing.assert_allclose(once @ found.read, 0, atol=1e-12)
    np.testing.assert_allclose(dropped(found, once), once, atol=1e-12)


def test_a_difference_along_one_direction_is_all_taken() -> None:
    way = draws(3, WIDTH)
    differences = draws(4, 20, 1) * way
    found = standing_out(differences, plain(), 3, 0.1)
    assert found.shares == pytest.approx([1.0])
    np.testing.assert_allclose(dropped(found, differences), 0, atol=1e-10)


def test_they_are_the_generalised_eigenvectors() -> None:
    differences = draws(1, 30, WIDTH)
    found = standing_out(differences, plain(), 3, 0.1)
    moment = differences.T @ differences
    for read in found.read.T:
        own, other = moment @ read, held(0.1) @ read
        np.testing.assert_allclose(own, other * (read @ own) / (read @ other), rtol=1e-8)
    assert (np.diff(found.shares) <= 0).all()


def test_no_other_direction_has_more_of_the_difference_against_plain() -> None:
    differences = draws(1, 30, WIDTH)
    best = standing_out(differences, plain(), 1, 0.1).read[:, 0]

    def ratio(way: np.ndarray) -> float:
        return float(np.sum((differences @ way) ** 2) / (way @ held(0.1) @ way))

    assert all(ratio(way) <= ratio(best) for way in draws(5, 500, WIDTH))


def test_a_large_ridge_leaves_the_principal_directions() -> None:
    differences = draws(1, 30, WIDTH)
    found = standing_out(differences, plain(), 2, 1e9)
    _, _, main = np.linalg.svd(differences, full_matrices=False)
    np.testing.assert_allclose(found.read @ found.fill.T, main[:2].T @ main[:2], atol=1e-6)


def test_where_plain_samples_are_large_less_is_taken_from() -> None:
    way = np.ones(WIDTH)
    found = standing_out(way[None], plain(), 1, 1e-3)
    assert abs(found.read[0, 0]) < abs(found.read[-1, 0])
    moved = plain() - dropped(found, plain())
    straight = np.outer(plain() @ way, way) / WIDTH
    assert np.linalg.norm(moved) < 0.2 * np.linalg.norm(straight)


def test_no_difference_gives_no_direction() -> None:
    found = standing_out(np.zeros((4, WIDTH)), plain(), 2, 0.1)
    assert found.read.shape == found.fill.shape == (WIDTH, 0)
    assert found.shares.shape == (0,)


def test_without_plain_samples_the_ridge_alone_counts() -> None:
    found = standing_out(draws(1, 30, WIDTH), np.zeros((3, WIDTH)), 1, 0.5)
    assert np.isfinite(found.read).all()


def test_how_often_everything_is_said_and_in_what_units_does_not_matter() -> None:
    differences = draws(1, 30, WIDTH)
    expected = standing_out(differences, plain(), 2, 0.1)
    again = standing_out(
        np.concatenate([differences, differences]) * 7, np.concatenate([plain(), plain()]), 2, 0.1
    )
    np.testing.assert_allclose(
        again.fill @ again.read.T, expected.fill @ expected.read.T, atol=1e-10
    )
    np.testing.assert_allclose(again.shares, expected.shares)


def test_heads_share_out_the_rows() -> None:
    assert by_head(3, 12) == (slice(0, 4), slice(4, 8), slice(8, 12))
    assert by_head(1, 5) == (slice(0, 5),)
