"""Scores are of the weights as earlier edits leave them, in any naming."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from surgery.edits.delta import Rows
from surgery.edits.scores import Wanted, sample
from surgery.errors import EditError
from surgery.layout import detect
from surgery.model import load_model
from surgery.patch import Change
from surgery.scores.changed import change, scores_of
from surgery.store.checkpoint import open_checkpoint
from tests.helpers.pipelines import write_folder, write_single

WANTED = Wanted(
    "conceptprune",
    ("ff.out[0]",),
    (("van gogh", "a painting"),),
    steps=2,
    settings=(("first", 1),),
)


def added(shape: tuple[int, ...]) -> Rows:
    """Five to every entry of the first row."""
    return Rows(np.array([0]), np.full((1, shape[1]), 5.0), (shape[0], shape[1]))


def test_what_an_earlier_edit_changed_is_scored_as_changed(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_folder("sd1", tmp_path / "m"))
    (site,) = detect(checkpoint).select("ff.out[0]")
    shape = checkpoint[site.tensor].shape
    before = scores_of(WANTED, checkpoint, {})
    after = scores_of(WANTED, checkpoint, {site.tensor: (Change(added(shape)),)})
    moved = after.samples["ff.out[0]"] - before.samples["ff.out[0]"]
    expected = np.zeros(shape, np.float32)
    expected[0] = 5.0
    np.testing.assert_allclose(moved, sample(expected), atol=1e-5)


@pytest.mark.parametrize("selector", ["cross_attn.v[1]", "text.self_attn.out[0]"])
@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl"])
def test_a_single_files_tensor_is_found_in_memory(
    tmp_path: Path, family: str, selector: str
) -> None:
    folder = write_folder(family, tmp_path / "m")
    file = open_checkpoint(write_single(family, tmp_path / "m.safetensors"))
    loaded = load_model(file, config=folder, tokenizer=folder)
    layout = detect(file)
    (site,) = layout.select(selector)
    (held,) = loaded.layout.select(selector)
    before = loaded.parameter(held.tensor).detach().clone()
    change(loaded, layout, {site.tensor: (Change(added(before.shape), site.rows),)})
    moved = loaded.parameter(held.tensor).detach() - before
    assert np.allclose(moved[0], 5, atol=1e-3)
    assert not moved[1:].any()


def test_a_change_of_what_is_no_site_is_refused(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_folder("sd1", tmp_path / "m"))
    wrong = Change(Rows(np.array([0]), np.ones((1, 1)), (1, 1)))
    with pytest.raises(EditError, match="cannot be run"):
        scores_of(WANTED, checkpoint, {"unet/conv_in.weight": (wrong,)})
