"""`surgery debias`: how much of each attribute to add, found by painting and counting."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surgery.cli.options import ForceOption, FormatOption, ModelOption, RecipeArgument

if TYPE_CHECKING:
    from surgery.cli.page import Table
    from surgery.debias import Balance, DebiasReport
    from surgery.recipe import Recipe
    from surgery.recipe_text import Path as FieldPath
    from surgery.recipe_text import Plain
    from surgery.store.checkpoint import Checkpoint


def command(
    recipe: RecipeArgument,
    model: ModelOption = None,
    pictures: Annotated[
        int, typer.Option("--pictures", min=4, help="How many of each concept in a round.")
    ] = 64,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="At most so many rounds.")] = 30,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Where to write; default <NAME>.yaml."),
    ] = None,
    force: ForceOption = False,
    format: FormatOption = "human",
) -> None:
    """Find the amounts of a recipe that debiases, and write them into a copy of it.

    The judge reads pictures of atelier and of what was made from it. Comments are kept.

    \b
    Examples:
      surgery debias uce_fair_ladders --pictures 16 --rounds 1 -o fair.yaml
    """
    from surgery.cli.process import prepare_to_solve
    from surgery.cli.shelf import find_recipe

    source = find_recipe(recipe)
    prepare_to_solve(source)
    from surgery.cli.console import Output
    from surgery.cli.hush import hush
    from surgery.cli.page import Line, steps, surgery
    from surgery.cli.places import must_be_free
    from surgery.cli.recipe import save
    from surgery.debias import find_amounts
    from surgery.recipe import load_recipe
    from surgery.recipe_write import with_values

    console = Output(format)
    loaded = load_recipe(source)
    path = out or Path(f"{loaded.name}.yaml")
    must_be_free(path, force)
    hush()
    from surgery.atelier.census import census

    checkpoint = _checkpoint(loaded, model)
    most = rounds * pictures * len(_amounts(loaded))
    with console.progress("painting", most, "pictures") as advance:
        observe = census(checkpoint, pictures=pictures, on_pictures=advance)
        found, report = find_amounts(loaded, observe, rounds=rounds)
    save(path, with_values(source.read_text(encoding="utf-8-sig"), _amounts(found)), force)
    console.result(report.to_dict(), [str(path)], [_table(report)])
    then = steps("next:", [surgery("apply", str(path))])
    console.talk([Line(f"wrote {path}", "good"), *then])


def _checkpoint(recipe: Recipe, model: str | None) -> Checkpoint:
    from surgery.cli.address import chosen_address
    from surgery.judges.readable import must_be_atelier
    from surgery.store.checkpoint import open_checkpoint

    checkpoint = open_checkpoint(chosen_address(model, recipe.model))
    must_be_atelier(checkpoint)
    return checkpoint


def _amounts(recipe: Recipe) -> dict[FieldPath, Plain]:
    """Where each found list of amounts stands in the recipe."""
    from surgery.edits.uce import Uce

    return {
        ("edits", number, "debias", place, "amounts"): list(one.added)
        for number, edit in enumerate(recipe.edits)
        if isinstance(edit, Uce)
        for place, one in enumerate(edit.debias)
    }


def _table(report: DebiasReport) -> Table:
    from surgery.cli.page import Table

    rows = tuple(
        row
        for number, balances in enumerate(report.rounds)
        for balance in balances
        for row in _rows(number + 1, balance, number == report.kept)
    )
    columns = ("round", "concept", "attribute", "added", "share", "wanted", "pictures")
    return Table("Pictures by attribute", columns, rows, right=frozenset({0, 3, 4, 5, 6}))


def _rows(number: int, balance: Balance, kept: bool) -> list[tuple[str, ...]]:
    values = zip(balance.attributes, balance.amounts, balance.shares, balance.wanted, strict=True)
    mark = f"{number} kept" if kept else str(number)
    return [
        (
            mark,
            balance.concept,
            name,
            f"{amount:.2f}",
            f"{share:.0%}",
            f"{wanted:.0%}",
            str(balance.count),
        )
        for name, amount, share, wanted in values
    ]
