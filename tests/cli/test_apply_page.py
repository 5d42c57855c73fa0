from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from surgery.apply import ApplyReport, apply
from surgery.cli.apply_page import MOST_LEFT, apply_page, next_steps
from surgery.cli.page import Line, Page, Table
from surgery.recipe import load_recipe
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from tests.helpers.tiny import write_pipeline

RECIPE = """\
version: 1
name: mine
edits:
  - method: quickfix
    concepts: [{erase: van gogh, target: monet}, {erase: seurat, target: monet}]
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return open_checkpoint(write_pipeline(tmp_path_factory.mktemp("page") / "model"))


@pytest.fixture(scope="module")
def report(model: Checkpoint) -> ApplyReport:
    return apply(load_recipe(RECIPE), model, model.root.parent / "it's out")


def tables(page: Page) -> dict[str, Table]:
    return {block.title.split(":")[0]: block for block in page if isinstance(block, Table)}


def lines(page: Page) -> list[str]:
    return [block.text for block in page if isinstance(block, Line)]


def test_every_concept_has_its_leak_in_every_wording(report: ApplyReport) -> None:
    rows = tables(apply_page(report))["Leak"].rows
    own = [row[:2] for row in rows if row[2] == "prompts"]
    assert own == [("van gogh", "monet"), ("seurat", "monet")]
    assert {"paraphrases", "misspellings", "languages", "end token"} <= {row[2] for row in rows}


def test_of_many_concepts_those_are_shown_of_which_most_is_left(report: ApplyReport) -> None:
    (leak, *_) = (leak for leak in report.leaks if leak.wording == "prompts")
    many = [replace(leak, concept=str(n), figure=replace(leak.figure, max=n)) for n in range(20)]
    rows = tables(apply_page(replace(report, leaks=tuple(many))))["Leak"].rows
    assert [row[0] for row in rows[:-1]] == [str(n) for n in range(19, 19 - MOST_LEFT, -1)]


def test_of_many_concepts_each_wording_has_the_most_that_is_left_of_any(
    report: ApplyReport, model: Checkpoint
) -> None:
    many = [replace(leak, concept=f"{leak.concept} {n}") for leak in report.leaks for n in range(9)]
    shown = tables(apply_page(replace(report, leaks=tuple(many))))["Leak"].rows[MOST_LEFT:]
    assert {row[2] for row in shown} == {leak.wording for leak in report.leaks}
    row = next(row for row in shown if row[2] == "languages")
    own = [leak.figure for leak in many if leak.wording == "languages"]
    assert row[0] == "any of 18"
    assert float(row[5]) == pytest.approx(max(figure.max for figure in own), rel=0.01)
    assert row[6] == f"{sum(figure.count for figure in own):,}"
    steps = lines(next_steps(replace(report, leaks=tuple(many)), model, None))
    assert not any("--concept" in step for step in steps)


def test_each_group_of_prompts_has_its_drift_and_names_what_moved_most(
    report: ApplyReport,
) -> None:
    rows = tables(apply_page(report))["Drift"].rows
    assert [row[0].split()[-1] for row in rows] == ["preserved", "neighbours", "neutral"]
    assert all(row[-1] for row in rows)


def test_of_many_tensors_those_that_changed_most_are_shown(report: ApplyReport) -> None:
    (tensor,) = report.tensors
    many = tuple(replace(tensor, name=str(n), relative_norm=n / 10) for n in range(9))
    rows = tables(apply_page(replace(report, tensors=many)))["What changed"].rows
    assert [row[0] for row in rows[:-1]] == ["8", "7", "6", "5", "4"]
    assert rows[-1][0].startswith("4 more")


def test_the_changed_tensor_and_the_untouched_ones_are_told(
    report: ApplyReport, model: Checkpoint
) -> None:
    page = apply_page(report)
    assert tables(page)["What changed"].rows[0][0] == report.plan.changes[0]
    assert any(line.startswith(f"{len(model) - 1} of {len(model)} tensors") for line in lines(page))


def test_the_commands_to_run_next_are_quoted_for_a_shell(
    report: ApplyReport, model: Checkpoint
) -> None:
    shown = lines(next_steps(report, model, Path("out.png")))
    assert "wrote out.png" in shown
    assert any(line.strip().startswith("surgery diff ") and "'" in line for line in shown)
    code = [line.strip() for line in shown[shown.index("in Python:") + 1 :]]
    compile("\n".join(code), "next", "exec")


def test_a_dry_run_has_nothing_to_look_at(model: Checkpoint) -> None:
    done = apply(load_recipe(RECIPE), model, dry_run=True)
    assert lines(next_steps(done, model, None)) == ["dry run: nothing was written"]
