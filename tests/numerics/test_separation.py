from __future__ import annotations

import numpy as np
import pytest

from surgery.numerics.separation import auc, separation


def samples(gap: float, seed: int = 0, count: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Thirty channels, of which the third and the fifth tell the two sides apart."""
    chance = np.random.default_rng(seed)
    own, plain = chance.standard_normal((2, count, 30))
    own[:, 2] += gap
    own[:, 4] -= gap
    return own, plain


def test_channels_that_differ_tell_unseen_samples_apart() -> None:
    found = separation(*samples(6.0), 2)
    assert found.auc == pytest.approx(1.0)
    assert found.balanced > 0.97


def test_a_small_difference_tells_some_of_them_apart() -> None:
    found = separation(*samples(0.8), 2)
    assert 0.65 < found.auc < 0.95
    assert 0.6 < found.balanced < 0.95


def test_without_a_difference_it_is_chance_though_channels_were_chosen() -> None:
    found = [separation(*samples(0.0, seed), 5) for seed in range(20)]
    assert np.mean([one.auc for one in found]) == pytest.approx(0.5, abs=0.04)
    assert np.mean([one.balanced for one in found]) == pytest.approx(0.5, abs=0.04)


def test_units_and_offsets_of_channels_do_not_matter() -> None:
    own, plain = samples(1.0)
    units, offsets = np.linspace(0.1, 50, 30), np.linspace(-9, 9, 30)
    moved = separation(own * units + offsets, plain * units + offsets, 3)
    expected = separation(own, plain, 3)
    assert moved.auc == pytest.approx(expected.auc)
    assert moved.balanced == pytest.approx(expected.balanced)


def test_a_channel_that_is_constant_within_both_sides_is_no_trouble() -> None:
    own, plain = samples(0.0)
    own[:, 0], plain[:, 0] = 1.0, 0.0
    assert separation(own, plain, 1).auc == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("above", "below", "share"),
    [([2, 3], [0, 1], 1.0), ([0, 1], [2, 3], 0.0), ([1, 1], [1, 1], 0.5), ([0, 2], [1], 0.5)],
)
def test_the_auc_counts_pairs_in_order(above: list[int], below: list[int], share: float) -> None:
    assert auc(np.array(above, float), np.array(below, float)) == share
