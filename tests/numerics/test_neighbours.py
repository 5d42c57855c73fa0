from __future__ import annotations

import numpy as np
import pytest

from surgery.numerics.conflicts import Labelled
from surgery.numerics.neighbours import nearest

ZERO = np.zeros(3)
X, Y, Z = np.eye(3)


def test_the_likest_names_come_first_and_opposite_ones_last() -> None:
    candidates = Labelled(np.array([-X, X + Y, 5 * X + Z, Y]), ["w", "x", "y", "z"])
    found = nearest(Labelled(np.array([X]), ["monet"]), candidates, ZERO, top=3)
    assert [one.name for one in found["monet"]] == ["y", "x", "z"]
    assert found["monet"][1].cosine == pytest.approx(np.sqrt(0.5))


def test_a_name_with_several_states_counts_by_their_mean_direction() -> None:
    candidates = Labelled(np.array([X, Y, Z]), ["both", "both", "other"])
    found = nearest(Labelled(np.array([9 * X, Y]), ["a", "a"]), candidates, ZERO, top=1)
    assert found["a"][0].name == "both"
    assert found["a"][0].cosine == pytest.approx(1.0)


def test_what_all_states_share_is_taken_off_first() -> None:
    mean = 50 * (X + Y + Z)
    candidates = Labelled(mean + np.array([Y, X + 0.1 * Y]), ["far", "near"])
    (first, second) = nearest(Labelled(np.array([mean + X]), ["a"]), candidates, mean, top=2)["a"]
    assert (first.name, second.name) == ("near", "far")
    assert second.cosine == pytest.approx(0.0, abs=1e-6)


def test_a_concept_is_not_its_own_neighbour() -> None:
    both = Labelled(np.array([X, Y]), ["a", "b"])
    found = nearest(both, both, ZERO, top=5)
    assert {name: [one.name for one in near] for name, near in found.items()} == {
        "a": ["b"],
        "b": ["a"],
    }


def test_where_there_is_no_candidate_there_is_no_neighbour() -> None:
    nothing = Labelled(np.zeros((0, 3)), [])
    assert nearest(Labelled(np.array([X]), ["a"]), nothing, ZERO, top=5) == {"a": ()}
    assert nearest(nothing, nothing, ZERO, top=5) == {}
