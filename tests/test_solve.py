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
from surgery.solve import by_tensor, solve
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
    solve(recipe().model_copy(update={"edits": (odd(**fields),)}), checkpoint)


def test_the_patch_is_low_rank_and_tells_its_method(checkpoint: Checkpoint) -> None:
    patch, (one,) = solve(recipe(), checkpoint)
    ((change,),) = patch.changes.values()
    assert change.delta.rank <= 5
    assert (patch.edits[0].method, patch.edits[0].tensors) == ("quickfix", (TENSOR,))
    assert set(one.context.key_labels) == {"van gogh"}


def test_a_second_edit_starts_from_what_the_first_one_left(checkpoint: Checkpoint) -> None:
    patch, (first, second) = solve(twice(), checkpoint)
    (one, two), *_ = patch.changes.values()
    assert (one.edit, two.edit) == (first.number, second.number) == (0, 1)
    weight = stored(checkpoint).astype(np.float64)
    after = one.added_to(weight)
    again = second.edit.solve({second.sites[0]: after}, second.context)[second.sites[0]]
    assert np.allclose(two.added_to(after), again.added_to(after))
    assert len(patch.edits) == 2


def test_edits_of_strength_zero_and_no_edits_solve_to_nothing(checkpoint: Checkpoint) -> None:
    for plain in (nothing(), recipe(strength=0)):
        patch, solved = solve(plain, checkpoint)
        assert (dict(patch.changes), solved) == ({}, ())


def test_half_the_strength_goes_half_the_way(checkpoint: Checkpoint) -> None:
    whole, half = (solve(recipe(strength=s), checkpoint)[0].changes[TENSOR][0] for s in (1, 0.5))
    assert half.delta.norm == pytest.approx(whole.delta.norm / 2, rel=1e-9)


def test_a_zero_solution_is_an_error(checkpoint: Checkpoint) -> None:
    with pytest.raises(EditError, match=r"edits\[0\] \(quickfix\): solves to no change"):
        solve_odd(checkpoint)


@pytest.mark.parametrize("answer", [float("nan"), float("inf")])
def test_a_solution_that_is_not_finite_is_an_error(checkpoint: Checkpoint, answer: float) -> None:
    edited = recipe().model_copy(update={"edits": (odd().model_copy(update={"answer": answer}),)})
    with pytest.raises(EditError, match="NaN or infinite"):
        solve(edited, checkpoint)


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
    changed = dict(by_tensor(3, {site: delta}, layout))
    assert list(changed) == [TENSOR, "ema"]
    assert changed[TENSOR] is changed["ema"]
    assert changed["ema"].edit == 3
