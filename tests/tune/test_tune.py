from __future__ import annotations

from pathlib import Path

import pytest

from surgery.apply import apply
from surgery.errors import EditError, LayoutError, UsageError
from surgery.figures import OWN
from surgery.recipe import Recipe, load_recipe
from surgery.report import Spread
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from surgery.tune import Wish, make_grid, tune, tuned
from surgery.tune.points import TuneReport, Worst
from tests.helpers.pipelines import write_folder

CONCEPT = "{erase: van gogh, target: painting, kind: style}"
# Half precision takes a little of every change, and most of what is nearly nothing.
CLOSE = {"rel": 0.02, "abs": 0.004}


@pytest.fixture(scope="module")
def atelier() -> Checkpoint:
    return open_checkpoint("atelier")


def recipe(*edits: str, expect: str = "{}") -> Recipe:
    lines = "".join(f"- {edit}\n" for edit in edits)
    return load_recipe(f"version: 1\nname: x\nedits:\n{lines}expect: {expect}\n")


def swept(given: Recipe, atelier: Checkpoint, wish: Wish) -> TuneReport:
    return tune(make_grid(given, atelier, wish), atelier, wish)


@pytest.mark.parametrize(
    "edit",
    [
        f"{{method: uce, concepts: [{CONCEPT}]}}",
        "{method: locoedit, where: 'cross_attn.{k,v}[4:6]', concepts: [{erase: r2d2, target: star,"
        " kind: object}]}",
        f"{{method: quickfix, concepts: [{CONCEPT}, {{erase: monet}}]}}",
        f"{{method: cure, concepts: [{CONCEPT}]}}",
    ],
)
def test_the_figures_are_those_of_apply(edit: str, atelier: Checkpoint) -> None:
    given = recipe(edit)
    wish = Wish(axes={"strength": (0.5,), "positions": ("last",)}, drift="held-p95")
    report = swept(given, atelier, wish)
    for point in report.points:
        settings = given.edits[0].model_copy(update=dict(point.settings))
        applied = apply(given.model_copy(update={"edits": (settings,)}), atelier, dry_run=True)
        rows = [one for one in applied.leaks if one.wording != "worst case"]
        assert_same(point.own, [one.figure for one in rows if one.wording in OWN])
        assert_same(point.wordings, [one.figure for one in rows if one.wording not in OWN])
        assert_same(point.neutral, [d.figure for d in applied.drifts if d.group == "neutral"])
        assert_same(point.held, [d.figure for d in applied.drifts if d.group == "preserved"])


def assert_same(found: Worst | None, rows: list[Spread]) -> None:
    expected = Worst.of(rows)
    assert found is not None and expected is not None
    assert (found.median, found.p95, found.max) == pytest.approx(
        (expected.median, expected.p95, expected.max), **CLOSE
    )


def test_points_of_one_position_are_looked_at_where_they_edit(atelier: Checkpoint) -> None:
    given = recipe(f"{{method: uce, positions: last, concepts: [{CONCEPT}]}}")
    report = swept(given, atelier, Wish(axes={"ridge": (0.001, 0.1)}))
    assert all(point.prompts == point.own for point in report.points)


def test_fewer_positions_do_not_look_better_for_what_they_leave_alone(atelier: Checkpoint) -> None:
    given = recipe(f"{{method: uce, positions: eos, concepts: [{CONCEPT}]}}")
    first, last = swept(given, atelier, Wish(axes={"positions": ("last",)})).points
    assert first.own == first.prompts
    assert last.own.median < first.own.median
    assert last.prompts.p95 > 2 * last.own.p95


def test_less_ridge_leaves_less(atelier: Checkpoint) -> None:
    given = recipe(f"{{method: uce, ridge: 0.1, concepts: [{CONCEPT}]}}")
    report = swept(given, atelier, Wish(axes={"ridge": (0.01, 0.001)}))
    leaks = [point.prompts.median for point in report.points]
    assert leaks == sorted(leaks, reverse=True)


def test_the_choice_is_what_was_wished_for(atelier: Checkpoint) -> None:
    given = recipe(f"{{method: uce, concepts: [{CONCEPT}]}}")
    axes = {"strength": (0.5, 0.75)}
    chosen = {w: swept(given, atelier, Wish(axes=axes, choose=w)) for w in ("leak", "drift", "1")}
    costs = [chosen["leak"].costs(place) for place in range(3)]
    assert chosen["leak"].chosen == costs.index(min(costs))
    assert costs[chosen["drift"].chosen][1] == min(drift for _, drift in costs)
    assert chosen["1"].chosen == 1
    assert tuned(chosen["1"], given).edits[0].strength == 0.5


def test_points_that_keep_the_limits_come_before_those_that_do_not(atelier: Checkpoint) -> None:
    given = recipe(f"{{method: uce, concepts: [{CONCEPT}]}}", expect="{leak: {median: 0.4}}")
    report = swept(given, atelier, Wish(axes={"strength": (0.5, 0.75)}, choose="drift"))
    assert report.points[1].missed
    assert not any(report.points[place].missed for place in report.front)
    assert report.chosen in report.front


def test_an_edit_before_the_tuned_one_is_made_first(atelier: Checkpoint) -> None:
    own = f"{{method: uce, concepts: [{CONCEPT}]}}"
    other = "{method: uce, concepts: [{erase: monet, target: painting}]}"
    wish = Wish(axes={"ridge": (0.1,)})
    alone = swept(recipe(own), atelier, wish)
    after = swept(recipe(other, own), atelier, Wish(edit=1, axes=wish.axes))
    before = swept(recipe(own, other), atelier, Wish(edit=0, axes=wish.axes))
    assert [point.own for point in before.points] == [point.own for point in alone.points]
    assert [point.own for point in after.points] != [point.own for point in alone.points]


@pytest.mark.parametrize(
    ("edits", "wish", "kind", "problem"),
    [
        (("uce", "uce"), Wish(), UsageError, "has 2 edits; name one with --edit: 0 uce, 1 uce"),
        (("uce",), Wish(edit=1), UsageError, "has no edit 1"),
        ((), Wish(), UsageError, "x has 0 edits"),
        (("uce",), Wish(choose="best"), UsageError, "'best' chooses no point"),
        (("uce",), Wish(axes={"where": ("cross_attn.k[99]",)}), LayoutError, "where=cross_attn"),
        (("uce",), Wish(axes={"ridge": (0.1,)}, choose="7"), UsageError, "there is no point 7"),
        (("quickfix",), Wish(axes={"where": ("x",)}), UsageError, "has no setting 'where'"),
    ],
)
def test_what_cannot_be_tuned_is_told(
    edits: tuple[str, ...],
    wish: Wish,
    kind: type[Exception],
    problem: str,
    atelier: Checkpoint,
) -> None:
    names = ("van gogh", "monet")
    given = [
        f"{{method: {edit}, concepts: [{{erase: {name}}}]}}"
        for edit, name in zip(edits, names, strict=False)
    ]
    text = "".join(f"  - {one}\n" for one in given)
    loaded = load_recipe(f"version: 1\nname: x\nedits:{' []' if not text else ''}\n{text}")
    with pytest.raises(kind) as caught:
        swept(loaded, atelier, wish)
    assert problem in str(caught.value)


def test_an_edit_that_erases_nothing_cannot_be_weighed(atelier: Checkpoint) -> None:
    given = recipe("{method: uce, debias: [{concept: cross, attributes: [red, blue]}]}")
    with pytest.raises(
        (UsageError, EditError), match="erases nothing whose leak could be measured"
    ):
        swept(given, atelier, Wish())


def test_a_report_reads_back_from_json(atelier: Checkpoint) -> None:
    given = recipe(f"{{method: uce, concepts: [{CONCEPT}]}}")
    report = swept(given, atelier, Wish(axes={"positions": ("last",)}))
    assert TuneReport.from_json(report.to_json()) == report


def test_the_pooled_path_of_sdxl_is_tuned_with_the_edit(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_folder("sdxl", tmp_path / "model"))
    concept = "{erase: van gogh, target: monet}"
    given = recipe(f"{{method: uce, preserve_defaults: false, concepts: [{concept}]}}")
    report = swept(given, checkpoint, Wish(axes={"strength": (0.5,)}))
    applied = apply(given, checkpoint, dry_run=True)
    assert {leak.wording for leak in applied.leaks} >= {"prompts", "pooled path"}
    assert_same(report.points[0].own, [one.figure for one in applied.leaks if one.wording in OWN])
