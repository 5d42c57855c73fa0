"""What a probe cannot do is one sentence, said before anything is measured or written."""

from __future__ import annotations

import json
import struct
from math import prod
from pathlib import Path

import pytest

from surgery.cli import main
from surgery.cli.failures import MISUSE, PREFLIGHT, report
from tests.helpers.dumps import dump
from tests.helpers.probing import folder

Capture = pytest.CaptureFixture[str]
FEW = ("--prompts", "1", "--seeds", "1", "--steps", "2", "--guidance", "1", "--method", "locogen")
ODD = "a\x1b[31m\u202e\n\"'<b>c"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refused(capture: Capture, model: str, *more: str) -> str:
    """The one line of a probe that is refused and writes nothing."""
    before = sorted(Path().rglob("*"))
    assert main(["probe", model, *FEW, *more]) == MISUSE
    said = capture.readouterr()
    assert not said.out and said.err.startswith("Error: ") and said.err.count("\n") == 1
    assert sorted(Path().rglob("*")) == before
    return said.err


@pytest.mark.parametrize("more", [("--target", "painting"), ("--prompt", "a house by {}")])
def test_what_belongs_to_a_concept_is_not_passed_over_without_one(
    more: tuple[str, ...], capsys: Capture
) -> None:
    assert "without a concept; name one by --concept" in refused(capsys, "atelier", *more)


def test_a_name_of_ten_thousand_letters_is_not_said_back_whole(capsys: Capture) -> None:
    for more in ((), ("--kind", "style"), ("--kind", "fact")):
        said = refused(capsys, "atelier", "--concept", "x" * 10_000, *more)
        assert len(said) < 500


def test_a_name_that_a_terminal_would_obey_is_shown_escaped(capsys: Capture) -> None:
    assert "\\u001b[31m\\u202e" in refused(capsys, "atelier", "--concept", ODD, "--kind", "style")
    words = ["probe", str(folder("sd1")), "--concept", ODD, "--kind", "style", *FEW]
    assert main([*words, "--window", "16"]) == 0
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err and "\u202e" not in said.out + said.err


def test_a_file_that_is_no_journal_is_left_alone(capsys: Capture) -> None:
    for content in (b'{"some": "report"}', b"\x00\xff\xfe" * 9):
        Path("model.json").write_bytes(content)
        asked = ("--concept", "monet", "--journal", "model.json")
        assert "is no journal" in refused(capsys, "atelier", *asked)
        assert "is no journal" in refused(capsys, "atelier", *asked, "--fresh")
        assert Path("model.json").read_bytes() == content


def test_a_journal_of_which_the_first_line_was_cut_off_goes_on(capsys: Capture) -> None:
    Path("j").write_bytes(b'\n{"key": "a", "sc')
    asked = ("--concept", "monet", "--journal", "j", "--window", "10")
    assert main(["probe", "atelier", *FEW, *asked]) == 0
    assert Path("j").read_bytes().count(b'"key"') == 4


def test_a_journal_that_cannot_be_written_is_said_before_anything_is_measured(
    capsys: Capture,
) -> None:
    Path("file").touch()
    said = refused(capsys, "atelier", "--concept", "monet", "--journal", "file/journal")
    assert "the journal cannot be written" in said and "--journal" in said
    assert "measurements" not in said


@pytest.mark.parametrize("name", ["flux-bfl", "sd3-single", "pixart-single"])
@pytest.mark.parametrize("more", [(), ("--dry-run",), ("--method", "weights")], ids=str)
def test_a_model_of_a_family_that_is_not_run_is_refused_by_its_headers(
    name: str, more: tuple[str, ...], capsys: Capture
) -> None:
    write_headers(name, Path("m.safetensors"))
    said = refused(capsys, "m.safetensors", "--concept", "van gogh", *more)
    assert f"{name} models cannot be probed by this release; sd1, sd2, sdxl, if can" in said


def write_headers(name: str, file: Path) -> None:
    """A file with the names and shapes of a real one, and nothing but holes behind them."""
    header, end = {}, 0
    for tensor, ref in dump(name).tensors.items():
        begin, end = end, end + 2 * prod(ref.shape)
        entry = {"dtype": "F16", "shape": list(ref.shape), "data_offsets": [begin, end]}
        header[tensor] = entry
    text = json.dumps(header).encode()
    with file.open("wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        out.truncate(8 + len(text) + end)


def test_pictures_that_memory_has_no_room_for_are_no_bug(capsys: Capture) -> None:
    asked = ["probe", str(folder("sd1")), "--concept", "monet", *FEW]
    assert main([*asked, "--resolution", "8000000"]) == PREFLIGHT
    assert "out of memory; take a smaller --batch or --resolution" in capsys.readouterr().err


def test_any_other_failure_of_torch_is_one(capsys: Capture) -> None:
    assert report(RuntimeError("mat1 and mat2 shapes cannot be multiplied")) == 1
    assert "a bug in surgery" in capsys.readouterr().err


def test_a_model_that_paints_nothing_of_the_concept_is_said_to(capsys: Capture) -> None:
    words = ["probe", "atelier", "--concept", "van gogh", *FEW, "--window", "5", "--stride", "5"]
    assert main([*words, "--guidance", "0"]) == 0
    shown = capsys.readouterr().out
    assert "show the concept to the judge in 0 % of runs" in shown
    assert "from 0 % to 0 %" not in shown


def test_one_run_of_a_trace_is_not_called_a_place(capsys: Capture) -> None:
    asked = ("--method", "trace_text", "--draws", "1", "--noise", "3")
    assert main(["probe", str(folder("sd1")), "--concept", "monet", *FEW, *asked]) == 0
    shown = capsys.readouterr().out
    assert "One run cannot tell a place of monet from chance" in shown
    assert "1 run of each place" in shown


def test_reports_are_told_of_though_no_recipe_follows(capsys: Capture) -> None:
    asked = ("--method", "trace_text", "--draws", "1", "--noise", "3", "--report", "r.json")
    words = ["probe", str(folder("sd1")), "--concept", "monet", *FEW, *asked]
    assert main([*words, "--recipe", "r.yaml"]) == MISUSE
    assert capsys.readouterr().err.splitlines()[0] == "wrote r.json"
    assert Path("r.json").exists() and not Path("r.yaml").exists()
