from __future__ import annotations

import numpy as np
import pytest

from surgery.numerics.gains import shares


def layers(count: int = 4, context: int = 6) -> list[tuple[np.ndarray, np.ndarray]]:
    """Layers of different widths inside, as the levels of a UNet have them."""
    draw = np.random.default_rng(0)
    return [
        (draw.standard_normal((3 + n, context)), draw.standard_normal((5, 3 + n)))
        for n in range(count)
    ]


def changes(count: int = 3, context: int = 6) -> list[np.ndarray]:
    draw = np.random.default_rng(1)
    return [draw.standard_normal((7, context)) for _ in range(count)]


def test_shares_are_those_of_the_formula_token_by_token() -> None:
    given, moved = layers(), changes()
    found = shares(given, moved)
    assert found.shape == (3, 4)
    for row, change in zip(found, moved, strict=True):
        answers = []
        for value, out in given:
            told = [out @ (value @ token) for token in change]
            entries = [(out[i] @ value[:, j]) ** 2 for i in range(5) for j in range(6)]
            answers.append(sum(float(t @ t) for t in told) ** 0.5 / sum(entries) ** 0.5)
        np.testing.assert_allclose(row, np.array(answers) / sum(answers), rtol=1e-12)


def test_two_layers_worked_out_by_hand() -> None:
    # The first lets only the first direction through, the second both alike.
    one = np.array([[2.0, 0.0]]), np.array([[3.0]])
    both = np.eye(2), np.eye(2)
    found = shares([one, both], [np.array([[3.0, 4.0]])])
    # 6 * 3 / 6 against 5 / sqrt 2.
    answers = 3.0, 5.0 / 2**0.5
    np.testing.assert_allclose(found, [[answer / sum(answers) for answer in answers]])


def test_shares_of_every_change_sum_to_one() -> None:
    np.testing.assert_allclose(shares(layers(), changes()).sum(1), 1)


def test_neither_the_size_of_a_layer_nor_that_of_a_change_counts() -> None:
    given, moved = layers(), changes()
    louder = [(10 * value, out / 7) for value, out in given]
    np.testing.assert_allclose(shares(louder, moved), shares(given, moved))
    np.testing.assert_allclose(shares(given, [1e-3 * one for one in moved]), shares(given, moved))


def test_a_layer_of_zeros_answers_nothing_and_no_change_has_no_answer() -> None:
    given = [*layers(), (np.zeros((3, 6)), np.ones((5, 3)))]
    found = shares(given, [*changes(1), np.zeros((7, 6))])
    assert found[0, -1] == 0
    assert found[0].sum() == pytest.approx(1)
    assert not found[1].any()


def test_half_precision_and_what_is_read_only_once_are_taken() -> None:
    given, moved = layers(), changes()
    half = [(value.astype(np.float16), out.astype(np.float16)) for value, out in given]
    found = shares(iter(half), iter(moved))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, shares(given, moved), atol=1e-3)
