from __future__ import annotations

import numpy as np
import pytest

from surgery.numerics.conflicts import Inside, Labelled, Pair, conflicts, inside, rivals

ZERO = np.zeros(3)
X, Y, Z = np.eye(3)


def test_a_pair_is_named_with_the_cosine_of_its_most_nearly_parallel_keys() -> None:
    edited = Labelled(np.array([X, Y]), ["monet", "monet"])
    held = Labelled(np.array([3 * Z, X + Z, Y + 0.1 * Z]), ["sea", "manet", "manet"])
    (pair,) = conflicts(edited, held, ZERO)
    assert (pair.first, pair.second) == ("monet", "manet")
    assert pair.cosine == pytest.approx(1 / np.sqrt(1.01))


def test_what_all_states_share_is_taken_off_first() -> None:
    mean = 50 * (X + Y + Z)
    edited, held = Labelled(np.array([mean + X]), ["a"]), Labelled(np.array([mean + Y]), ["b"])
    assert conflicts(edited, held, mean) == ()
    assert conflicts(edited, held, ZERO)[0].cosine > 0.999


def test_opposite_keys_conflict_as_parallel_ones_do_and_keep_their_sign() -> None:
    edited = Labelled(np.array([X]), ["a"])
    held = Labelled(np.array([-2 * X, X + 0.3 * Y]), ["b", "c"])
    found = conflicts(edited, held, ZERO)
    assert [pair.second for pair in found] == ["b", "c"]
    assert found[0] == Pair("a", "b", -1.0)


def test_pairs_come_worst_first_and_only_as_many_as_wanted() -> None:
    edited = Labelled(np.array([X]), ["a"])
    held = Labelled(np.array([X + 0.5 * Y, X + 0.1 * Y, X + 0.2 * Y]), ["far", "near", "mid"])
    assert [p.second for p in conflicts(edited, held, ZERO, threshold=0.5, top=2)] == [
        "near",
        "mid",
    ]


def test_what_counts_nothing_is_not_held() -> None:
    edited = Labelled(np.array([X]), ["a"])
    held = Labelled(np.array([X, Y]), ["b", "c"], np.array([0.0, 1.0]))
    assert conflicts(edited, held, ZERO) == ()


def test_a_state_that_is_the_centre_is_like_nothing() -> None:
    mean = 1e3 * X + Y
    edited = Labelled(np.array([mean, mean + 1e-8 * Z]), ["a", "b"])
    assert conflicts(edited, edited, mean, threshold=0.0) == ()


def test_nothing_conflicts_with_nothing() -> None:
    nothing, some = Labelled(np.zeros((0, 3)), []), Labelled(np.eye(3), ["a", "b", "c"])
    assert conflicts(nothing, some, ZERO) == conflicts(some, nothing, ZERO) == ()
    assert rivals(nothing, {}, ZERO) == inside([], np.zeros(0)) == ()


def test_many_keys_give_what_a_plain_loop_gives() -> None:
    chance = np.random.default_rng(0)
    edited = Labelled(chance.normal(size=(1100, 8)), [f"e{i % 37}" for i in range(1100)])
    held = Labelled(chance.normal(size=(90, 8)), [f"h{i // 7}" for i in range(90)])
    centre = chance.normal(size=8)
    units = [one.states - centre for one in (edited, held)]
    units = [u / np.linalg.norm(u, axis=1, keepdims=True) for u in units]
    best: dict[tuple[str, str], float] = {}
    for row, column in np.ndindex(1100, 90):
        pair, cosine = (edited.labels[row], held.labels[column]), units[0][row] @ units[1][column]
        best[pair] = max(best.get(pair, 0.0), cosine, key=abs)
    found = {(p.first, p.second): p.cosine for p in conflicts(edited, held, centre, threshold=0.8)}
    wanted = {pair: cosine for pair, cosine in best.items() if abs(cosine) >= 0.8}
    assert found == pytest.approx(wanted, abs=1e-6)
    assert len(wanted) > 10


def test_rivals_are_names_with_like_keys_and_other_goals_each_pair_once() -> None:
    states = np.array([X, X + 0.1 * Y, X + 0.2 * Y, Z])
    edited = Labelled(states, ["van gogh", "vincent", "gauguin", "sea"])
    goals = {"van gogh": "monet", "vincent": "painting", "gauguin": "monet", "sea": "lake"}
    found = rivals(edited, goals, ZERO)
    assert {(pair.first, pair.second) for pair in found} == {
        ("van gogh", "vincent"),
        ("vincent", "gauguin"),
    }


def test_a_name_is_no_rival_of_itself() -> None:
    edited = Labelled(np.array([X, X]), ["a", "a"])
    assert rivals(edited, {"a": "b"}, ZERO) == ()


def test_names_inside_what_is_preserved_are_named_with_what_is_left_of_them() -> None:
    labels = ["a", "b", "a", "c", "b"]
    free = np.array([0.5, 0.001, 0.002, 0.9, 0.004])
    assert inside(labels, free) == (Inside("b", 0.001, 2, 2), Inside("a", 0.002, 1, 2))
    assert inside(labels, free, top=1) == (Inside("b", 0.001, 2, 2),)
    assert [entry.label for entry in inside(labels, free, limit=0.95)] == ["b", "a", "c"]
