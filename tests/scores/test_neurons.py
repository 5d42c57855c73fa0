from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from surgery.edits.neuron_dropout import NeuronDropout
from surgery.edits.scores import Scores, Wanted
from surgery.errors import UsageError
from surgery.gather import Weights, gather
from surgery.layout import detect
from surgery.numerics.neurons import z_values
from surgery.questions.sets import ask
from surgery.score_file import read_scores, write_scores
from surgery.scores.neurons import Neurons, found_apart
from surgery.store.checkpoint import open_checkpoint
from tests.helpers.probing import model

PAIRS = tuple(
    (f"a {colour} {thing} by van gogh", f"a painting of a {colour} {thing}")
    for colour, thing in (("red", "ball"), ("blue", "star"), ("pink", "moon"), ("teal", "ring"))
)
SITES = ("cross_attn.k[1]", "cross_attn.v[3]")


def wanted(place: str = "final", **fields: object) -> Wanted:
    given: dict[str, object] = {"sites": SITES, "pairs": PAIRS, "settings": (("place", place),)}
    return Wanted(**{"method": "neurons", **given, **fields})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def scores() -> Scores:
    """On the built-in questions, which are enough to be sure of some rows."""
    asked = ask("van gogh", vocabulary="atelier").pairs
    pairs = tuple((one.source, one.target) for one in asked)
    return Neurons().score(model("atelier"), wanted(pairs=pairs))


def test_every_row_of_every_site_has_a_score_and_nothing_is_painted(scores: Scores) -> None:
    before = model("atelier").evaluations
    Neurons().score(model("atelier"), wanted())
    assert model("atelier").evaluations == before
    assert set(scores.values) == set(scores.samples) == set(scores.norms) == set(SITES)
    assert scores.values["cross_attn.v[3]"].shape == (112,)


@pytest.mark.parametrize("place", ["final", "end"])
def test_it_is_the_z_of_what_the_row_gives_at_the_place(place: str) -> None:
    loaded = model("atelier")
    states = []
    for side in (0, 1):
        prompts = [pair[side] for pair in PAIRS]
        told = loaded.encode(prompts).states.double().numpy()
        at = [-1 if place == "final" else loaded.tokens().eos_position(one) for one in prompts]
        states.append(told[np.arange(4), at])
    weight = loaded.owner(SITES[1]).get_parameter("weight").detach().double().numpy()
    found = Neurons().score(loaded, wanted(place)).of(SITES[1])
    np.testing.assert_allclose(found, z_values(*(one @ weight.T for one in states)), rtol=1e-6)


def test_the_edit_finds_the_same_as_the_probe_at_the_same_place(tmp_path: Path) -> None:
    concept = {"erase": "van gogh", "target": "painting", "prompts": PAIRS}
    fields = {"concepts": [concept], "where": ", ".join(SITES), "basis": "native", "count": 20}
    direct = NeuronDropout.model_validate({**fields, "positions": "final"})
    checkpoint = open_checkpoint("atelier")
    layout, weights = detect(checkpoint), Weights(checkpoint)
    file = tmp_path / "scores.safetensors"
    write_scores(Neurons().score(model("atelier"), wanted()), file)
    filed = direct.model_copy(update={"scores": str(file)})
    found = []
    for edit in (direct, filed):
        context, _ = gather(edit, layout, weights, [])
        given = {site: weights.matrix(site) for site in edit.sites(layout)}
        found.append({str(s): d.index.tolist() for s, d in edit.solve(given, context).items()})  # type: ignore[union-attr]
    assert found[0] == found[1]
    assert read_scores(file).facts["place"] == "final"


def test_a_feed_forward_is_scored_by_what_it_gives_while_pictures_are_painted() -> None:
    loaded = model("sd1")
    asked = wanted(sites=("ff.in[0]", "cross_attn.v[0]"), steps=1)
    before = loaded.evaluations
    found = Neurons().score(loaded, asked)
    assert list(found.values) == ["ff.in[0]", "cross_attn.v[0]"]
    assert loaded.evaluations - before == 2 * 4 * 2
    assert np.isfinite(found.of("ff.in[0]")).all()
    again = Neurons().score(loaded, asked)
    np.testing.assert_array_equal(found.of("ff.in[0]"), again.of("ff.in[0]"))


def test_it_says_how_many_rows_differ_and_how_well_they_separate(scores: Scores) -> None:
    for site in SITES:
        assert 0 < int(scores.facts[f"discoveries {site}"]) <= len(scores.of(site))
        assert 0.5 < float(scores.facts[f"held-out auc {site}"]) <= 1
        assert 0.5 <= float(scores.facts[f"held-out accuracy {site}"]) <= 1
    first, second = found_apart(scores)
    assert "of 192 rows differ" in first
    assert "AUC" in second


def test_scores_of_another_kind_have_no_such_sentence() -> None:
    assert found_apart(Scores("conceptprune", {})) == ()


def test_too_few_prompts_are_refused() -> None:
    with pytest.raises(UsageError, match="3 samples are too few"):
        Neurons().score(model("atelier"), wanted(pairs=PAIRS[:3]))
