"""The linearity check: foretold and true changes of J, and weights that come back to the bit."""

from __future__ import annotations

import numpy as np
import pytest

from surgery.model import DiffusersModel
from surgery.scores.attribution import Attribution
from surgery.scores.linearity import Linearity, linearity, points, value, without

from .conftest import SITES, wanted


@pytest.mark.parametrize("goal", ["erase", "amplify"])
def test_what_is_small_is_foretold_and_what_is_not_is_foretold_less(
    model: DiffusersModel, goal: str
) -> None:
    # Random values are as large as what they do is curved: r is 0.4 to 0.9 over one draw of twelve.
    # Of a quarter of their size they lie where J is straight, and to first order is nearly all.
    whole = tried(model, goal)
    for site in SITES:
        model.owner(site).get_parameter("weight").data.mul_(0.25)
    small = tried(model, goal)
    assert len(small.foretold) == len(small.found) == 12
    assert small.interval[0] > 0.95
    assert small.pearson > whole.pearson


def tried(model: DiffusersModel, goal: str) -> Linearity:
    scores = Attribution().score(model, wanted(goal))
    return linearity(model, wanted(goal), scores, ablations=12, ratio=0.01)


def test_it_draws_the_same_twice(model: DiffusersModel) -> None:
    scores = Attribution().score(model, wanted())
    first, second = (linearity(model, wanted(), scores, ablations=2, seed=3) for _ in range(2))
    assert first == second
    assert first != linearity(model, wanted(), scores, ablations=2, seed=4)


def test_weights_come_back_to_the_bit(model: DiffusersModel) -> None:
    weights = {site: model.owner(site).get_parameter("weight") for site in SITES}
    before = {site: one.detach().clone() for site, one in weights.items()}
    mask = {SITES[0]: np.array([0, 5, 9]), SITES[1]: np.zeros(0, np.int64)}
    with pytest.raises(KeyError), without(weights, mask):
        assert weights[SITES[0]].flatten()[[0, 5, 9]].abs().sum() == 0
        raise KeyError
    for site, one in before.items():
        assert one.equal(weights[site])


def test_j_is_a_mean_over_points(model: DiffusersModel) -> None:
    one, other = (value(model, points(model, wanted(), batch)) for batch in (2, 16))
    assert one == pytest.approx(other, rel=1e-4)


@pytest.mark.parametrize(
    ("found", "expected"), [((2.0, 4.0, 6.0), 1.0), ((3.0, 2.0, 1.0), -1.0), ((1.0, 1.0, 1.0), 0.0)]
)
def test_pearsons_r_of_what_is_known(found: tuple[float, ...], expected: float) -> None:
    assert Linearity((1.0, 2.0, 3.0), found).pearson == pytest.approx(expected)


def test_the_interval_is_fishers() -> None:
    # r = 0.5 of 28: z = 0.5493, a standard error of 1/5.
    chance = np.random.default_rng(0)
    x = chance.standard_normal(28)
    x = (x - x.mean()) / x.std()
    y = chance.standard_normal(28)
    y -= y.mean() + (y @ x) / 28 * x
    y /= y.std()
    found = Linearity(tuple(x), tuple(0.5 * x + 0.75**0.5 * y))
    assert found.pearson == pytest.approx(0.5)
    assert found.interval == pytest.approx(
        (np.tanh(0.5493 - 0.392), np.tanh(0.5493 + 0.392)), abs=1e-4
    )


def test_an_interval_holds_the_truth_as_often_as_it_says() -> None:
    chance, held = np.random.default_rng(0), 0
    for _ in range(400):
        x, noise = chance.standard_normal((2, 20))
        low, high = Linearity(tuple(x), tuple(0.6 * x + 0.8 * noise)).interval
        held += low <= 0.6 <= high
    assert 0.92 <= held / 400 <= 0.98


def test_a_perfect_correlation_has_an_interval_too() -> None:
    low, high = Linearity((1.0, 2.0, 3.0, 4.0), (1.0, 2.0, 3.0, 4.0)).interval
    assert 0.99 < low <= high <= 1
