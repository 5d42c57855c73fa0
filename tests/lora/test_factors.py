from __future__ import annotations

import numpy as np
import pytest

from surgery.edits.delta import LowRank
from surgery.lora.factors import Spans, balanced, joined, widened
from tests.helpers.loras import low_rank


def product(change: LowRank) -> np.ndarray:
    return change.up @ change.down


def relative(found: LowRank, wanted: LowRank) -> float:
    error = np.linalg.norm(product(found) - product(wanted))
    return float(error / np.linalg.norm(product(wanted)))


@pytest.mark.parametrize(("out", "inner", "rank"), [(40, 24, 1), (40, 24, 7), (24, 40, 24)])
def test_balanced_factors_have_the_product_and_equal_gram_matrices(
    out: int, inner: int, rank: int
) -> None:
    change = low_rank(out, inner, rank)
    found = balanced(change)
    assert found.rank == rank
    assert relative(found, change) < 1e-13
    gram, other = found.up.T @ found.up, found.down @ found.down.T
    np.testing.assert_allclose(gram, other, rtol=0, atol=1e-12 * np.abs(gram).max())
    np.testing.assert_allclose(gram, np.diag(np.diag(gram)), atol=1e-12 * np.abs(gram).max())
    assert list(np.diag(gram)) == sorted(np.diag(gram), reverse=True)


def test_the_lengths_are_those_of_the_change_itself() -> None:
    change = low_rank(30, 20, 5)
    found = balanced(change)
    singular = np.linalg.svd(product(change), compute_uv=False)[:5]
    np.testing.assert_allclose((found.up**2).sum(0), singular, rtol=1e-9)


def test_factors_that_hide_a_small_product_keep_their_digits() -> None:
    """A Gram matrix would square this condition number and leave nothing of it."""
    draw = np.random.default_rng(0)
    basis, _ = np.linalg.qr(draw.normal(size=(50, 4)))
    down = np.diag([1, 1e-3, 1e-6, 1e-9]) @ basis.T
    up = draw.normal(size=(60, 4)) @ np.diag([1, 1e3, 1e6, 1e9])
    found = balanced(LowRank(up, down))
    assert found.rank == 4
    assert relative(found, LowRank(up, down)) < 1e-9


def test_two_changes_of_one_weight_become_one_of_their_rank() -> None:
    one, two = low_rank(20, 16, 2, seed=1), low_rank(20, 16, 3, seed=2)
    found = balanced(joined([one, two]))
    assert found.rank == 5
    np.testing.assert_allclose(product(found), product(one) + product(two), atol=1e-13)


def test_what_depends_on_the_rest_is_no_rank_of_its_own() -> None:
    one = low_rank(20, 16, 2, seed=1)
    assert balanced(joined([one, LowRank(2 * one.up, one.down)])).rank == 2
    assert balanced(joined([one, LowRank(-one.up, one.down)])).rank == 0


def test_a_small_component_is_kept() -> None:
    one, small = low_rank(20, 16, 2, seed=1), low_rank(20, 16, 1, seed=2, size=1e-11)
    assert balanced(joined([one, small])).rank == 3


def test_more_keys_than_columns_leave_the_rank_of_the_matrix() -> None:
    change = low_rank(8, 6, 40)
    found = balanced(change)
    assert found.rank == 6
    assert relative(found, change) < 1e-13


def test_what_several_weights_share_is_decomposed_once_and_the_factors_are_the_same() -> None:
    one, other, extra = (
        low_rank(40, 24, 5),
        low_rank(30, 24, 5, seed=3),
        low_rank(40, 24, 2, seed=4),
    )
    same = LowRank(other.up, one.down)
    spans = Spans()
    assert spans.of([one]) is spans.of([same]) is not spans.of([one, extra])
    for parts in ([one], [same], [one, extra]):
        found, wanted = balanced(joined(parts), spans.of(parts)), balanced(joined(parts))
        assert np.array_equal(found.up, wanted.up)
        assert np.array_equal(found.down, wanted.down)


def test_widening_adds_nothing() -> None:
    change = low_rank(8, 6, 2)
    found = widened(change, 5)
    assert found.rank == 5
    assert np.array_equal(product(found), product(change))
