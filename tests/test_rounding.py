from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from surgery import rounding
from surgery.edits.delta import Delta, Dense, Mapped
from surgery.errors import EditError
from surgery.numerics.tensors import decode
from surgery.patch import Change, EditRecord, Patch
from surgery.recipe import Recipe
from surgery.rounding import Result, round_once
from surgery.solve import solve
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from tests.helpers.recipes import recipe
from tests.helpers.tiny import WIDTH, write_pipeline

TENSOR = "text_encoder/text_model.encoder.layers.0.self_attn.out_proj.weight"
VALUE = "unet/mid_block.attentions.0.transformer_blocks.0.attn2.to_v.weight"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    return open_checkpoint(write_pipeline(tmp_path / "p"))


def stored(checkpoint: Checkpoint, name: str = TENSOR) -> np.ndarray:
    ref = checkpoint[name]
    return decode(ref.read(), ref.dtype, ref.shape)


def rounded(edited: Recipe, checkpoint: Checkpoint) -> Result:
    return round_once(*solve(edited, checkpoint), checkpoint)


def given(checkpoint: Checkpoint, delta: Delta, name: str = TENSOR) -> Result:
    """A patch of one delta, rounded."""
    record = EditRecord("given", (name,), delta.rank)
    patch = Patch({name: (Change(delta),)}, "{}", checkpoint.fingerprint, "1", (record,))
    return round_once(patch, (), checkpoint)


def test_a_shared_map_is_added_in_single_precision_and_rounded_once(
    checkpoint: Checkpoint,
) -> None:
    weight = stored(checkpoint, VALUE)
    left = np.random.default_rng(0).standard_normal((weight.shape[1], 2)) / 8
    right = np.random.default_rng(1).standard_normal((2, weight.shape[1])) / 8
    after = given(checkpoint, Mapped(left, right), VALUE).values[VALUE]
    exact = weight + weight.astype(np.float64) @ left @ right
    found = np.frombuffer(after, np.float16).reshape(weight.shape)
    assert np.abs(found - exact).max() <= 1.01 * np.spacing(np.float16(np.abs(exact).max())) / 2


def test_leak_and_drift_are_of_what_is_stored_and_go_into_the_record(
    checkpoint: Checkpoint,
) -> None:
    result = rounded(recipe(), checkpoint)
    own = next(leak for leak in result.leaks if leak.wording == "prompts")
    assert (own.concept, own.target) == ("van gogh", "painting")
    # A model this narrow cannot let the concept go wholly and hold all the rest.
    assert own.figure.max < 0.5
    assert {drift.group for drift in result.drifts} == {"preserved", "neighbours", "neutral"}
    (record,) = result.patch.edits
    neutral = next(drift for drift in result.drifts if drift.group == "neutral")
    assert (record.leak, record.drift) == (own.figure.max, neutral.figure.p95)
    assert [row.site for row in result.by_site] == ["text.self_attn.out[0]"]


def test_values_that_are_not_kept_are_made_again_alike(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = dict(rounded(recipe(), checkpoint).values)
    monkeypatch.setattr(rounding, "KEPT", 0)
    result = rounded(recipe(), checkpoint)
    assert dict(result.values) == kept


def solve_odd(checkpoint: Checkpoint, answer: float) -> None:
    given(checkpoint, Dense(np.full((WIDTH, WIDTH), answer)))


def test_the_stored_value_is_the_exact_sum_rounded_once(checkpoint: Checkpoint) -> None:
    patch, solved = solve(recipe(), checkpoint)
    ((change,),) = patch.changes.values()
    delta = change.delta.added_to(np.zeros((WIDTH, WIDTH)))
    wanted = (stored(checkpoint).astype(np.float64) + delta).astype(np.float16)
    assert round_once(patch, solved, checkpoint).values[TENSOR] == wanted.tobytes()


def test_figures_of_a_tensor_are_those_of_the_stored_value(checkpoint: Checkpoint) -> None:
    result = rounded(recipe(), checkpoint)
    (figure,) = result.tensors
    before, after = stored(checkpoint), np.frombuffer(result.values[TENSOR], np.float16)
    change = after.astype(np.float64).reshape(before.shape) - before
    assert figure.relative_norm == pytest.approx(
        np.linalg.norm(change) / np.linalg.norm(before), rel=1e-6
    )
    assert figure.changed == pytest.approx(np.mean(change != 0))
    assert 0 < figure.lost < 0.1


def test_the_same_recipe_and_base_give_the_same_bytes(checkpoint: Checkpoint) -> None:
    runs = []
    for _ in range(2):
        runs.append(dict(rounded(recipe(), checkpoint).values))
    assert runs[0] == runs[1]


def test_an_overflow_of_the_stored_type_is_an_error(checkpoint: Checkpoint) -> None:
    with pytest.raises(EditError, match=r"out_proj\.weight: .*too large for F16"):
        solve_odd(checkpoint, 1e6)


def test_a_change_below_the_resolution_is_an_error(checkpoint: Checkpoint) -> None:
    with pytest.raises(EditError, match="below the resolution of F16"):
        solve_odd(checkpoint, 1e-12)


@pytest.mark.parametrize(("dtype", "stored_as"), [("float32", "F32"), ("float16", "F16")])
def test_the_stored_type_is_kept(tmp_path: Path, dtype: str, stored_as: str) -> None:
    checkpoint = open_checkpoint(write_pipeline(tmp_path / "q", dtype=dtype))
    result = rounded(recipe(), checkpoint)
    assert result.tensors[0].dtype == stored_as
    assert len(result.values[TENSOR]) == checkpoint[TENSOR].nbytes


def test_a_type_that_takes_much_of_the_change_is_told(checkpoint: Checkpoint) -> None:
    (tensor,) = rounded(recipe(), checkpoint).tensors
    assert rounding.coarse(tensor) is None
    step = float(np.spacing(np.float16(np.abs(stored(checkpoint)).max())))
    (rough,) = given(checkpoint, Dense(np.full((WIDTH, WIDTH), 0.3 * step))).tensors
    assert f"rounding to F16 takes {rough.lost:.0%}" in (rounding.coarse(rough) or "")
