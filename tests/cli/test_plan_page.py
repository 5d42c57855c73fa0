from __future__ import annotations

from dataclasses import replace

import pytest

from surgery.cli.page import Line, Table
from surgery.cli.plan_page import SHOWN, plan_page, warning_lines
from surgery.plan import Plan, PlannedEdit

EDIT = PlannedEdit(
    method="quickfix",
    strength=0.5,
    sites=("text.self_attn.out[0]",),
    changes=("text/out.weight",),
    reads=("text/out.weight", "text/q.weight"),
    prompts=12,
)
PLAN = Plan(
    recipe="remove_it",
    model="somewhere",
    fingerprint="00",
    container="folder",
    layout="sd1",
    edits=(EDIT,),
    identity=False,
    tensors=414,
    changes=("text/out.weight",),
    bytes_total=4_000_000,
    bytes_changed=2_000,
    warnings=("edits add up",),
)


def texts(plan: Plan) -> list[str]:
    return [block.text for block in plan_page(plan) if isinstance(block, Line)]


def test_a_plan_names_recipe_model_and_layout_and_counts_what_changes() -> None:
    title, extent = texts(PLAN)
    assert title == "remove_it on somewhere (layout sd1, folder)"
    assert extent.startswith("1 of 414 tensors will change (2.0 kB of 4.0 MB)")


def test_a_plan_has_a_row_for_each_edit() -> None:
    table = plan_page(replace(PLAN, edits=(EDIT, EDIT)))[1]
    assert isinstance(table, Table)
    sites, tensor = "text.self_attn.out[0]", "text/out.weight"
    assert table.rows[0] == ("1", "quickfix", "0.5", "12", sites, tensor)
    assert table.rows[1][0] == "2"


@pytest.mark.parametrize(
    ("sites", "shown"),
    [
        (
            ["cross_attn.k[0]", "cross_attn.k[1]", "cross_attn.v[1]"],
            "cross_attn.k[0:2], cross_attn.v[1]",
        ),
        (["cross_attn.k[0]", "cross_attn.k[3]"], "cross_attn.k[0,3]"),
    ],
)
def test_sites_are_told_as_a_selector_would_name_them(sites: list[str], shown: str) -> None:
    table = plan_page(replace(PLAN, edits=(replace(EDIT, sites=tuple(sites)),)))[1]
    assert isinstance(table, Table)
    assert table.rows[0][4] == shown


def test_a_long_list_of_kinds_is_cut_and_many_tensors_are_counted() -> None:
    sites = tuple(f"kind{n}[0]" for n in range(SHOWN + 3))
    table = plan_page(replace(PLAN, edits=(replace(EDIT, sites=sites, changes=("a", "b")),)))[1]
    assert isinstance(table, Table)
    assert table.rows[0][4].endswith(f"kind{SHOWN - 1}[0] and 3 kinds more")
    assert table.rows[0][5] == "2 tensors"


def test_a_plan_that_changes_nothing_says_so() -> None:
    plan = replace(PLAN, edits=(), layout=None, identity=True, changes=(), bytes_changed=0)
    assert texts(plan) == [
        "remove_it on somewhere (folder)",
        "nothing changes: 4.0 MB are copied as they are",
    ]


def test_warnings_are_lines_of_their_own() -> None:
    assert [line.text for line in warning_lines(PLAN)] == ["Warning: edits add up"]
