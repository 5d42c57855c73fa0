from __future__ import annotations

import numpy as np
import pytest

from surgery.numerics.stats import drift, leak

W = np.array([[1.0, 0.0], [0.0, 2.0]])
K = np.array([[1.0, 0.0], [0.0, 1.0]])


def test_leak_is_the_distance_to_the_targets_output_against_its_size() -> None:
    targets = np.array([[0.0, 1.0], [0.0, 1.0]])
    before = leak(W, W, K, targets)
    np.testing.assert_allclose(before, [np.sqrt(5) / 2, 0])


def test_leak_is_zero_where_the_key_gives_what_its_target_gave() -> None:
    after = np.array([[0.0, 0.0], [2.0, 2.0]])
    assert leak(W, after, K[:1], K[1:]) == pytest.approx([0.0])


def test_drift_is_the_change_of_output_against_its_size() -> None:
    after = W + np.array([[0.5, 0.0], [0.0, 0.0]])
    np.testing.assert_allclose(drift(W, after, K), [0.5, 0.0])


def test_an_output_of_nothing_has_drifted_without_bound_or_not_at_all() -> None:
    nothing = np.zeros((1, 2))
    np.testing.assert_array_equal(drift(W, 2 * W, nothing), [0.0])
    np.testing.assert_array_equal(drift(0 * W, W, K[:1]), [np.inf])
