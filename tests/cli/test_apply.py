from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest

from surgery.cli import main
from surgery.diff import diff
from surgery.store.checkpoint import open_checkpoint
from tests.helpers.tiny import write_pipeline

Capture = pytest.CaptureFixture[str]

RECIPE = """\
version: 1
name: mine
edits:
  - method: quickfix
    concepts: [{erase: van gogh, target: monet, kind: style}]
    preserve_defaults: false
    strength: STRENGTH
expect:
  leak: {max: LIMIT}
  untouched: bit_identical
"""
CHANGED = "text_encoder/text_model.encoder.layers.0.self_attn.out_proj.weight"


def recipe(folder: Path, strength: float = 1.0, limit: float = 100.0) -> str:
    path = folder / "mine.yaml"
    text = RECIPE.replace("STRENGTH", str(strength)).replace("LIMIT", str(limit))
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pipeline(tmp_path_factory.mktemp("apply") / "model")


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def contents(folder: Path) -> Mapping[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_the_main_job_changes_one_tensor_and_says_where_the_output_is(
    model: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert main(["apply", recipe(tmp_path), "--model", str(model)]) == 0
    shown = capsys.readouterr()
    for part in (CHANGED, "tensors bit-identical", "Leak", "van gogh", "neutral", "pass  leak"):
        assert part in shown.out
    assert "wrote out/mine" in shown.err
    assert f"surgery diff {model} out/mine" in shown.err
    report = diff(open_checkpoint(model), open_checkpoint("out/mine"))
    assert [change.name for change in report.changes] == [CHANGED]


def test_json_is_the_whole_report_and_quiet_is_the_output(
    model: Path, tmp_path: Path, capsys: Capture
) -> None:
    words = ["apply", recipe(tmp_path), "--model", str(model)]
    assert main([*words, "-o", "a", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["kind"] == "apply"
    assert document["plan"]["changes"] == [CHANGED]
    assert document["out"].endswith("a")
    assert document["preview"] is None
    assert main([*words, "-o", "b", "--format", "quiet"]) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("b\n", "")


def test_checksums_are_told_as_sha256sum_reads_them(
    model: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "out"
    words = ["apply", recipe(tmp_path), "-m", str(model), "-o", str(out), "--checksum", "sha256"]
    assert main(words) == 0
    lines = dict(
        line.split("  ", 1)[::-1]
        for line in capsys.readouterr().out.splitlines()
        if str(out) in line
    )
    weights = sorted(out.rglob("*.safetensors"))
    assert weights
    assert lines == {str(path): sha256(path.read_bytes()).hexdigest() for path in weights}


def test_a_dry_run_writes_nothing(model: Path, tmp_path: Path, capsys: Capture) -> None:
    assert main(["apply", recipe(tmp_path), "--model", str(model), "--dry-run"]) == 0
    shown = capsys.readouterr()
    assert CHANGED in shown.out
    assert "nothing was written" in shown.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yaml"]


def test_strength_nought_gives_the_input_back(model: Path, tmp_path: Path, capsys: Capture) -> None:
    assert main(["apply", recipe(tmp_path, 0.0), "--model", str(model), "-o", "same"]) == 0
    assert "nothing changes" in capsys.readouterr().out
    assert contents(tmp_path / "same") == contents(model)


def test_a_missed_gate_is_exit_code_3_and_nothing_is_written(
    model: Path, tmp_path: Path, capsys: Capture
) -> None:
    words = ["apply", recipe(tmp_path, 0.1, 0.001), "--model", str(model), "-o", "out"]
    assert main(words) == 3
    shown = capsys.readouterr()
    assert "FAIL  leak" in shown.out
    assert "--allow-weak writes it all the same" in shown.err
    assert shown.err.splitlines()[-1].startswith("Error: 1 of 1 gates failed: leak")
    assert not (tmp_path / "out").exists()
    assert main([*words, "--dry-run"]) == 3
    assert "dry run: nothing was written; without --allow-weak a real" in capsys.readouterr().err


def test_a_weak_result_is_written_when_told_and_is_exit_code_3_too(
    model: Path, tmp_path: Path, capsys: Capture
) -> None:
    words = ["apply", recipe(tmp_path, 0.1, 0.001), "--model", str(model), "-o", "out"]
    assert main([*words, "--allow-weak"]) == 3
    assert (tmp_path / "out" / "model_index.json").is_file()


def test_without_a_model_the_built_in_one_is_edited_and_named(
    tmp_path: Path, capsys: Capture
) -> None:
    assert main(["apply", recipe(tmp_path), "--dry-run"]) == 0
    assert "editing atelier, the small model that comes with surgery" in capsys.readouterr().err


def test_an_output_that_exists_is_replaced_only_when_told(
    model: Path, tmp_path: Path, capsys: Capture
) -> None:
    words = ["apply", recipe(tmp_path), "--model", str(model), "-o", "out"]
    assert main(words) == 0
    before = contents(tmp_path / "out")
    assert main(words) == 2
    assert "--force" in capsys.readouterr().err
    assert contents(tmp_path / "out") == before
    assert main([*words, "--force"]) == 0
    assert contents(tmp_path / "out") == before


def test_an_input_is_never_written_over(model: Path, tmp_path: Path, capsys: Capture) -> None:
    before = contents(model)
    words = ["apply", recipe(tmp_path), "--model", str(model), "-o", str(model), "--force"]
    assert main(words) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert contents(model) == before


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("quickfix", "quikfix", (":4:", "quickfix")),
        ("concepts", "concept", (":5:", "concepts")),
        ("STRENGTH", "-1", (":7:", "strength")),
        ("name: mine", "nam: mine", (":2:", "name")),
        ("kind: style", "kind: stile", (":5:", "style")),
    ],
)
def test_a_mistake_in_a_recipe_is_told_with_its_line_and_nothing_is_written(
    old: str, new: str, parts: tuple[str, ...], model: Path, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "bad.yaml"
    text = RECIPE.replace(old, new).replace("STRENGTH", "1").replace("LIMIT", "1")
    path.write_text(text, encoding="utf-8")
    assert main(["apply", str(path), "--model", str(model)]) == 2
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1
    assert all(part in shown.err for part in parts), shown.err
    assert [found.name for found in tmp_path.iterdir()] == ["bad.yaml"]


def test_a_failed_edit_leaves_no_default_folder_behind(tmp_path: Path, capsys: Capture) -> None:
    model = write_pipeline(tmp_path / "model")
    (model / "tokenizer" / "vocab.json").unlink()
    assert main(["apply", recipe(tmp_path), "--model", str(model)]) == 2
    assert "tokenizer" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.yaml", "model"]


def test_a_preview_that_cannot_be_painted_is_refused_before_the_edit(
    model: Path, tmp_path: Path, capsys: Capture
) -> None:
    words = ["apply", recipe(tmp_path), "--preview"]
    assert main([*words, "--model", str(model), "--dry-run"]) == 2
    assert main([*words, "--model", str(model / "text_encoder")]) == 2
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.png").touch()
    assert main([*words, "--model", str(model)]) == 2
    assert "mine.png" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.png"]


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=str
)
def test_a_signal_at_any_moment_leaves_the_output_whole_or_absent(
    number: signal.Signals, code: int, model: Path, tmp_path: Path
) -> None:
    script = "import sys; from surgery.cli import main; sys.exit(main())"
    words = ["apply", recipe(tmp_path), "--model", str(model), "-o", str(tmp_path / "out")]
    root = str(Path(__file__).parents[2])
    whole = {path.relative_to(model) for path in model.rglob("*")}
    for wait in (0.15, 0.3, 0.4, 0.5):
        child = subprocess.Popen(
            [sys.executable, "-c", script, *words, "--force"],
            env={**os.environ, "PYTHONPATH": root},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        time.sleep(wait)
        child.send_signal(number)
        error = child.communicate(timeout=10)[1]
        assert child.returncode in (0, code, -number), error
        assert "Traceback" not in error or child.returncode == -number
        found = sorted(path.name for path in tmp_path.iterdir())
        assert found in (["mine.yaml"], ["mine.yaml", "out"])
        if "out" in found:
            assert {
                path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*")
            } == whole
