from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F
from transformers import CLIPModel, CLIPTokenizer, SiglipModel

from surgery.atelier import clip as training
from surgery.errors import CheckpointError, SurgeryError, UsageError
from surgery.judges.towers import load_towers
from surgery.store.address import locate
from tests.hub.server import HubServer
from tests.judges.build import SIDE, random_pictures, write_clip, write_siglip

ROOT = Path(__file__).parents[2]
FETCH = """
from surgery.store.checkpoint import open_checkpoint
open_checkpoint("org/clip").here()
"""
LOAD = """
from surgery.errors import HubError
from surgery.judges.towers import load_towers
try:
    load_towers("org/never")
except HubError as error:
    print(error)
print(load_towers("org/clip").name)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip"))


def test_texts_are_those_of_transformers(folder: Path) -> None:
    texts = ["a photo of a star", "van gogh"]
    tokens = CLIPTokenizer.from_pretrained(folder)(texts, padding=True, return_tensors="pt")
    model = CLIPModel.from_pretrained(folder).eval()
    with torch.no_grad():
        there = F.normalize(model.get_text_features(**tokens).pooler_output, dim=1)
    assert torch.allclose(load_towers(folder).texts(texts), there, atol=1e-5)


def test_pictures_are_directions_whatever_their_size_and_however_many(folder: Path) -> None:
    towers = load_towers(folder)
    pictures = random_pictures(40, 48, 40)
    found = towers.pictures(pictures)
    assert torch.allclose(found.norm(dim=1), torch.ones(40), atol=1e-6)
    alone = torch.cat([towers.pictures(one[None]) for one in pictures])
    assert torch.allclose(found, alone, atol=1e-5)


def test_pictures_are_prepared_as_the_folder_says(tmp_path: Path) -> None:
    write_clip(tmp_path)
    config = {
        "image_mean": [0.1, 0.2, 0.3],
        "image_std": [1, 1, 1],
        "size": {"shortest_edge": SIDE},
    }
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(config), encoding="utf-8")
    assert load_towers(tmp_path).prepare.mean == (0.1, 0.2, 0.3)
    (tmp_path / "preprocessor_config.json").unlink()
    whole = {"image_processor": {**config, "image_mean": [0.4, 0.5, 0.6]}}
    (tmp_path / "processor_config.json").write_text(json.dumps(whole), encoding="utf-8")
    assert load_towers(tmp_path).prepare.mean == (0.4, 0.5, 0.6)


def test_siglip_is_read_as_transformers_reads_it(tmp_path: Path) -> None:
    towers = load_towers(write_siglip(tmp_path))
    assert towers.ids("a red star")[3:] == [0] * 13
    model = SiglipModel.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        ids = torch.tensor([towers.ids("a red star")])
        there = F.normalize(model.get_text_features(ids).pooler_output, dim=1)
    assert torch.allclose(towers.texts(["a red star"]), there, atol=1e-5)
    assert towers.pictures(random_pictures(2)).shape == (2, 16)


@pytest.mark.parametrize(("write", "reads"), [(write_clip, 77), (write_siglip, 16)])
def test_a_text_that_would_be_cut_off_is_refused(
    tmp_path: Path, write: Callable[[Path], Path], reads: int
) -> None:
    towers = load_towers(write(tmp_path))
    extra = 2 if reads == 77 else 1
    assert len(towers.ids(" ".join(["a"] * (reads - extra)))) == reads
    with pytest.raises(UsageError, match=rf"has {reads + 1} tokens.* reads {reads}; shorten it"):
        towers.ids(" ".join(["a"] * (reads - extra + 1)))


def test_the_built_in_model_brings_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("asked the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    towers = load_towers("atelier")
    assert towers.name.split()[0] == "atelier"
    assert towers.prepare.mean[0] == training.MEAN
    assert towers.prepare.std[0] == training.SPREAD
    same = load_towers(locate("atelier").parent / "clip")
    assert (same.prepare, same.name.split()[-1]) == (towers.prepare, towers.name.split()[-1])


def test_the_name_tells_weights_apart_and_not_their_place(tmp_path: Path) -> None:
    names = [
        load_towers(write_clip(tmp_path / str(number), seed=seed)).name.split()[-1]
        for number, seed in enumerate((0, 0, 1))
    ]
    assert names[0] == names[1] != names[2]


def _without_config(folder: Path) -> Path:
    (folder / "config.json").unlink()
    return folder / "model.safetensors"


def _text_model(folder: Path) -> Path:
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["model_type"] = "clip_text_model"
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def _half(folder: Path) -> Path:
    tensors = load_file(folder / "model.safetensors")
    text = {name: one.clone() for name, one in tensors.items() if name.startswith("text_model.")}
    save_file(text, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def _other_shapes(folder: Path) -> Path:
    tensors = load_file(folder / "model.safetensors")
    tensors["text_projection.weight"] = torch.zeros(8, 20)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (_without_config, "there is no CLIP or SigLIP model; --clip names a folder"),
        (_text_model, "'clip_text_model' is no CLIP or SigLIP model"),
        (_half, r"\d+ tensors are missing, such as 'logit_scale'"),
        (_other_shapes, "transformers cannot load it: "),
    ],
)
def test_what_is_no_whole_clip_model_is_refused(
    tmp_path: Path, harm: Callable[[Path], Path], message: str
) -> None:
    with pytest.raises(CheckpointError, match=message):
        load_towers(harm(write_clip(tmp_path)))


def test_a_tokenizer_of_another_model_is_refused(tmp_path: Path) -> None:
    write_clip(tmp_path)
    known = json.loads((tmp_path / "vocab.json").read_text("utf-8"))
    known["<|endoftext|>"] = 60_000
    (tmp_path / "vocab.json").write_text(json.dumps(known), encoding="utf-8")
    with pytest.raises(SurgeryError, match="its tokenizer is another model's"):
        load_towers(tmp_path).ids("a star")


def test_a_model_on_the_hub_is_read_from_the_cache_without_the_network(tmp_path: Path) -> None:
    write_clip(tmp_path / "in")
    with HubServer() as hub:
        commit = hub.shelf.add_folder("org/clip", tmp_path / "in")
        _run(FETCH, HF_ENDPOINT=hub.endpoint, HF_HOME=str(tmp_path / "home"))
        hub.log.clear()
        offline = {"HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1"}
        never, name = _run(LOAD, HF_ENDPOINT=hub.endpoint, **offline).splitlines()
        assert not hub.log
    assert never.startswith("HF_HUB_OFFLINE is set, and org/never@main is not in the cache")
    here = load_towers(tmp_path / "in").name
    assert name.split() == [f"org/clip@{commit}", here.split()[-1]]


def _run(script: str, **more: str) -> str:
    """What a process prints that knows one Hub; it must not warn of anything."""
    kept = {name: one for name, one in os.environ.items() if not name.startswith(("HF_", "http"))}
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=kept | more | {"HF_HUB_DISABLE_XET": "1", "NO_PROXY": "*"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
