from __future__ import annotations

import numpy as np
import pytest

from surgery.edits.delta import Delta, Dense, LowRank, Mapped, Rows, Sparse
from surgery.errors import EditError

DRAW = np.random.default_rng(0)
UP, DOWN = DRAW.standard_normal((4, 2)), DRAW.standard_normal((2, 6))
ROWS = np.array([3, 1]), DRAW.standard_normal((2, 6))
ENTRIES = np.array([0, 7, 23]), np.array([1.0, -2.0, 3.0])


def spread(kind: str) -> np.ndarray:
    if kind == "LowRank":
        return UP @ DOWN
    full = np.zeros((4, 6))
    if kind == "Rows":
        full[ROWS[0]] = ROWS[1]
    if kind == "Sparse":
        full.flat[ENTRIES[0]] = ENTRIES[1]
    return full if kind != "Dense" else np.arange(24.0).reshape(4, 6)


DELTAS: dict[str, tuple[Delta, int]] = {
    "LowRank": (LowRank(UP, DOWN), 2),
    "Rows": (Rows(*ROWS, shape=(4, 6)), 2),
    "Sparse": (Sparse(*ENTRIES, shape=(4, 6)), 3),
    "Dense": (Dense(spread("Dense")), 4),
}


@pytest.mark.parametrize("kind", list(DELTAS))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_is_added_in_float64_and_rounded_to_the_weight_once(kind: str, dtype: type) -> None:
    weight = DRAW.standard_normal((4, 6)).astype(dtype)
    weight.setflags(write=False)
    after = DELTAS[kind][0].added_to(weight)
    assert after.dtype == dtype
    np.testing.assert_array_equal(after, (weight.astype(float) + spread(kind)).astype(dtype))


@pytest.mark.parametrize("kind", list(DELTAS))
def test_it_tells_its_norm_its_rank_and_its_shape(kind: str) -> None:
    delta, rank = DELTAS[kind]
    assert delta.norm == pytest.approx(np.linalg.norm(spread(kind)))
    assert delta.rank == rank
    assert delta.shape == (4, 6)
    assert np.linalg.matrix_rank(spread(kind)) <= rank


@pytest.mark.parametrize("kind", list(DELTAS))
def test_it_fits_one_shape_only(kind: str) -> None:
    with pytest.raises(EditError, match=r"shape \(4, 6\) does not fit a weight of shape \(6, 4\)"):
        DELTAS[kind][0].added_to(np.zeros((6, 4)))


def test_only_a_change_of_nothing_is_zero() -> None:
    assert not any(delta.is_zero for delta, _ in DELTAS.values())
    nothing = [
        LowRank(0 * UP, DOWN),
        LowRank(UP[:, :0], DOWN[:0]),
        Rows(ROWS[0], 0 * ROWS[1], (4, 6)),
        Sparse(np.array([], int), np.array([]), (4, 6)),
        Dense(np.zeros((4, 6))),
    ]
    assert all(delta.is_zero for delta in nothing)
    assert all(delta.norm == 0 for delta in nothing)


def test_a_row_held_as_minus_itself_becomes_exactly_zero() -> None:
    weight = DRAW.standard_normal((4, 6)).astype(np.float32)
    after = Rows(np.array([2]), -weight[[2]], (4, 6)).added_to(weight)
    assert not after[2].any()
    np.testing.assert_array_equal(after[[0, 1, 3]], weight[[0, 1, 3]])


def test_a_map_is_the_same_for_every_weight_that_reads_the_same_states() -> None:
    left, right = DRAW.standard_normal((6, 2)), DRAW.standard_normal((2, 6))
    for rows in (4, 9):
        weight = DRAW.standard_normal((rows, 6))
        wanted = weight @ (np.eye(6) + left @ right)
        np.testing.assert_allclose(Mapped(left, right).added_to(weight), wanted)
        np.testing.assert_allclose(Mapped(left @ right).added_to(weight), wanted)
        np.testing.assert_allclose(Mapped(left, right).of(weight).added_to(weight), wanted)
        np.testing.assert_allclose(Mapped(left @ right).of(weight).added_to(weight), wanted)


def test_a_map_keeps_the_precision_of_the_weight_and_leaves_it_as_it_is() -> None:
    weight = DRAW.standard_normal((4, 6)).astype(np.float32)
    weight.setflags(write=False)
    assert Mapped(DRAW.standard_normal((6, 6))).added_to(weight).dtype == np.float32


def test_a_map_tells_its_rank_and_what_it_cannot_be_used_on() -> None:
    left, right = DRAW.standard_normal((6, 2)), DRAW.standard_normal((2, 6))
    assert (Mapped(left, right).rank, Mapped(left @ right).rank) == (2, 6)
    assert not Mapped(left, right).is_zero
    assert Mapped(left, 0 * right).is_zero
    assert Mapped(left, right).is_finite
    assert not Mapped(left, right * np.nan).is_finite
    with pytest.raises(EditError, match="cannot read states of width 6"):
        Mapped(left, right).added_to(np.zeros((6, 4)))
