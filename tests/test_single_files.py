"""An edit of a single file is the edit of the diffusers folder that holds the same values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from surgery.apply import apply
from surgery.edits.delta import LowRank
from surgery.layout import detect
from surgery.patch import Patch
from surgery.plan import make_plan
from surgery.rounding import round_once
from surgery.solve import by_tensor, solve
from surgery.store.checkpoint import open_checkpoint
from tests.helpers.pickles import save
from tests.helpers.pipelines import PIPELINES, WIDTHS, write_folder, write_single
from tests.helpers.recipes import recipe

OUT = "encoder.layers.0.self_attn.out_proj.weight"
CHANGED = {
    "sd1": f"cond_stage_model.transformer.text_model.{OUT}",
    "sd2": "cond_stage_model.model.transformer.resblocks.0.attn.out_proj.weight",
    "sdxl": f"conditioner.embedders.0.transformer.text_model.{OUT}",
}
FAMILIES = sorted(CHANGED)


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def edited(family: str, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The same model and edit as a folder and as a single file."""
    root = tmp_path_factory.mktemp(family)
    before = {
        "folder": write_folder(family, root / "folder"),
        "file": write_single(family, root / "single" / "model.safetensors"),
    }
    for path in before.values():
        apply(recipe(), open_checkpoint(path), root / f"edited{path.suffix}")
    return {
        "file before": before["file"],
        "file": root / "edited.safetensors",
        "folder before": before["folder"],
        "folder": root / "edited",
    }


def test_one_tensor_of_the_single_file_changes(family: str, edited: Mapping[str, Path]) -> None:
    before, after = load_file(edited["file before"]), load_file(edited["file"])
    assert list(before) == list(after)
    differ = [name for name in before if not np.array_equal(before[name], after[name])]
    assert differ == [CHANGED[family]]
    assert np.linalg.norm(after[differ[0]] - before[differ[0]]) > 0.01


def test_diffusers_loads_the_edited_file_as_the_edited_folder(
    family: str, edited: Mapping[str, Path]
) -> None:
    import diffusers

    pipeline = getattr(diffusers, PIPELINES[family])
    single = pipeline.from_single_file(
        str(edited["file"]), config=str(edited["folder"]), local_files_only=True
    )
    folder = pipeline.from_pretrained(str(edited["folder"]))
    towers = ("text_encoder", "text_encoder_2") if family == "sdxl" else ("text_encoder",)
    for part in ("unet", "vae", *towers):
        ours = getattr(single, part).state_dict()
        theirs = getattr(folder, part).state_dict()
        assert ours.keys() == theirs.keys()
        differ = [name for name in ours if not torch.equal(ours[name], theirs[name])]
        assert differ == [], part


def test_ema_copies_get_the_same_change(tmp_path: Path) -> None:
    source = write_single("sd1", tmp_path / "ema.safetensors", ema=True)
    checkpoint = open_checkpoint(source)
    solved, _ = solve(recipe(), checkpoint)
    # The copies are of the UNet: an edit of the text tower leaves them, and says nothing of them.
    assert list(solved.changes) == [CHANGED["sd1"]]
    unet = "model.diffusion_model.middle_block.1.transformer_blocks.0.attn2.to_k.weight"
    layout = detect(checkpoint)
    (site,) = [site for site in layout.sites if site.tensor == unet]
    noise = LowRank(np.ones((16, 1)), np.ones((1, WIDTHS["text_encoder"])))
    names = [name for name, _ in by_tensor(0, {site: noise}, layout)]
    assert names == [unet, "model_ema." + "".join(unet.split(".")[1:])]


def test_an_edited_unet_of_a_file_with_ema_copies_stays_consistent(tmp_path: Path) -> None:
    source = write_single("sd1", tmp_path / "ema.safetensors", ema=True)
    before, checkpoint = load_file(source), open_checkpoint(source)
    layout = detect(checkpoint)
    site = layout.select("cross_attn.k[3]")[0]
    noise = LowRank(np.ones((16, 1)), np.ones((1, WIDTHS["text_encoder"])))
    changes = {name: (change,) for name, change in by_tensor(0, {site: noise}, layout)}
    patch = Patch(changes, "{}", checkpoint.fingerprint, "0", ())
    values = round_once(patch, (), checkpoint).values
    assert set(values) == {site.tensor, layout.twins[site.tensor]}
    for name, value in values.items():
        assert np.allclose(np.frombuffer(value, np.float32), before[name].ravel() + 1, atol=1e-6)


@pytest.mark.parametrize("prefix", ["with text_model.", "without"])
def test_both_spellings_of_the_clip_tower_are_edited_alike(prefix: str, tmp_path: Path) -> None:
    folder = write_folder("sd1", tmp_path / "folder")
    source = write_single("sd1", tmp_path / "s" / "m.safetensors", new_clip=prefix == "without")
    name = CHANGED["sd1"].replace("text_model." if prefix == "without" else "?", "")
    apply(recipe(), open_checkpoint(source), tmp_path / "out.safetensors")
    apply(recipe(), open_checkpoint(folder), tmp_path / "out")
    wanted = load_file(tmp_path / "out" / "text_encoder" / "model.safetensors")
    found = load_file(tmp_path / "out.safetensors")[name]
    assert np.array_equal(found, wanted[f"text_model.{OUT}"])


def test_padding_of_sd2_is_the_plain_mark_of_openclip(tmp_path: Path) -> None:
    layout = detect(open_checkpoint(write_single("sd2", tmp_path / "m.safetensors")))
    assert (layout.text.pad_id, layout.text.activation, layout.text.heads) == (0, "gelu", 2)


def test_the_plan_of_sdxl_says_that_the_second_tower_is_not_edited(tmp_path: Path) -> None:
    plan = make_plan(recipe(), open_checkpoint(write_single("sdxl", tmp_path / "m.safetensors")))
    assert plan.changes == (CHANGED["sdxl"],)
    assert any("text2" in warning and "not edited" in warning for warning in plan.warnings)


def test_an_edited_pickle_is_the_edited_folder_to_diffusers(tmp_path: Path) -> None:
    import diffusers

    source = write_single("sd1", tmp_path / "single" / "model.safetensors")
    tensors = {name: torch.from_numpy(value) for name, value in load_file(source).items()}
    pickle = save(source.with_suffix(".ckpt"), {"state_dict": tensors, "global_step": 470000})
    source.unlink()
    folder = write_folder("sd1", tmp_path / "folder")
    apply(recipe(), open_checkpoint(pickle, allow_pickle=True), tmp_path / "out.safetensors")
    apply(recipe(), open_checkpoint(folder), tmp_path / "out")
    single = diffusers.StableDiffusionPipeline.from_single_file(
        str(tmp_path / "out.safetensors"), config=str(tmp_path / "out"), local_files_only=True
    )
    whole = diffusers.StableDiffusionPipeline.from_pretrained(str(tmp_path / "out"))
    for part in ("unet", "vae", "text_encoder"):
        ours, theirs = (getattr(each, part).state_dict() for each in (single, whole))
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours), part
