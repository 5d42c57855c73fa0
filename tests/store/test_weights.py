"""The weights of a folder are chosen by name, plain before variant; an index cannot lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from surgery.errors import CheckpointError
from surgery.store.header import read_header
from surgery.store.weights import check_index, choose, read_index
from tests.store.build import write_file, write_json, write_shards

PLAIN = "diffusion_pytorch_model.safetensors"
FP16 = "diffusion_pytorch_model.fp16.safetensors"


@pytest.mark.parametrize(
    ("names", "chosen", "others"),
    [
        ([PLAIN], PLAIN, ()),
        ([PLAIN, FP16, "diffusion_pytorch_model.bin"], PLAIN, (FP16,)),
        ([FP16, "config.json"], FP16, ()),
        (["model.safetensors", "extra.safetensors"], "model.safetensors", ("extra.safetensors",)),
        (["only.one.safetensors"], "only.one.safetensors", ()),
        (
            ["model.safetensors.index.json", "model-00001-of-00002.safetensors"],
            "model.safetensors.index.json",
            (),
        ),
        (["model.safetensors.index.fp16.json"], "model.safetensors.index.fp16.json", ()),
        (["model.safetensors.fp16.index.json"], "model.safetensors.fp16.index.json", ()),
        (
            ["model.safetensors.index.json", "model.safetensors.index.fp16.json"],
            "model.safetensors.index.json",
            ("model.safetensors.index.fp16.json",),
        ),
    ],
)
def test_the_plain_weights_are_chosen(
    names: list[str], chosen: str, others: tuple[str, ...]
) -> None:
    found, passed_over = choose(names, "f")
    assert found is not None
    assert (found.name, passed_over) == (chosen, others)


@pytest.mark.parametrize(
    "names",
    [
        ["a.safetensors", "b.safetensors"],
        ["model.fp16.safetensors", "model.bf16.safetensors"],
        ["model.safetensors", "diffusion_pytorch_model.safetensors"],
        ["model.safetensors", "model.safetensors.index.json"],
    ],
)
def test_two_with_the_same_right_are_not_guessed_between(names: list[str]) -> None:
    with pytest.raises(CheckpointError, match="several weights to choose from"):
        choose(names, "f")


@pytest.mark.parametrize(
    "names", [[], ["pytorch_model.bin"], ["config.json"], ["model-00001-of-00002.safetensors"]]
)
def test_a_folder_without_weights_has_none(names: list[str]) -> None:
    assert choose(names, "f") == (None, ())


@pytest.mark.parametrize(
    ("weight_map", "says"),
    [
        (None, "no weight_map"),
        ({}, "no weight_map"),
        ([], "no weight_map"),
        ({"a": 1}, "no file name is given for 'a'"),
        ({"a": "../x.safetensors"}, "not a plain file name"),
        ({"a": "/tmp/x.safetensors"}, "not a plain file name"),
        ({"a": "sub/x.safetensors"}, "not a plain file name"),
        ({"a": ".."}, "not a plain file name"),
        ({"a": ""}, "not a plain file name"),
        ({"a": "pytorch_model.bin"}, r"no \.safetensors"),
    ],
)
def test_an_index_that_leads_elsewhere_is_refused(
    weight_map: object, says: str, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError, match=says):
        read_index(write_json(tmp_path / "i.json", {"weight_map": weight_map}))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"c.weight": "model-00002-of-00002.safetensors"}, "does not hold 'c.weight'"),
        ({"a.bias": "model-00002-of-00002.safetensors"}, "places elsewhere"),
        ({"a.bias": None}, "does not name"),
        ({"a.weigth": "model-00001-of-00002.safetensors"}, "the nearest there is 'a.weight'"),
    ],
)
def test_an_index_and_its_shards_must_agree(
    change: dict[str, str | None], says: str, tmp_path: Path
) -> None:
    weight_map = read_index(write_shards(tmp_path, "model"))
    headers = {name: read_header(tmp_path / name) for name in sorted(set(weight_map.values()))}
    check_index(weight_map, headers, "index")
    wrong = {key: value for key, value in (weight_map | change).items() if value is not None}
    with pytest.raises(CheckpointError, match=says):
        check_index(wrong, headers, "index")


def test_a_tensor_in_two_shards_is_refused(tmp_path: Path) -> None:
    index = write_shards(tmp_path, "model")
    weight_map = read_index(index)
    write_file(tmp_path / "model-00002-of-00002.safetensors", {"a.bias": ("F32", (3,))})
    headers = {name: read_header(tmp_path / name) for name in sorted(set(weight_map.values()))}
    with pytest.raises(CheckpointError, match=r"'a\.bias', which the index places elsewhere"):
        check_index(weight_map, headers, "index")
