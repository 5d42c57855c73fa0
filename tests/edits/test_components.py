"""Components: weights, hidden units and feed-forwards, and which weights each of them is."""

from __future__ import annotations

import numpy as np
import pytest

from surgery.edits.components import Granularity, chosen, parts
from surgery.edits.scores import Scores, Values
from surgery.errors import EditError
from surgery.layout import Site

SITES = tuple(
    Site(f"ff.{side}", number, f"{side}{number}") for side in ("in", "out") for number in (0, 1)
)
SHAPES = {"ff.in": (6, 4), "ff.out": (4, 3)}


def scores(**held: Values) -> Scores:
    draw = np.random.default_rng(0)
    values = {str(site): draw.standard_normal(SHAPES[site.kind]) for site in SITES}
    return Scores("attribution", values, held=held)


def own(found: Scores, site: Site) -> Values:
    return found.of(str(site))


def picked(granularity: Granularity, found: Scores, ratio: float) -> dict[str, list[int]]:
    groups = parts(granularity, SITES, found, own)
    places = chosen(groups, [one.wins for one in groups], ratio, "global")
    return {str(site): one.tolist() for site, one in places.items()}


def test_weights_go_one_by_one() -> None:
    found = scores()
    best = max(found.values, key=lambda site: found.values[site].max())
    taken = picked("weight", found, 1e-9)
    assert taken.pop(best) == [int(found.values[best].argmax())]
    assert not any(taken.values())


def test_a_hidden_unit_goes_with_its_value_its_gate_and_its_way_out() -> None:
    found = scores()
    for name, value in found.values.items():
        value[:] = -1 if name.startswith("ff.in") else 0
    found.values["ff.out[1]"][:, 2] = 10
    taken = picked("neuron", found, 1e-9)
    assert taken["ff.in[1]"] == [8, 9, 10, 11, 20, 21, 22, 23]
    assert taken["ff.out[1]"] == [2, 5, 8, 11]
    assert not taken["ff.in[0]"]
    assert not taken["ff.out[0]"]


def test_a_layer_goes_with_all_of_its_weights() -> None:
    found = scores()
    for value in found.values.values():
        value[:] = -1
    found.values["ff.in[0]"][:] = 1
    assert picked("layer", found, 1.0) == {
        "ff.in[0]": list(range(24)),
        "ff.out[0]": list(range(12)),
        "ff.in[1]": [],
        "ff.out[1]": [],
    }


@pytest.mark.parametrize("granularity", ["neuron", "layer"])
def test_damage_is_summed_as_scores_are(granularity: Granularity) -> None:
    held = {str(site): np.ones(SHAPES[site.kind]) for site in SITES}
    whole = 4 * 2 + 4 if granularity == "neuron" else 36
    for group in parts(granularity, SITES, scores(**held), own):
        assert group.harms is not None
        assert group.harms.shape == group.wins.shape
        assert (group.harms == whole).all()
    for group in parts(granularity, SITES, scores(), own):
        assert group.harms is None


@pytest.mark.parametrize("granularity", ["neuron", "layer"])
@pytest.mark.parametrize("sites", [SITES[:1], SITES[1:], (Site("cross_attn.v", 0, "v"),)])
def test_one_side_is_no_whole_feed_forward(
    granularity: Granularity, sites: tuple[Site, ...]
) -> None:
    with pytest.raises(EditError, match="no whole feed-forward"):
        parts(granularity, sites, scores(), own)
