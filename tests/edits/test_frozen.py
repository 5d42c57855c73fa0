"""What each method gave on the same states when it was written: norm of the change, two entries."""

from __future__ import annotations

import numpy as np
import pytest

from surgery.edits import EDITS

from .contract import CASES, weights

FROZEN = {
    "quickfix": (13.018583237304526, 0.38864235700057714, 0.8823503155571603),
    "pooled": (13.018583237304526, 0.38864235700057714, 0.8823503155571603),
    "locoedit": (30.787001504410654, 0.026338889656614427, 1.0371461127865085),
    "uce": (30.787001504410654, 0.026338889656614427, 1.0371461127865085),
    "rece": (239.1587071403884, -11.660362927258188, 11.27298881281869),
    "speed": (16.039523223574093, 0.33712344157565666, 0.6718379749151197),
    "double_projection": (8.413417865231187, -0.3485030501137171, 0.18788899109828583),
    "cure": (1.6816165697390817, -0.09178429629846024, 0.01691584161940174),
    "neuron_dropout": (9.573416876069574, -0.061763762212420345, -0.9087344647775872),
    "conceptprune": (1.7744011283015997, -0.0012301533574825742, 0.0),
    "component_removal": (2.914547684251904, 0.0, 0.0),
    "time": (44.63169504673417, -0.1898279047910346, 0.84221422646301),
}


def test_every_method_has_its_figures() -> None:
    assert set(FROZEN) == set(EDITS)


@pytest.mark.parametrize("method", FROZEN)
def test_a_method_still_gives_what_it_gave(method: str) -> None:
    edit = CASES[method].edit(method)
    site, weight = next(iter(weights(edit).items()))
    change = edit.solve(weights(edit), CASES[method].context())[site].added_to(weight) - weight
    found = (np.linalg.norm(change), change[0, 0], change[3, 7])
    np.testing.assert_allclose(found, FROZEN[method], rtol=1e-7)
