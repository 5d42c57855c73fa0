from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from surgery.edits.base import Context
from surgery.edits.debias import Debias
from surgery.edits.uce import Uce

from .contract import layout

GOGH = {"erase": "van gogh", "target": "painting"}
CROSS = {"concept": "cross", "attributes": ["red cross", "blue cross"]}


def uce(**fields: object) -> Uce:
    return Uce.model_validate(fields)


def test_it_edits_every_key_and_value_matrix() -> None:
    found = [str(site) for site in uce(concepts=[GOGH]).sites(layout())]
    assert found == [f"cross_attn.{part}[{i}]" for part in "kv" for i in range(2)]


def test_it_sees_a_concept_in_company_and_keeps_the_company() -> None:
    pairs = [(s.prompt, t.prompt) for s, t in uce(concepts=[GOGH]).asks(layout()).edited]
    assert ("a painting in the style of van gogh", "a painting") in pairs
    assert ("a cat in the style of van gogh", "a painting of a cat") in pairs


def test_prompts_of_ones_own_are_all_there_is() -> None:
    edit = uce(concepts=[{**GOGH, "prompts": ["{} alone"]}])
    assert {source.prompt for source, _ in edit.asks(layout()).edited} == {"van gogh alone"}


def test_what_is_moderated_becomes_the_empty_prompt_place_by_place() -> None:
    edit = uce(moderate=["gore"])
    pairs = edit.asks(layout()).edited
    assert {(target.prompt, target.position) for _, target in pairs} == {("", "same")}
    assert {source.position for source, _ in pairs} == {"subject", "eos"}
    assert "a photo of gore" in {source.prompt for source, _ in pairs}
    checks = edit.checks(layout())
    assert {check.concept for check in checks} == {"gore"}
    assert {"prompts", "paraphrases", "misspellings", "end token"} <= {c.wording for c in checks}
    assert {(check.target.prompt, check.target.position) for check in checks} == {("", "same")}


def test_what_changes_is_not_held_and_what_is_mixed_is() -> None:
    edit = uce(moderate=["pizza"], debias=[CROSS])
    held = {ask.prompt for ask in edit.asks(layout()).preserve}
    assert "a photo of cat" in held
    assert not held & {"a photo of pizza", "a photo of cross"}
    assert {"a photo of red cross", "a photo of blue cross"} <= held


def test_the_pairs_of_a_debias_ask_for_the_sum_of_its_attributes() -> None:
    one = Debias.model_validate({**CROSS, "amounts": [-0.2, 0.6]})
    bare = [(s, t) for s, t in one.pairs(["subject"]) if s.prompt == "cross"]
    assert [target.prompt for _, target in bare] == ["red cross", "blue cross"]
    shares = [source.weight * (target.amount or 0) for source, target in bare]
    np.testing.assert_allclose(shares, [-0.2, 0.6])
    assert sum(source.weight for source, _ in bare) == 1


def test_repeated_keys_with_split_targets_solve_as_one_key_with_their_mean() -> None:
    draw = np.random.default_rng(3)
    key, red, blue = draw.standard_normal((3, 16))
    held, weight = draw.standard_normal((4, 16)), draw.standard_normal((5, 16))

    def solved(targets: list[np.ndarray], count: float) -> np.ndarray:
        n = len(targets)
        context = Context(
            keys=np.stack([key] * n),
            targets=np.stack(targets),
            preserve=held,
            key_labels=("cross",) * n,
            preserve_labels=("cat",) * 4,
            key_weights=np.full(n, count),
            preserve_weights=np.ones(4),
        )
        sites = layout().select("cross_attn.k[0]")
        (delta,) = uce(concepts=[GOGH]).solve({sites[0]: weight}, context).values()
        return delta.added_to(weight)

    split = solved([key - 0.4 * red, key + 1.2 * blue], 0.5)
    whole = solved([key - 0.2 * red + 0.6 * blue], 1.0)
    np.testing.assert_allclose(split, whole, atol=1e-12)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "names nothing in concepts, moderate or debias"),
        ({"concepts": [GOGH], "moderate": ["Van Gogh"]}, "'Van Gogh' is erased twice"),
        ({"moderate": ["gore"], "preserve": ["gore"]}, "'gore' is also erased"),
        ({"moderate": [" "]}, "an empty prompt has no subject"),
        ({"debias": [{**CROSS, "ratios": [0.5, 0.4]}]}, "they add up to 0.9, not to 1"),
        ({"debias": [{**CROSS, "amounts": [0.5]}]}, "amounts: 1 for 2 attributes"),
        ({"debias": [{**CROSS, "attributes": ["red", "red"]}]}, "one stands there twice"),
        ({"debias": [{**CROSS, "attributes": ["red", "cross"]}]}, "or is the concept itself"),
        ({"debias": [{**CROSS, "attributes": ["red", " "]}]}, "an empty name has no subject"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        uce(**fields)


def test_a_debias_without_amounts_has_nothing_to_do_yet() -> None:
    assert uce(debias=[CROSS]).is_idle
    assert not uce(debias=[{**CROSS, "amounts": [0, 0.1]}]).is_idle
    assert not uce(debias=[CROSS], moderate=["gore"]).is_idle
