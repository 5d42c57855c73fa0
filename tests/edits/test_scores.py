"""Scores know whose they are and what was scored."""

from __future__ import annotations

import numpy as np
import pytest

from surgery.edits.scores import SAMPLED, Scores, Wanted, sample
from surgery.errors import EditError

WEIGHT = np.random.default_rng(2).standard_normal((30, 20)).astype(np.float32)
SITES = ("ff.in[0]", "ff.in[1]", "ff.out[0]", "ff.out[1]")


def scores(values: np.ndarray | None = None) -> Scores:
    own = np.ones_like(WEIGHT) if values is None else values
    return Scores("attribution", dict.fromkeys(SITES, own), samples={"ff.in[0]": sample(WEIGHT)})


def test_a_site_that_was_not_scored_is_an_error_that_names_those_which_were() -> None:
    with pytest.raises(EditError, match=r"ff\.in\[7\] was not scored; scored are ff\.in\[0\]"):
        scores().of("ff.in[7]")
    with pytest.raises(EditError, match="was not scored; scored: nothing"):
        Scores("attribution", {}).of("ff.in[7]")


def test_a_weight_is_known_again_in_half_precision_too() -> None:
    scores().check("ff.in[0]", WEIGHT)
    scores().check("ff.in[0]", WEIGHT.astype(np.float16).astype(np.float64))


@pytest.mark.parametrize("other", [WEIGHT[:, ::-1], WEIGHT + 0.3, WEIGHT[:, :10]])
def test_another_model_is_refused(other: np.ndarray) -> None:
    with pytest.raises(EditError, match="are of another model"):
        scores().check("ff.in[0]", other)


def test_scores_of_rows_fit_a_weight_with_as_many() -> None:
    scores(np.ones(30)).check("ff.in[0]", WEIGHT)
    with pytest.raises(EditError, match="are of another model"):
        scores(np.ones(29)).check("ff.in[0]", WEIGHT)


def test_a_sample_is_spread_over_the_whole_weight() -> None:
    values = np.arange(1000.0).reshape(50, 20)
    found = sample(values)
    assert found.shape == (SAMPLED,)
    assert (found[0], found[-1]) == (0, 999)


def test_what_is_wanted_can_be_told_apart_and_asked_for_its_settings() -> None:
    one = Wanted("attribution", SITES, (("a", "b"),), settings=(("goal", "erase"),))
    assert one == Wanted("attribution", SITES, (("a", "b"),), settings=(("goal", "erase"),))
    assert len({one, Wanted("attribution", SITES, (("a", "b"),))}) == 2
    assert one.setting("goal") == "erase"
