from __future__ import annotations

import numpy as np
import pytest

from surgery.numerics.stats import drift, leak

W = np.array([[1.0, 0.0], [0.0, 2.0]])
K = np.array([[1.0, 0.0], [0.0, 1.0]])


def test_leak_is_one_for_an_untouched_key_and_zero_for_one_that_is_its_target() -> None:
    targets = np.array([[0.0, 1.0], [0.0, 1.0]])
    np.testing.assert_allclose(leak(W, W, K, targets), [1, 0])


def test_leak_is_the_share_of_the_way_that_is_left() -> None:
    after = W.copy()
    after[:, 0] = (W[:, 0] + 3 * W[:, 1]) / 4
    assert leak(W, after, K[:1], K[1:]) == pytest.approx([0.25])


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
