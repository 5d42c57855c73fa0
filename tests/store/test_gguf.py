from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from surgery.errors import CheckpointError
from surgery.store.checkpoint import open_checkpoint
from surgery.store.gguf import GgufTensor, here, is_gguf, read_gguf
from tests.helpers.gguf import body, entry, gguf, number, tensor, text


def written(folder: Path, raw: bytes) -> Path:
    (folder / "m.gguf").write_bytes(raw)
    return folder / "m.gguf"


def test_architecture_types_and_shapes_are_read(tmp_path: Path) -> None:
    header = read_gguf(here(written(tmp_path, gguf())))
    assert (header.version, header.architecture) == (3, "flux")
    assert header.tensors[0] == GgufTensor("a.weight", "Q4_K", (256, 2))
    assert header.tensors[1].type == "BF16"
    assert header.metadata["general.file_type"] == 14
    assert header.metadata["tokens"] == "a list of 3"


def test_every_kind_of_value_is_read(tmp_path: Path) -> None:
    codes = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 10: "Q", 11: "q"}
    entries = [entry(f"n{kind}", kind, number(code, 7)) for kind, code in codes.items()]
    entries += [
        entry("float", 6, number("f", 0.5)),
        entry("double", 12, number("d", math.nan)),
        entry("bool", 7, number("B", 1)),
        entry("deep", 9, number("I", 9) + number("Q", 1) + number("I", 4) + number("Q", 0)),
    ]
    found = read_gguf(here(written(tmp_path, body(entries, [])))).metadata
    assert [found[f"n{kind}"] for kind in codes] == [7] * len(codes)
    assert (found["float"], found["double"], found["bool"]) == (0.5, "nan", True)
    assert found["deep"] == "a list of 1"


def test_a_name_of_a_type_to_come_is_its_number(tmp_path: Path) -> None:
    header = read_gguf(here(written(tmp_path, body([], [tensor("a", (1,), 99)]))))
    assert header.tensors[0].type == "type 99"


def test_only_such_files_are_taken_for_it(tmp_path: Path) -> None:
    assert is_gguf(written(tmp_path, gguf()))
    for name, raw in {"empty": b"", "short": b"GG", "other": b"PK\3\4"}.items():
        (tmp_path / name).write_bytes(raw)
        assert not is_gguf(tmp_path / name)
    assert not is_gguf(tmp_path)
    assert not is_gguf(tmp_path / "nothing")


def test_such_a_file_is_no_model_to_edit(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"GGUF file, which cannot be edited; `surgery insp"):
        open_checkpoint(written(tmp_path, gguf()))


@pytest.mark.parametrize("kept", [4, 7, 20, 30, 60, -40])
def test_a_cut_header_is_refused(tmp_path: Path, kept: int) -> None:
    raw = body([entry("k", 8, text("v"))], [tensor("a.weight", (256, 2), 12)])
    with pytest.raises(CheckpointError, match=r"cut short|claims"):
        read_gguf(here(written(tmp_path, raw[:kept])))


@pytest.mark.parametrize(
    "raw",
    [
        b"GGUF" + number("I", 1) + bytes(64),
        b"GGUF" + number("I", 3) + number("Q", 2**63) + number("Q", 0) + bytes(64),
        body([entry("k", 8, number("Q", 2**62))], []),
        body([entry("k", 9, number("I", 0) + number("Q", 2**62))], []),
        body([entry("k", 77, b"")], []),
        body([entry("k", 9, (number("I", 9) + number("Q", 1)) * 9)], []),
        body([], [text("a") + number("I", 2**31)]),
    ],
)
def test_numbers_that_cannot_be_are_refused_at_once(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(CheckpointError, match=r"m\.gguf: "):
        read_gguf(here(written(tmp_path, raw + bytes(256))))


def test_millions_of_empty_values_are_not_walked(tmp_path: Path) -> None:
    path = written(tmp_path, body([entry("k", 9, number("I", 8) + number("Q", 2**40))], []))
    with path.open("r+b") as file:
        file.truncate(2**31)
    with pytest.raises(CheckpointError, match="more than"):
        read_gguf(here(path))


def test_what_the_format_s_own_package_writes_is_read_as_it_reads_it(tmp_path: Path) -> None:
    package = pytest.importorskip("gguf", reason="the PyPI package gguf is not installed")
    writer = package.GGUFWriter(tmp_path / "m.gguf", "sd1")
    writer.add_float32("scale", 0.5)
    values = np.arange(4 * 64, dtype=np.float32).reshape(4, 64)
    kind = package.GGMLQuantizationType.Q8_0
    writer.add_tensor("a.weight", package.quants.quantize(values, kind), raw_dtype=kind)
    writer.add_tensor("b.bias", values[0].astype(np.float16))
    for step in ("write_header_to_file", "write_kv_data_to_file", "write_tensors_to_file", "close"):
        getattr(writer, step)()
    found = read_gguf(here(tmp_path / "m.gguf"))
    assert (found.architecture, found.metadata["scale"]) == ("sd1", 0.5)
    read = package.GGUFReader(tmp_path / "m.gguf").tensors
    theirs = [(one.name, one.tensor_type.name, tuple(map(int, one.shape))) for one in read]
    assert [(one.name, one.type, one.shape) for one in found.tensors] == theirs
