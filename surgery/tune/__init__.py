"""tune: try an edit with many settings, and weigh what is left against what else moves.

Writes no model and draws nothing. The edits before the tuned one are made first; those after it
are left out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from surgery.edits.base import Edit
from surgery.edits.delta import Array
from surgery.edits.scored import ScoredEdit
from surgery.errors import EditError, SurgeryError, UsageError
from surgery.figures import OWN
from surgery.gates import gates
from surgery.gather import Weights
from surgery.layout import Layout
from surgery.plan import layout_for, make_plan
from surgery.recipe import Recipe
from surgery.report import Drift, Leak, Spread
from surgery.solve import solve
from surgery.stage import Stage, unwatched
from surgery.store.checkpoint import Checkpoint
from surgery.tune.front import front
from surgery.tune.grid import Axes, Trial, Value, trials
from surgery.tune.points import Point, TuneReport, Worst, check_wish, choose
from surgery.tune.sweep import ELSEWHERE, Sweep, Swept


@dataclass(frozen=True, slots=True)
class Wish:
    """What is tuned, and how it is weighed.

    Args:
        edit: its place in the recipe; left out, the only one there is.
        axes: setting -> values; left out, the usual ones.
        leak: name of a figure of `Point`; `drift` likewise.
        choose: knee, leak, drift, or the number of a point.
        tokenizer: a folder with the tokenizer to use; left out, it is searched for.
    """

    edit: int | None = None
    axes: Axes | None = None
    leak: str = "prompts-median"
    drift: str = "neutral-p95"
    choose: str = "knee"
    tokenizer: Path | None = None


@dataclass(frozen=True, slots=True)
class Grid:
    """What would be tried: nothing was read for it but headers.

    Args:
        number: the tuned edit's place in the recipe.
        layout: of the model.
    """

    recipe: Recipe
    number: int
    axes: dict[str, list[Value]]
    trials: tuple[Trial, ...]
    layout: Layout

    @property
    def edit(self) -> Edit:
        return self.recipe.edits[self.number]


def make_grid(recipe: Recipe, checkpoint: Checkpoint, wish: Wish) -> Grid:
    """Everything to try; whatever would stop a trial is found before any work.

    Raises:
        UsageError: no edit to tune or no such grid.
        LayoutError: a place that the model does not have.
        EditError: a tensor that cannot be edited.
    """
    check_wish(wish.choose)
    number = _number(recipe, wish.edit)
    found, axes = trials(recipe.edits[number], wish.axes)
    grid = Grid(recipe, number, axes, found, layout_for(checkpoint))
    for one in {trial.settings.get("where"): trial for trial in found}.values():
        _check(grid, one, checkpoint)
    return grid


def tune(
    grid: Grid,
    checkpoint: Checkpoint,
    wish: Wish,
    stage: Stage = unwatched,
) -> TuneReport:
    """Solve and measure every trial, and choose one.

    Args:
        grid: that of this wish and this checkpoint.
        stage: opened for each stage with its name and its steps; what it yields takes those done.

    Raises:
        EditError: a trial cannot be solved, or the edit has nothing to measure.
    """
    clock = _Clock()
    held = wish.drift.startswith("held") or grid.recipe.expect.drift is not None
    before = grid.recipe.model_copy(update={"edits": grid.recipe.edits[: grid.number]})
    patch, _ = solve(before, checkpoint, wish.tokenizer, grid.layout)
    weights = Weights(checkpoint, patch.changes, wish.tokenizer)
    sweep = Sweep(grid.number, grid.trials, grid.layout, weights, held)
    asked = sweep.asked()
    with stage("reading prompts", len(set(asked.values()))) as advance, clock.lap("gather"):
        states = sweep.gather(asked, advance, stage)
    with stage("solving", len(grid.trials)) as advance, clock.lap("solve"):
        swept = sweep.solve(asked, states, advance)
    with stage("measuring", sum(len(one.deltas) for one in swept)) as advance:
        with clock.lap("measure"):
            sweep.measure(swept, advance)
        points = _points(grid, swept)
    return _report(grid, checkpoint, wish, points, clock)


def tuned(report: TuneReport, recipe: Recipe) -> Recipe:
    """The recipe with the settings that were chosen."""
    edits = list(recipe.edits)
    edits[report.edit] = edits[report.edit].model_copy(update=dict(report.changes))
    return recipe.model_copy(update={"edits": tuple(edits)})


def _number(recipe: Recipe, wanted: int | None) -> int:
    count = len(recipe.edits)
    if wanted is None and count == 1:
        wanted = 0
    if wanted is None:
        names = ", ".join(f"{n} {edit.method}" for n, edit in enumerate(recipe.edits))
        hint = f"name one with --edit: {names}" if names else "add one"
        raise UsageError(f"{recipe.name} has {count} edits", hint=hint)
    if not 0 <= wanted < count:
        hint = f"they are numbered from 0 to {count - 1}" if count else "it has none"
        raise UsageError(f"{recipe.name} has no edit {wanted}", where="--edit", hint=hint)
    return wanted


def _check(grid: Grid, trial: Trial, checkpoint: Checkpoint) -> None:
    edits = (*grid.recipe.edits[: grid.number], trial.edit)
    try:
        make_plan(grid.recipe.model_copy(update={"edits": edits}), checkpoint, grid.layout)
    except SurgeryError as error:
        if (where := trial.settings.get("where")) is None:
            raise
        inner = f"--grid where={where}: {error.where}" if error.where else f"--grid where={where}"
        raise type(error)(error.what, where=inner, hint=error.hint) from error
    is_measured = isinstance(trial.edit, ScoredEdit) or any(
        check.wording in OWN for check in trial.edit.checks(grid.layout)
    )
    if not is_measured:
        raise UsageError(
            f"this {trial.edit.method} edit erases nothing whose leak could be measured",
            where=f"edits[{grid.number}]",
            hint="name concepts",
        )


def _points(grid: Grid, swept: Sequence[Swept]) -> tuple[Point, ...]:
    by_trial: dict[int, list[Swept]] = {}
    for one in swept:
        by_trial.setdefault(one.trial, []).append(one)
    return tuple(_point(grid, trial, by_trial[number]) for number, trial in enumerate(grid.trials))


def _point(grid: Grid, trial: Trial, swept: Sequence[Swept]) -> Point:
    leaks = [leak for one in swept for leak in _leaks(grid.number, one)]
    places = [leak.figure for one in swept for leak in _leaks(grid.number, one, everywhere=True)]
    drifts = [drift for one in swept for drift in _drifts(grid.number, one)]
    prompts, own = Worst.of(places), Worst.of([one.figure for one in leaks if one.wording in OWN])
    neutral = Worst.of([drift.figure for drift in drifts if drift.group == "neutral"])
    if prompts is None or own is None or neutral is None:
        raise EditError("has nothing to measure", where=f"edits[{grid.number}]")
    missed = [gate for gate in gates(grid.recipe.expect, leaks, drifts) if not gate.passed]
    return Point(
        settings=dict(trial.settings),
        prompts=prompts,
        own=own,
        wordings=Worst.of([leak.figure for leak in leaks if leak.wording not in OWN]),
        neutral=neutral,
        held=Worst.of([drift.figure for drift in drifts if drift.group == "preserved"]),
        missed=tuple(f"{gate.name} {gate.found}, expected {gate.limit}" for gate in missed),
    )


def _leaks(number: int, one: Swept, *, everywhere: bool = False) -> Iterator[Leak]:
    """A row for each concept and wording, or for each concept's prompts at all tried places."""
    checked, figures = one.gathered.checked, np.stack(one.leaks)
    rows: dict[tuple[str, str], list[int]] = {}
    for row, (concept, wording) in enumerate(zip(checked.concepts, checked.wordings, strict=True)):
        if not everywhere and wording != ELSEWHERE:
            rows.setdefault((concept, wording), []).append(row)
        elif everywhere and wording in (*OWN, ELSEWHERE):
            rows.setdefault((concept, ELSEWHERE), []).append(row)
    for (concept, wording), own in rows.items():
        yield Leak(number, concept, "", wording, _spread(figures[:, own]))


def _drifts(number: int, one: Swept) -> Iterator[Drift]:
    figures, count = np.stack(one.drifts), one.gathered.neutral
    for name, found in (("neutral", figures[:, :count]), ("preserved", figures[:, count:])):
        if found.size:
            yield Drift(number, name, found.shape[1], _spread(found), ())


def _spread(figures: Array) -> Spread:
    if not np.isfinite(figures).all():
        raise EditError("a prompt has no output to compare with", hint="the model is damaged")
    return Spread.of(figures.ravel().tolist())


def _report(
    grid: Grid, checkpoint: Checkpoint, wish: Wish, points: tuple[Point, ...], clock: _Clock
) -> TuneReport:
    costs = [(point.figure(wish.leak), point.figure(wish.drift)) for point in points]
    kept = [place for place, one in enumerate(points) if not one.missed] or [*range(len(points))]
    found = tuple(kept[place] for place in front([costs[place] for place in kept]))
    chosen = choose(wish.choose, found, costs)
    own, new = points[0].settings, points[chosen].settings
    return TuneReport(
        recipe=grid.recipe.name,
        model=checkpoint.address,
        edit=grid.number,
        method=grid.edit.method,
        axes={key: tuple(values) for key, values in grid.axes.items()},
        leak=wish.leak,
        drift=wish.drift,
        points=points,
        front=found,
        chosen=chosen,
        changes={key: value for key, value in new.items() if value != own[key]},
        seconds=dict(clock.laps),
    )


@dataclass(slots=True)
class _Clock:
    """Seconds of each stage, by name."""

    laps: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def lap(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.laps[name] = round(time.perf_counter() - began, 4)
