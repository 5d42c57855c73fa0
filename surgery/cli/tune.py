"""`surgery tune`: sweep an edit's settings, and write the best point back into the recipe."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surgery.cli.options import (
    AllowPickleOption,
    ForceOption,
    FormatOption,
    ModelOption,
    RecipeArgument,
    TokenizerOption,
)
from surgery.cli.tune_options import (
    ChooseOption,
    DriftOption,
    EditOption,
    GridOption,
    LeakOption,
    OutOption,
    PngOption,
    WriteOption,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from surgery.cli.console import Output
    from surgery.cli.page import Page
    from surgery.pictures.pareto import Chart
    from surgery.recipe import Recipe
    from surgery.recipe_text import Path as FieldPath
    from surgery.recipe_text import Plain
    from surgery.tune import Grid
    from surgery.tune.points import TuneReport


def command(
    recipe: RecipeArgument,
    model: ModelOption = None,
    edit: EditOption = None,
    grid: GridOption = None,
    leak: LeakOption = "prompts-median",
    drift: DriftOption = "neutral-p95",
    choose: ChooseOption = "knee",
    out: OutOption = None,
    write: WriteOption = False,
    png: PngOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be tried, solve nothing.")
    ] = False,
    force: ForceOption = False,
    tokenizer: TokenizerOption = None,
    allow_pickle: AllowPickleOption = False,
    format: FormatOption = "human",
) -> None:
    """Try an edit with many settings, and weigh what it leaves against what else it moves.

    No model is written. The figures are those of `apply`, of weights before rounding. Where any
    point keeps what the recipe expects, the front is of such points. Comments of the recipe are
    kept; only the settings that change are written.

    \b
    Examples:
      surgery tune uce_vangogh --png front.png -o tuned.yaml
      surgery tune uce_vangogh --grid ridge=0.001,0.01 --grid positions=last,eos -o tuned.yaml
      surgery tune locoedit_vangogh --leak own-p95 --choose leak --dry-run
    """
    from surgery.cli.process import prepare_to_solve
    from surgery.cli.shelf import find_recipe

    source = find_recipe(recipe)
    prepare_to_solve(source)
    from surgery.cli.address import chosen_address
    from surgery.cli.console import Output
    from surgery.cli.places import must_be_free
    from surgery.cli.tune_page import grid_page
    from surgery.recipe import load_recipe
    from surgery.store.checkpoint import open_checkpoint
    from surgery.tune import Wish, make_grid, tune
    from surgery.tune.grid import read_axes

    console = Output(format)
    loaded = load_recipe(source)
    target = _target(source, out, write)
    for place in filter(None, (out, png)):
        must_be_free(place, force)
    wish = Wish(edit, read_axes(grid or []) or None, leak, drift, choose, tokenizer)
    checkpoint = open_checkpoint(chosen_address(model, loaded.model), allow_pickle=allow_pickle)
    plan = make_grid(loaded, checkpoint, wish)
    if dry_run:
        return console.result(_document(plan), list(plan.axes), grid_page(plan))
    report = tune(plan, checkpoint, wish, _stage(console))
    _show(report, choose, console)
    _keep(report, loaded, source, (target, png), console)


def _stage(console: Output) -> Callable[[str, int], AbstractContextManager[Callable[[int], None]]]:
    return lambda label, total: console.progress(label, total, "steps")


def _target(source: Path, out: Path | None, write: bool) -> Path | None:
    """Where the tuned recipe goes."""
    from surgery.cli.shelf import shelf
    from surgery.errors import UsageError

    if not write:
        return out
    if out is not None:
        raise UsageError("--write and --out together", hint="choose one place for the recipe")
    if source.resolve() in {path.resolve() for path in shelf().values()}:
        hint = f"write a copy: -o {source.stem}_tuned.yaml"
        raise UsageError("this recipe comes with surgery and stays as it is", hint=hint)
    return source


def _document(grid: Grid) -> dict[str, object]:
    return {
        "kind": "grid",
        "version": 1,
        "recipe": grid.recipe.name,
        "edit": grid.number,
        "method": grid.edit.method,
        "axes": grid.axes,
        "points": [dict(trial.settings) for trial in grid.trials],
    }


def _show(report: TuneReport, wish: str, console: Output) -> None:
    from surgery.cli.tune_page import shown, tune_page

    chosen = report.points[report.chosen].settings
    names = [f"{key}={shown(value)}" for key, value in chosen.items()]
    page: Page = tune_page(report, _chart(report), wish) if console.format == "human" else []
    console.result(report.to_dict(), names, page)


def _chart(report: TuneReport) -> Chart:
    from surgery.cli.tune_page import chart_of

    return chart_of(report)


def _keep(
    report: TuneReport,
    recipe: Recipe,
    source: Path,
    places: tuple[Path | None, Path | None],
    console: Output,
) -> None:
    """Write what was asked for: the recipe, the chart."""
    from surgery.cli.page import Line, steps, surgery

    target, png = places
    page = []
    if png is not None:
        from surgery.pictures.pareto import pareto_chart
        from surgery.pictures.sheet import save

        save(pareto_chart(_chart(report)), png)
        page.append(Line(f"wrote {png}", "title"))
    if target is not None and (report.changes or target != source):
        _write_recipe(report, recipe, source, target)
        page.append(Line(f"wrote {target}", "title"))
    elif target is not None:
        page.append(Line(f"{target} stays as it is", "title"))
    if target is None:
        page.append(Line("no recipe was written: -o FILE or --write does", "quiet"))
    else:
        page += steps("next:", [surgery("apply", str(target))])
    console.talk(page)


def _write_recipe(report: TuneReport, recipe: Recipe, source: Path, target: Path) -> None:
    from surgery.recipe_write import save_recipe, with_values
    from surgery.tune import tuned

    text = source.read_bytes().decode("utf-8")
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    fields: dict[FieldPath, Plain] = {
        ("edits", report.edit, key): value for key, value in report.changes.items()
    }
    written = mark + with_values(text.removeprefix(mark), fields)
    # What is at the target was found to be replaceable before the sweep.
    save_recipe(target, written, tuned(report, recipe), force=target.exists())
