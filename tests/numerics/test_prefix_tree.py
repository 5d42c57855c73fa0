from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from surgery.numerics.prefix_tree import Prefix, PrefixTree, trees

PREFIXES = st.lists(
    st.lists(st.integers(0, 2), min_size=1, max_size=6).map(lambda own: (9, *own)), max_size=20
)


def lines(tree: PrefixTree) -> dict[int, Prefix]:
    """Each node's own prefix, read off the chains."""
    found = {}
    for chains in tree.chains:
        for line in chains.lines.tolist():
            for place in range(chains.shared, len(line)):
                assert line[place] not in found
                assert tree.places[line[place]] == place
                found[line[place]] = tuple(tree.tokens[line[: place + 1]].tolist())
    return found


@given(PREFIXES)
def test_each_prefix_is_one_node_and_its_line_spells_it(prefixes: list[Prefix]) -> None:
    found = list(trees(prefixes, 1000))
    assert len(found) == (1 if prefixes else 0)
    for tree in found:
        spelt = lines(tree)
        every = {prefix[:end] for prefix in prefixes for end in range(1, len(prefix) + 1)}
        assert sorted(spelt.values()) == sorted(every)
        assert {prefix: spelt[node] for prefix, node in tree.where.items()} == {
            prefix: prefix for prefix in prefixes
        }


@given(PREFIXES, st.integers(1, 12))
def test_small_trees_hold_every_wanted_prefix_once(prefixes: list[Prefix], most: int) -> None:
    found = list(trees(prefixes, most))
    wanted = [prefix for tree in found for prefix in tree.where]
    assert sorted(wanted) == sorted(set(prefixes))
    for tree in found:
        assert len(tree.tokens) <= max(most, *map(len, tree.where))
        assert all(lines(tree)[node] == prefix for prefix, node in tree.where.items())


def test_chains_of_one_form_are_side_by_side() -> None:
    (tree,) = trees([(9, 1, 1), (9, 2, 1), (9, 3, 1), (9, 3)], 100)
    assert [(chains.lines.shape, chains.shared) for chains in tree.chains] == [
        ((1, 3), 0),
        ((2, 3), 1),
    ]
