from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surgery.edits.base import Context, Edit, Matrix
from surgery.edits.delta import Delta, Dense
from surgery.edits.quickfix import QuickFix
from surgery.errors import EditError
from surgery.layout import Layout, Site, detect
from surgery.numerics.tensors import decode
from surgery.solve import by_tensor, round_once, solve
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from tests.helpers.recipes import nothing, recipe, twice
from tests.helpers.tiny import WIDTH, write_pipeline

TENSOR = "text_encoder/text_model.encoder.layers.0.self_attn.out_proj.weight"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    return open_checkpoint(write_pipeline(tmp_path / "p"))


def stored(checkpoint: Checkpoint) -> np.ndarray:
    ref = checkpoint[TENSOR]
    return decode(ref.read(), ref.dtype, ref.shape)


class Odd(QuickFix):
    """An edit whose answer is given."""

    answer: float = 0.0
    elsewhere: bool = False

    def solve(self, weights: dict[Site, Matrix], context: Context) -> dict[Site, Delta]:
        site = Site("x", 0, "x") if self.elsewhere else next(iter(weights))
        return {site: Dense(np.full((WIDTH, WIDTH), self.answer))}


def odd(**fields: object) -> Edit:
    return Odd.model_validate(recipe().edits[0].model_dump() | fields)


def solve_odd(checkpoint: Checkpoint, **fields: object) -> None:
    edited = recipe().model_copy(update={"edits": (odd(**fields),)})
    patch, solved = solve(edited, checkpoint)
    round_once(patch, solved, checkpoint)


def test_the_patch_is_low_rank_and_brings_the_concept_to_its_target(
    checkpoint: Checkpoint,
) -> None:
    patch, solved = solve(recipe(), checkpoint)
    ((change,),) = patch.changes.values()
    assert change.delta.rank <= 5
    result = round_once(patch, solved, checkpoint)
    (leak,) = result.leaks
    assert (leak.concept, leak.target) == ("van gogh", "painting")
    # A model this narrow cannot let the concept go wholly and hold all the rest.
    assert leak.after.max < leak.before.min / 2
    (drift,) = result.drifts
    assert drift.prompt == "monet"
    assert drift.figure.max < 0.5


def test_the_stored_value_is_the_exact_sum_rounded_once(checkpoint: Checkpoint) -> None:
    patch, solved = solve(recipe(), checkpoint)
    ((change,),) = patch.changes.values()
    delta = change.delta.added_to(np.zeros((WIDTH, WIDTH)))
    wanted = (stored(checkpoint).astype(np.float64) + delta).astype(np.float16)
    assert round_once(patch, solved, checkpoint).values[TENSOR] == wanted.tobytes()


def test_figures_of_a_tensor_are_those_of_the_stored_value(checkpoint: Checkpoint) -> None:
    patch, solved = solve(recipe(), checkpoint)
    result = round_once(patch, solved, checkpoint)
    (figure,) = result.tensors
    before, after = stored(checkpoint), np.frombuffer(result.values[TENSOR], np.float16)
    change = after.astype(np.float64).reshape(before.shape) - before
    assert figure.relative_norm == pytest.approx(
        np.linalg.norm(change) / np.linalg.norm(before), rel=1e-6
    )
    assert figure.changed == pytest.approx(np.mean(change != 0))
    assert 0 < figure.lost < 0.1


def test_a_second_edit_starts_from_what_the_first_one_left(checkpoint: Checkpoint) -> None:
    patch, (first, second) = solve(twice(), checkpoint)
    (one, _), *_ = patch.changes.values()
    site = next(iter(first.before))
    assert np.allclose(second.before[site], one.added_to(first.before[site]))
    assert len(patch.edits) == 2


def test_edits_of_strength_zero_and_no_edits_solve_to_nothing(checkpoint: Checkpoint) -> None:
    for plain in (nothing(), recipe(strength=0)):
        patch, solved = solve(plain, checkpoint)
        assert (dict(patch.changes), solved) == ({}, ())


def test_half_the_strength_goes_half_the_way(checkpoint: Checkpoint) -> None:
    whole, half = (solve(recipe(strength=s), checkpoint)[0].changes[TENSOR][0] for s in (1, 0.5))
    assert half.delta.norm == pytest.approx(whole.delta.norm / 2, rel=1e-9)


def test_the_same_recipe_and_base_give_the_same_bytes(checkpoint: Checkpoint) -> None:
    runs = []
    for _ in range(2):
        patch, solved = solve(recipe(), checkpoint)
        runs.append(round_once(patch, solved, checkpoint).values)
    assert runs[0] == runs[1]


def test_a_zero_solution_is_an_error(checkpoint: Checkpoint) -> None:
    with pytest.raises(EditError, match=r"edits\[0\] \(quickfix\): solves to no change"):
        solve_odd(checkpoint)


@pytest.mark.parametrize("answer", [float("nan"), float("inf")])
def test_a_solution_that_is_not_finite_is_an_error(checkpoint: Checkpoint, answer: float) -> None:
    edited = recipe().model_copy(update={"edits": (odd().model_copy(update={"answer": answer}),)})
    with pytest.raises(EditError, match="NaN or infinite"):
        solve(edited, checkpoint)


def test_an_overflow_of_the_stored_type_is_an_error(checkpoint: Checkpoint) -> None:
    with pytest.raises(EditError, match=r"out_proj\.weight: .*too large for F16"):
        solve_odd(checkpoint, answer=1e6)


def test_a_change_below_the_resolution_is_an_error(checkpoint: Checkpoint) -> None:
    with pytest.raises(EditError, match="below the resolution of F16"):
        solve_odd(checkpoint, answer=1e-12)


def test_a_site_that_was_not_announced_is_an_error(checkpoint: Checkpoint) -> None:
    with pytest.raises(EditError, match="did not announce"):
        solve_odd(checkpoint, answer=1.0, elsewhere=True)


class Elsewhere(QuickFix):
    """An edit of a place whose states are not computed."""

    def sites(self, layout: Layout) -> tuple[Site, ...]:
        return layout.select("cross_attn.v[0]")


def test_a_place_whose_states_are_not_computed_is_an_error(checkpoint: Checkpoint) -> None:
    edit = Elsewhere.model_validate(recipe().edits[0].model_dump())
    with pytest.raises(EditError, match=r"edits\[0\]: the states that cross_attn.v\[0\] read"):
        solve(recipe().model_copy(update={"edits": (edit,)}), checkpoint)


def test_an_ema_copy_gets_the_same_change_as_its_original(checkpoint: Checkpoint) -> None:
    layout = replace(detect(checkpoint), twins={TENSOR: "ema"})
    delta = Dense(np.ones((WIDTH, WIDTH)))
    site = layout.select("text.self_attn.out[0]")[0]
    changed = dict(by_tensor({site: delta}, layout))
    assert list(changed) == [TENSOR, "ema"]
    assert changed[TENSOR] is changed["ema"]


@pytest.mark.parametrize(("dtype", "stored_as"), [("float32", "F32"), ("float16", "F16")])
def test_the_stored_type_is_kept(tmp_path: Path, dtype: str, stored_as: str) -> None:
    checkpoint = open_checkpoint(write_pipeline(tmp_path / "q", dtype=dtype))
    patch, solved = solve(recipe(), checkpoint)
    result = round_once(patch, solved, checkpoint)
    assert result.tensors[0].dtype == stored_as
    assert len(result.values[TENSOR]) == checkpoint[TENSOR].nbytes
