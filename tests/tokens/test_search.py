"""A tokenizer is looked for beside the weights, in the cache, in a package; never fetched."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from surgery.errors import CheckpointError
from surgery.gather import Weights, gather
from surgery.layout import TextShape, detect
from surgery.store.checkpoint import open_checkpoint
from surgery.tokens import Tokens, search
from surgery.tokens.packaged import SIZE
from tests.helpers.pipelines import write_single
from tests.helpers.recipes import recipe
from tests.helpers.tiny import vocabulary, write_pipeline, write_tokenizer

SHAPE = TextShape(heads=2, layers=2, width=128, max_length=77, activation="quick_gelu")
ROWS = len(vocabulary())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A single file with no tokenizer anywhere near."""
    path = write_single("sd1", tmp_path / "models" / "m.safetensors")
    shutil.rmtree(path.parent / "tokenizer")
    return path


@pytest.fixture(autouse=True)
def no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Hugging Face cache; the constant is read at import time."""
    from huggingface_hub import constants

    cache = tmp_path / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    return cache


def find(path: Path, rows: int = ROWS, given: Path | None = None, **shape: object) -> Tokens:
    return search.find_tokens(open_checkpoint(path), replace(SHAPE, **shape), rows, given)


def test_a_file_takes_the_tokenizer_folder_beside_it(file: Path) -> None:
    write_tokenizer(file.parent / "tokenizer")
    assert find(file).end == vocabulary()["<|endoftext|>"]
    with pytest.raises(CheckpointError, match="no tokenizer"):
        find(file, tokenizer="tokenizer_2")


def test_a_file_takes_the_tokenizer_files_that_lie_beside_it(file: Path) -> None:
    write_tokenizer(file.parent)
    assert find(file).split("gogh") == (vocabulary()["gogh</w>"],)


def test_a_text_encoder_folder_takes_the_one_of_its_pipeline(tmp_path: Path) -> None:
    pipeline = write_pipeline(tmp_path / "p")
    assert find(pipeline / "text_encoder").split("monet") == find(pipeline).split("monet")


def test_a_folder_that_the_user_names_comes_first(file: Path, tmp_path: Path) -> None:
    write_tokenizer(file.parent / "tokenizer")
    other = write_tokenizer(tmp_path / "other")
    (other / "merges.txt").write_text("#version: 0.2\n")
    assert len(find(file, given=other).split("monet")) == 5
    assert len(find(file, given=other / "vocab.json").split("monet")) == 5
    assert len(find(file).split("monet")) == 1


def test_a_named_folder_without_a_tokenizer_is_refused(file: Path, tmp_path: Path) -> None:
    for wrong in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(CheckpointError, match=r"no tokenizer\.json there.*--tokenizer"):
            find(file, given=wrong)


def test_the_cache_is_read_without_the_network(
    file: Path, no_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached(no_cache, "openai/clip-vit-large-patch14", "")
    monkeypatch.setattr("socket.socket.connect", None)
    monkeypatch.setattr(search, "SIZE", ROWS)
    assert find(file).encode("monet") == find(write_beside(file)).encode("monet")


def test_a_cached_pipeline_will_do_and_its_padding_is_not_taken_over(
    file: Path, no_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached(no_cache, "stabilityai/stable-diffusion-2-1", "tokenizer/", pad="!")
    monkeypatch.setattr(search, "SIZE", ROWS)
    for pad_id, split in ((None, ("!</w>",)), (0, ("!",))):
        found = find(file, pad_id=pad_id)
        assert found.pad == (vocabulary()["<|endoftext|>"] if pad_id is None else 0)
        assert found.split("!") == tuple(vocabulary()[word] for word in split)


def test_the_package_is_the_last_resort(file: Path) -> None:
    pytest.importorskip("instant_clip_tokenizer")
    found = find(file, rows=SIZE)
    ids = found.encode("A person riding a motorcycle")
    assert ids == (49406, 320, 2533, 6765, 320, 10297, 49407)
    assert find(file, rows=SIZE, pad_id=0).padded("")[2:] == (0,) * 75


def test_without_any_of_them_the_three_ways_are_named(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "is_packaged", lambda: False)
    with pytest.raises(CheckpointError) as raised:
        find(file, rows=SIZE)
    for way in ("--tokenizer", "hf download openai/clip", "pip install instant-clip-tokenizer"):
        assert way in str(raised.value)


def test_a_table_of_another_size_never_gets_clips_vocabulary(file: Path) -> None:
    with pytest.raises(CheckpointError, match=f"{ROWS} tokens is not CLIP's, which has 49408"):
        find(file)
    checkpoint = open_checkpoint(file)
    with pytest.raises(CheckpointError, match="--tokenizer"):
        gather(recipe().edits[0], detect(checkpoint), Weights(checkpoint))


def test_an_edit_with_a_named_tokenizer_is_that_with_the_models_own(
    file: Path, tmp_path: Path
) -> None:
    from surgery.apply import apply

    given = write_tokenizer(tmp_path / "given")
    apply(recipe(), open_checkpoint(file), tmp_path / "a.safetensors", tokenizer=given)
    apply(recipe(), open_checkpoint(write_beside(file)), tmp_path / "b.safetensors")
    first, second = load_file(tmp_path / "a.safetensors"), load_file(tmp_path / "b.safetensors")
    assert all((first[name] == second[name]).all() for name in first)


def write_beside(file: Path) -> Path:
    """The same file with its tokenizer in its folder."""
    folder = file.parent.parent / "complete"
    write_tokenizer(folder / "tokenizer")
    os.link(file, folder / file.name)
    return folder / file.name


def cached(cache: Path, repo: str, folder: str, pad: str = "<|endoftext|>") -> None:
    """Files in a Hugging Face cache as a download leaves them."""
    root = cache / f"models--{repo.replace('/', '--')}"
    (root / "refs").mkdir(parents=True)
    (root / "refs" / "main").write_text("a" * 40)
    write_tokenizer(root / "snapshots" / ("a" * 40) / folder, pad=pad)
