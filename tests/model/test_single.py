"""A single file is the model that the folder with the same values is."""

from __future__ import annotations

import json
import shutil
import struct
from math import prod
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from surgery.errors import CheckpointError
from surgery.layout import detect
from surgery.model import generate, load_model
from surgery.model.settings import settings
from surgery.model.single import SingleFile
from surgery.store.checkpoint import open_checkpoint
from tests.helpers.dumps import dump
from tests.helpers.pickles import save
from tests.helpers.pipelines import write_single

FAMILIES = ("sd1", "sd2", "sdxl")
PROMPTS = ("a painting by van gogh", "a red ball")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("files")
    return {one: write_single(one, root / one / "model.safetensors") for one in FAMILIES}


def sparse(name: str, path: Path) -> Path:
    """A file with every tensor of a real model, all of it a hole on the disk."""
    header, end = {}, 0
    for tensor, ref in dump(name).tensors.items():
        begin, end = end, end + 2 * prod(ref.shape)
        header[tensor] = {"dtype": "F16", "shape": ref.shape, "data_offsets": [begin, end]}
    raw = json.dumps(header).encode()
    raw += b" " * (-len(raw) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(raw)) + raw)
        file.truncate(8 + len(raw) + end)
    return path


@pytest.mark.parametrize("family", FAMILIES)
def test_a_single_file_paints_what_its_folder_paints(
    family: str, files: dict[str, Path], folders: dict[str, Path]
) -> None:
    folder = load_model(folders[family])
    single = load_model(files[family], config=folders[family])
    told, same = folder.encode(PROMPTS), single.encode(PROMPTS)
    assert torch.allclose(told.states, same.states, atol=1e-5)
    pictures = [generate(one, PROMPTS, [1, 2], steps=2) for one in (folder, single)]
    assert torch.allclose(*pictures, atol=1e-5)
    assert [(site.kind, site.index, site.tensor) for site in folder.layout.sites] == [
        (site.kind, site.index, site.tensor) for site in single.layout.sites
    ]


@pytest.mark.parametrize("family", FAMILIES)
def test_networks_of_a_single_file_come_in_the_precision_asked_for(
    family: str, files: dict[str, Path], folders: dict[str, Path]
) -> None:
    model = load_model(files[family], config=folders[family], dtype="bfloat16")
    networks = (model.denoiser, model.networks.vae, *model.towers.values())
    kinds = {one.dtype for network in networks for one in network.parameters()}
    assert kinds == {torch.bfloat16}
    assert torch.get_default_dtype() == torch.float32


def test_both_spellings_of_the_clip_tower_are_read(
    files: dict[str, Path], folders: dict[str, Path], tmp_path: Path
) -> None:
    new = write_single("sd1", tmp_path / "model.safetensors", new_clip=True)
    told = [load_model(one, config=folders["sd1"]).encode(PROMPTS) for one in (files["sd1"], new)]
    assert torch.equal(told[0].states, told[1].states)


def test_a_configuration_without_a_tokenizer_leaves_the_one_beside_the_file(
    files: dict[str, Path], folders: dict[str, Path], tmp_path: Path
) -> None:
    bare = shutil.copytree(folders["sd1"], tmp_path / "bare", ignore=lambda *_: ["tokenizer"])
    whole = load_model(files["sd1"], config=folders["sd1"])
    own = load_model(files["sd1"], config=bare)
    assert own.tokens().padded(PROMPTS[0]) == whole.tokens().padded(PROMPTS[0])


def test_a_pickle_is_read_like_the_file_with_the_same_values(
    files: dict[str, Path], folders: dict[str, Path], tmp_path: Path
) -> None:
    pickle = save(tmp_path / "model.ckpt", {"state_dict": load_file(files["sd1"])})
    opened = open_checkpoint(pickle, allow_pickle=True)
    ckpt = load_model(opened, config=folders["sd1"], tokenizer=folders["sd1"] / "tokenizer")
    whole = load_model(files["sd1"], config=folders["sd1"])
    assert torch.equal(*(generate(one, PROMPTS[:1], [1], steps=1) for one in (ckpt, whole)))


@pytest.mark.parametrize(
    ("name", "model", "kind"),
    [
        ("sd1-ldm", "sd15", "epsilon"),
        ("sd1-ldm-ema", "sd15", "epsilon"),
        ("sd2-ldm", "sd21-base", None),
        ("sdxl-sgm", "sdxl", "epsilon"),
    ],
)
def test_real_files_fit_the_configuration_that_is_chosen_for_them(
    name: str, model: str, kind: str | None, tmp_path: Path
) -> None:
    opened = open_checkpoint(sparse(name, tmp_path / "model.safetensors"))
    layout = detect(opened)
    chosen = settings(opened, layout, None)
    SingleFile(opened, layout, chosen, torch.float16).check()
    assert (chosen.name, chosen.scheduler.get("prediction_type")) == (model, kind)
    assert chosen.zero_empty == (model == "sdxl")


@pytest.mark.parametrize("name", ["tiny-sd1-ldm", "ssd-1b-sgm"])
def test_a_smaller_relative_needs_its_own_configuration(name: str, tmp_path: Path) -> None:
    path = sparse(name, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match="is expected; give --config FOLDER"):
        load_model(path)


def test_the_configuration_of_another_model_is_refused(
    files: dict[str, Path], folders: dict[str, Path], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    for path in folders["sd1"].rglob("*.json"):
        copy = other / path.relative_to(folders["sd1"])
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    config = other / "vae" / "config.json"
    said = json.loads(config.read_text("utf-8")) | {"layers_per_block": 1}
    config.write_text(json.dumps(said), "utf-8")
    with pytest.raises(CheckpointError, match=r"its vae has .* numbers"):
        load_model(files["sd1"], config=other)
    (other / "unet" / "config.json").unlink()
    with pytest.raises(CheckpointError, match=r"there is no unet/config\.json"):
        load_model(files["sd1"], config=other)


@pytest.mark.parametrize(
    ("prefix", "what"),
    [("first_stage_model.", "there is no vae in it"), ("cond_stage_model.", "no text tower")],
)
def test_a_file_without_all_networks_is_refused(
    prefix: str, what: str, files: dict[str, Path], folders: dict[str, Path], tmp_path: Path
) -> None:
    kept = {n: v for n, v in load_file(files["sd1"]).items() if not n.startswith(prefix)}
    save_file(kept, tmp_path / "part.safetensors")
    with pytest.raises(CheckpointError, match=what):
        load_model(tmp_path / "part.safetensors", config=folders["sd1"])


def test_marks_in_a_file_say_what_it_predicts(tmp_path: Path) -> None:
    path = sparse("sdxl-sgm", tmp_path / "model.safetensors")
    size = path.stat().st_size
    with path.open("r+b") as file:
        count = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(count))
        end = size - 8 - count
        for mark in ("v_pred", "ztsnr"):
            header[mark] = {"dtype": "F32", "shape": [0], "data_offsets": [end, end]}
        raw = json.dumps(header).encode()
        raw += b" " * (-len(raw) % 8)
        file.seek(0)
        file.write(struct.pack("<Q", len(raw)) + raw)
        file.truncate(8 + len(raw) + end)
    opened = open_checkpoint(path)
    said = settings(opened, detect(opened), None).scheduler
    assert said["prediction_type"] == "v_prediction"
    assert said["rescale_betas_zero_snr"] is True
