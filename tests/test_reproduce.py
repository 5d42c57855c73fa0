"""An edit made again from its record: equal, or how far off and where."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surgery.apply import apply
from surgery.errors import CheckpointError, UsageError
from surgery.report import Record, ReproduceReport
from surgery.report.remade import RemadeTensor
from surgery.reproduce import How, level_of, reproduce, steps_between
from surgery.store.checkpoint import open_checkpoint
from tests.helpers.recipes import nothing, recipe
from tests.helpers.tiny import write_pipeline

TENSOR = "text_encoder/text_model.encoder.layers.0.self_attn.out_proj.weight"


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a base and its edit."""
    place = tmp_path_factory.mktemp("reproduce")
    write_pipeline(place / "base")
    apply(recipe(), open_checkpoint(place / "base"), place / "out")
    return place


@pytest.fixture
def place(edited: Path, tmp_path: Path) -> Path:
    shutil.copytree(edited, tmp_path / "own")
    return tmp_path / "own"


def made(place: Path, **more: object) -> ReproduceReport:
    return reproduce(open_checkpoint(place / "out"), How(**more))  # type: ignore[arg-type]


def poke(place: Path, name: str, number: int, step: int = 1) -> None:
    """Change one stored word of a tensor of the output."""
    ref = open_checkpoint(place / "out")[name]
    width = {"F16": 2, "F32": 4}[ref.dtype]
    with ref.file.open("r+b") as file:
        file.seek(ref.start + number * width)
        word = int.from_bytes(file.read(width), "little")
        file.seek(ref.start + number * width)
        file.write((word ^ step).to_bytes(width, "little"))


def test_an_edit_is_reproduced_bit_by_bit_from_the_base_beside_it(place: Path) -> None:
    report = made(place)
    assert (report.level, report.astray, report.versions) == ("identical", (), ())
    assert [each.name for each in report.tensors] == [TENSOR]
    assert report.tensors[0].as_recorded
    assert report.identical == len(open_checkpoint(place / "base")) - 1
    assert report.within("identical")
    assert ReproduceReport.from_json(report.to_json()) == report


def test_a_last_bit_is_rounding_and_told_to_be_of_later(place: Path) -> None:
    poke(place, TENSOR, 5)
    report = made(place)
    (tensor,) = report.tensors
    assert (report.level, tensor.steps, tensor.as_recorded) == ("rounding", 1, False)
    assert not report.within("identical")
    assert report.within("rounding")


def test_a_large_change_is_different(place: Path) -> None:
    poke(place, TENSOR, 5, 0x4000)
    (tensor,) = made(place).tensors
    assert tensor.level == "different"
    assert tensor.of_change > 0.01


def test_a_tensor_outside_the_edit_that_differs_is_named(place: Path) -> None:
    other = next(name for name in open_checkpoint(place / "base") if name.startswith("vae/"))
    poke(place, other, 0)
    report = made(place)
    assert (report.astray, report.level) == ((other,), "different")
    assert report.tensors[0].level == "identical"


def test_the_base_of_another_machine_has_to_be_named(place: Path) -> None:
    shutil.move(place / "base", place / "elsewhere")
    with pytest.raises(UsageError, match="name it with --base"):
        made(place)
    assert made(place, base=str(place / "elsewhere")).level == "identical"


def test_a_model_of_the_bases_name_that_is_another_one_is_not_taken(place: Path) -> None:
    shutil.rmtree(place / "base")
    shutil.copytree(place / "out", place / "base")
    with pytest.raises(UsageError, match="name it with --base"):
        made(place)
    with pytest.raises(CheckpointError, match="this is not the base"):
        made(place, base=str(place / "base"))


def test_another_version_is_named(place: Path) -> None:
    file = place / "out" / "surgery.json"
    record = Record.from_json(file.read_text("utf-8"))
    then = {**record.versions, "surgery": "0.0.1", "fortran": "77"}
    file.write_text(replace(record, versions=then).text(), "utf-8")
    changes = {change.name: (change.then, change.now) for change in made(place).versions}
    assert changes["surgery"][0] == "0.0.1"
    assert changes["fortran"] == ("77", "")


def test_a_record_that_hides_a_changed_tensor_does_not_help(place: Path) -> None:
    file = place / "out" / "surgery.json"
    record = Record.from_json(file.read_text("utf-8"))
    file.write_text(replace(record, tensors=()).text(), "utf-8")
    report = made(place)
    assert [each.name for each in report.tensors] == [TENSOR]
    assert not report.tensors[0].as_recorded


def test_a_model_without_a_record_and_a_broken_one_are_refused(place: Path) -> None:
    file = place / "out" / "surgery.json"
    fields = json.loads(file.read_text("utf-8")) | {"more": 1}
    file.write_text(json.dumps(fields, indent=2), "utf-8")
    with pytest.raises(CheckpointError, match="its record cannot be read"):
        made(place)
    apply(nothing(), open_checkpoint(place / "base"), place / "copy")
    with pytest.raises(CheckpointError, match="no record of an edit"):
        reproduce(open_checkpoint(place / "copy"))


def test_a_record_cannot_name_a_place_of_this_machine(place: Path) -> None:
    file = place / "out" / "surgery.json"
    record = Record.from_json(file.read_text("utf-8"))
    own = replace(record.base, address=str(place / "base"))
    file.write_text(replace(record, base=own).text(), "utf-8")
    with pytest.raises(UsageError, match="a model of the machine that edited it"):
        made(place)


@pytest.mark.parametrize(
    ("dtype", "kind"), [("F16", np.float16), ("F32", np.float32), ("F64", np.float64)]
)
def test_steps_are_counted_along_the_type(dtype: str, kind: type[np.floating]) -> None:
    one = np.array([1.0, -1.0, 0.0, 3.0], kind)
    up = np.nextafter(np.nextafter(one, kind(9)), kind(9))
    assert steps_between(one.tobytes(), up.tobytes(), dtype) == 2
    tiny = np.array([np.nextafter(kind(0), kind(-1))], kind)
    assert steps_between(tiny.tobytes(), np.zeros(1, kind).tobytes(), dtype) == 1


@pytest.mark.parametrize(
    ("steps", "relative", "of_change", "level"),
    [
        (1, 1.0, 1.0, "rounding"),
        (9, 1e-7, 1.0, "rounding"),
        (9, 1e-3, 0.005, "small"),
        (9, 1e-3, 0.5, "different"),
        (9, float("nan"), float("nan"), "different"),
    ],
)
def test_how_serious_a_difference_is(
    steps: int, relative: float, of_change: float, level: str
) -> None:
    assert level_of(steps, relative, of_change) == level


def test_the_worst_tensor_decides() -> None:
    one = RemadeTensor("a", "F16", "identical", 0, 0.0, 0.0, True)
    report = ReproduceReport("o", "b", "r", (one, replace(one, level="small")), 1, (), ())
    assert report.level == "small"
    assert replace(report, tensors=()).level == "identical"
