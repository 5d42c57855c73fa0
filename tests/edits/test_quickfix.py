from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from surgery.edits.base import Ask, Context
from surgery.edits.delta import Mapped
from surgery.edits.quickfix import QuickFix
from surgery.errors import EditError
from surgery.layout import Site
from surgery.numerics.closed_form import shared_factors
from surgery.numerics.stats import drift, leak

from .contract import layout

SITE = Site("text.self_attn.out", 0, "t/out")
GOGH = {"erase": "van gogh", "target": "painting"}


def quickfix(**fields: object) -> QuickFix:
    return QuickFix.model_validate({"concepts": [GOGH], **fields})


def states(n: int, m: int, width: int) -> Context:
    """Vectors with a large common part, as text states have; targets differ in the subject only."""
    draw = np.random.default_rng(0)
    common = 2 * draw.standard_normal(width)
    concept, target = draw.standard_normal((2, width))
    own = common + 0.5 * draw.standard_normal((n, width))
    return Context(
        keys=own + concept,
        targets=own + target,
        preserve=common + draw.standard_normal((m, width)),
        key_labels=("van gogh",) * n,
        preserve_labels=("monet",) * m,
        key_weights=np.ones(n),
        preserve_weights=np.ones(m),
    )


def edited(edit: QuickFix, context: Context) -> tuple[np.ndarray, np.ndarray]:
    width = context.keys.shape[1]
    before = np.random.default_rng(1).standard_normal((width, width)) / np.sqrt(width)
    return before, edit.solve({SITE: before}, context)[SITE].added_to(before)


def test_it_edits_the_first_output_map_and_reads_what_comes_before() -> None:
    assert [str(site) for site in quickfix().sites(layout())] == ["text.self_attn.out[0]"]
    read = {str(site) for site in quickfix().reads(layout())}
    assert {"text.token_embedding[0]", "text.norm1.bias[0]", "text.self_attn.q[0]"} <= read
    assert len(read) == 10


@pytest.mark.parametrize(
    ("positions", "places"),
    [
        ("last", ["subject"]),
        ("eos", ["subject", "eos"]),
        ("name", ["name", "eos"]),
        ("pads", ["name", "eos", "pads"]),
        ("all", ["all"]),
    ],
)
def test_positions_say_how_much_of_a_prompt_is_edited(positions: str, places: list[str]) -> None:
    pairs = quickfix(positions=positions).asks(layout()).edited
    bare = [pair for pair in pairs if pair[0].prompt == "van gogh"]
    assert [source.position for source, _ in bare] == places
    assert [target for _, target in bare] == [Ask("a painting", "painting", p) for p in places]


def test_several_concepts_are_edited_in_one_solve() -> None:
    concepts = [GOGH, {"erase": "r2d2", "target": "a ball", "kind": "object"}]
    pairs = quickfix(concepts=concepts).asks(layout()).edited
    assert {source.subject for source, _ in pairs} == {"van gogh", "r2d2"}
    assert ("a photo of r2d2", "a photo of a ball") in [(s.prompt, t.prompt) for s, t in pairs]


@pytest.mark.parametrize(("m", "width"), [(40, 256), (250, 256), (900, 96)])
def test_the_concept_becomes_its_target_and_the_rest_moves_little(m: int, width: int) -> None:
    context = states(5, m, width)
    before, after = edited(quickfix(), context)
    assert leak(before, before, context.keys, context.targets).min() > 0.4
    assert leak(before, after, context.keys, context.targets).max() < 0.1
    assert np.median(drift(before, after, context.preserve)) < 0.1


def test_holding_nothing_moves_everything_that_shares_the_common_part() -> None:
    context = states(5, 250, 256)
    held = drift(*edited(quickfix(), context), context.preserve)
    free = drift(*edited(quickfix(preserve_scale=0.0), context), context.preserve)
    assert np.median(held) < 0.5 * np.median(free)


def test_a_firmer_hold_lets_less_move() -> None:
    context = states(5, 250, 256)
    moved = [
        np.linalg.norm(drift(*edited(quickfix(preserve_scale=scale), context), context.preserve))
        for scale in (0.0, 0.1, 1.0, 10.0, 100.0)
    ]
    assert moved == sorted(moved, reverse=True)


def test_saying_the_same_thing_twice_to_hold_it_changes_nothing() -> None:
    context = states(5, 30, 64)
    twice = replace(
        context,
        preserve=np.concatenate([context.preserve] * 2),
        preserve_weights=np.ones(60),
    )
    np.testing.assert_allclose(
        edited(quickfix(), twice)[1], edited(quickfix(), context)[1], atol=1e-10
    )


def test_the_ridge_does_not_depend_on_the_scale_of_the_states() -> None:
    context = states(5, 30, 64)
    larger = replace(
        context, keys=9 * context.keys, targets=9 * context.targets, preserve=9 * context.preserve
    )
    np.testing.assert_allclose(
        edited(quickfix(), larger)[1], edited(quickfix(), context)[1], atol=1e-10
    )


def test_half_the_strength_goes_half_the_way() -> None:
    context = states(5, 30, 64)
    before, half = edited(quickfix(strength=0.5), context)
    _, whole = edited(quickfix(), context)
    np.testing.assert_allclose(half - before, (whole - before) / 2, atol=1e-12)


def test_the_rank_is_the_number_of_edited_keys() -> None:
    context = states(5, 300, 64)
    delta = quickfix().solve({SITE: np.eye(64)}, context)[SITE]
    assert delta.rank == 5


def test_a_key_that_is_held_too_is_not_feasible() -> None:
    context = states(2, 30, 64)
    clash = replace(context, preserve=np.concatenate([context.keys[:1], context.preserve[1:]]))
    shares = quickfix(preserve_scale=1e6).feasibility(clash)
    assert shares[0] < 1e-4 < shares[1]


def test_states_that_make_no_edit_are_errors() -> None:
    context = states(2, 3, 8)
    with pytest.raises(EditError, match="NaN"):
        edited(quickfix(), replace(context, targets=context.targets * np.nan))
    with pytest.raises(EditError, match="no text state to edit"):
        edited(quickfix(), replace(context, keys=0 * context.keys))
    with pytest.raises(EditError, match=r"shape \(8, 9\) cannot read states of width 8"):
        quickfix().solve({SITE: np.ones((8, 9))}, context)


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"concepts": []}, "at least 1 item"),
        ({"concepts": [GOGH, {"erase": "Van Gogh", "target": "art"}]}, "erased twice"),
        ({"preserve": ["monet", "VAN GOGH"]}, "'VAN GOGH' is also erased"),
        ({"preserve": [""]}, "an empty name"),
        ({"ridge": 0.0}, "greater than 0"),
        ({"ridge": "0.1"}, "valid number"),
        ({"strength": -1.0}, "greater than or equal to 0"),
        ({"strength": float("nan")}, "finite number"),
        ({"preserve_defaults": 1}, "valid boolean"),
        ({"positions": "first"}, "'last', 'eos', 'name', 'pads' or 'all'"),
    ],
)
def test_settings_that_cannot_be_meant_are_errors(fields: dict[str, object], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        quickfix(**fields)


def test_more_keys_than_the_states_are_wide_give_the_same_change_as_a_whole_map() -> None:
    edit, context = quickfix(), states(40, 60, 16)
    before = np.random.default_rng(1).standard_normal((16, 16))
    delta = edit.solve({SITE: before}, context)[SITE]
    assert isinstance(delta, Mapped)
    left, right = shared_factors(edit.targets(context), edit.keys(context))
    np.testing.assert_allclose(delta.added_to(before), before + before @ left @ right, atol=1e-9)
