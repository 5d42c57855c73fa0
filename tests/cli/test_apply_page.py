from __future__ import annotations

from pathlib import Path

import pytest

from surgery.apply import ApplyReport, apply
from surgery.cli.apply_page import MOST_MOVED, apply_page, next_steps
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


def test_every_concept_has_its_leak_before_and_after(report: ApplyReport) -> None:
    rows = tables(apply_page(report))["Leak"].rows
    assert [row[:2] for row in rows] == [("van gogh", "monet"), ("seurat", "monet")]
    assert all(len(row) == 6 for row in rows)


def test_the_prompts_that_moved_most_come_first_and_the_rest_is_counted(
    report: ApplyReport,
) -> None:
    rows = tables(apply_page(report))["Drift"].rows
    figures = [float(row[2]) for row in rows[:MOST_MOVED]]
    assert figures == sorted(figures, reverse=True)
    assert rows[-1][0] == f"{len(report.drifts) - MOST_MOVED} more; median of all"


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
