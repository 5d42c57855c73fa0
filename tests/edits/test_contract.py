"""What every edit method promises, whatever it computes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from surgery.edits import EDITS
from surgery.edits.base import Asks, Context, Edit
from surgery.edits.delta import Mapped
from surgery.edits.scored import ScoredEdit
from surgery.layout import Site

from .contract import CASES, Case, layout, shuffled, weights

METHODS = sorted(EDITS)


def change(edit: Edit, given: Context) -> dict[Site, np.ndarray]:
    return {
        site: delta.added_to(weights(edit)[site]) - weights(edit)[site]
        for site, delta in edit.solve(weights(edit), given).items()
    }


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def case(method: str) -> Case:
    return CASES[method]


@pytest.fixture
def edit(method: str, case: Case) -> Edit:
    return case.edit(method)


def test_every_method_has_a_case_and_knows_its_own_name() -> None:
    assert set(CASES) == set(EDITS)
    for name, cls in EDITS.items():
        assert cls.model_fields["method"].default == name


def test_it_touches_its_sites_and_no_others(edit: Edit, case: Case) -> None:
    given = weights(edit)
    assert given
    assert set(edit.solve(given, case.context())) == set(given)


def test_it_reads_sites_that_the_layout_has(edit: Edit) -> None:
    assert set(edit.reads(layout())) <= set(layout().sites)


def test_it_asks_for_something_to_edit(edit: Edit) -> None:
    asks = edit.asks(layout())
    assert isinstance(asks, Asks)
    assert asks == edit.asks(layout())
    assert edit.wanted(layout()).pairs if isinstance(edit, ScoredEdit) else asks.edited


def test_it_leaves_its_inputs_as_they_are(edit: Edit, case: Case) -> None:
    given, states = weights(edit), case.context()
    edit.solve(given, states)
    for site, weight in weights(edit).items():
        np.testing.assert_array_equal(given[site], weight)
    for name in ("keys", "targets", "preserve", "key_weights", "preserve_weights"):
        np.testing.assert_array_equal(getattr(states, name), getattr(case.context(), name))


def test_it_gives_the_same_result_twice(edit: Edit, case: Case) -> None:
    first, second = change(edit, case.context()), change(edit, case.context())
    for site, expected in first.items():
        assert expected.tobytes() == second[site].tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_keeps_shape_and_precision(edit: Edit, case: Case, dtype: type) -> None:
    for site, delta in edit.solve(weights(edit), case.context()).items():
        weight = weights(edit)[site].astype(dtype)
        after = delta.added_to(weight)
        assert (after.shape, after.dtype) == (weight.shape, weight.dtype)
        assert np.isfinite(after).all()
        assert not np.array_equal(after, weight)
        whole = delta.of(weight) if isinstance(delta, Mapped) else delta
        assert whole.norm == pytest.approx(np.linalg.norm(after - weight), rel=1e-5)


def test_strength_zero_changes_nothing(method: str, case: Case) -> None:
    edit = case.edit(method, strength=0.0)
    deltas = edit.solve(weights(edit), case.context())
    assert all(delta.is_zero for delta in deltas.values())


def test_targets_that_are_the_keys_change_nothing(edit: Edit, case: Case) -> None:
    if not case.targeted:
        pytest.skip("it has no target")
    same = replace(case.context(), targets=case.context().keys)
    assert all(delta.is_zero for delta in edit.solve(weights(edit), same).values())


def test_the_order_of_prompts_does_not_matter(edit: Edit, case: Case) -> None:
    expected = change(edit, case.context())
    for site, found in change(edit, shuffled(case.context())).items():
        np.testing.assert_allclose(found, expected[site], atol=1e-11)


@pytest.mark.parametrize("strength", [0.4, 1.0])
def test_the_objective_of_its_docstring_is_stationary_at_the_result(
    method: str, case: Case, strength: float
) -> None:
    edit = case.edit(method, strength=strength)
    found = change(edit, case.context())
    sizes = []
    for start in (found, {site: np.zeros_like(array) for site, array in found.items()}):
        changes = {site: torch.tensor(array, requires_grad=True) for site, array in start.items()}
        case.objective(edit, changes, weights(edit), case.context()).backward()
        sizes.append(sum(float(c.grad.norm()) for c in changes.values() if c.grad is not None))
    assert sizes[0] < 1e-10 * sizes[1]


def test_an_empty_target_is_an_error(method: str, case: Case) -> None:
    for concept in ({"erase": "van gogh", "target": " "}, {"erase": "", "target": "painting"}):
        with pytest.raises(ValidationError, match="an empty prompt has no subject"):
            case.edit(method, concepts=[concept])


def test_a_setting_it_does_not_have_is_an_error(method: str, case: Case) -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        case.edit(method, ridgee=0.1)


def test_it_is_the_same_after_being_written_and_read(edit: Edit, method: str) -> None:
    assert EDITS[method].model_validate_json(edit.model_dump_json()) == edit


def test_every_setting_says_what_it_does(method: str) -> None:
    fields = EDITS[method].model_fields
    silent = [name for name, field in fields.items() if not field.description]
    assert set(silent) <= {"method"}
