"""README.md names everything there is, shows the real help, and every example in the help runs."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from surgery.cli import main
from surgery.cli.failures import GATE
from surgery.edits import EDITS
from surgery.layout import layout_names
from surgery.store.address import ATELIER
from tests.helpers.deepfloyd import write_if
from tests.helpers.pipelines import write_single
from tests.hub.client import Client
from tests.hub.server import HubServer
from tests.refresh_docs import README, ROOT, commands, examples, refreshed

PAGE = README.read_text(encoding="utf-8")
RECIPES = sorted(path.stem for path in (ROOT / "recipes").glob("*.yaml"))
GROUPS = ((), ("recipe",), ("patch",))
LEAVES = {words: lines for words, lines in examples().items() if words not in GROUPS}
NEEDS_AN_EDIT = "out/remove_vangogh"
KEPT = ("-o", "patched", "--save-patch", "vangogh.safetensors", "--allow-weak")
IN_PLACE = ("-m", "mine", "--in-place", "--undo-file", "vangogh.undo")


def test_the_generated_parts_are_up_to_date() -> None:
    assert refreshed(PAGE) == PAGE, "run: python tests/refresh_docs.py"


def test_a_stale_page_is_noticed() -> None:
    assert refreshed(PAGE.replace("Usage: surgery", "Usage: scalpel")) == refreshed(PAGE)
    with pytest.raises(ValueError, match="methods"):
        refreshed(PAGE.replace("<!-- methods:begin -->", ""))


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_is_on_the_page(words: tuple[str, ...]) -> None:
    assert f"### {' '.join(('surgery', *words))}\n" in PAGE


def test_every_method_layout_and_recipe_is_on_the_page() -> None:
    assert RECIPES
    for name in (*EDITS, *layout_names(), *RECIPES):
        assert f"`{name}`" in PAGE


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_command_has_an_example_of_itself(words: tuple[str, ...]) -> None:
    start = ["surgery", *words]
    assert LEAVES[words]
    assert all(shlex.split(line)[: len(start)] == start for line in LEAVES[words])


@pytest.mark.parametrize("line", [line for lines in LEAVES.values() for line in lines])
def test_the_examples_run(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    monkeypatch.chdir(tmp_path)
    words = shlex.split(line.partition(">")[0])[1:]
    if words[0] == "probe":
        write_if(Path("my_model"))
        write_single("sd1", Path("model.safetensors"))
    if "--in-place" in words or words[0] == "undo":
        shutil.copytree(ATELIER, "mine")
    if words[0] == "undo":
        assert main(["apply", "remove_vangogh", *IN_PLACE]) in (0, GATE)
    if words[0] != "apply" and NEEDS_AN_EDIT in line:
        assert main(["apply", "remove_vangogh", "--allow-weak"]) in (0, GATE)
    if words[0] == "patch" and words[1] != "make":
        assert main(["apply", "remove_vangogh", *KEPT]) in (0, GATE)
        Path("patched").rename("patched" if words[1] == "undo" else "other")
    if words[0] == "push":
        # The Hub's client reads its settings once, so it gets a process and a Hub of its own.
        with HubServer() as hub, Client(hub.endpoint, tmp_path) as client:
            done = client.run(*words)
        assert done.code == 0, done.err
        return
    # A judge that sees so few pictures may well say no.
    answers = (0, GATE) if words[0] == "verify" else (0,)
    assert main(words) in answers, capsys.readouterr().err


def test_the_commands_for_a_new_machine_are_marked_for_the_checks() -> None:
    for name in ("main-job", "tests"):
        assert re.search(rf"^<!-- ci: {name} -->\n```", PAGE, re.MULTILINE)


def test_every_link_inside_the_page_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", PAGE):
        assert (ROOT / target).exists(), target
