"""`surgery recipe`: the shelf of recipes, and making and checking one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from surgery.cli.options import ForceOption, FormatOption, RecipeArgument

if TYPE_CHECKING:
    from surgery.cli.page import Page
    from surgery.recipe import Recipe

app = typer.Typer(
    help="List, show, write and check recipes.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("ls")
def list_recipes(format: FormatOption = "human") -> None:
    """List the recipes that come with surgery.

    \b
    Examples:
      surgery recipe ls
      surgery recipe ls --format quiet
    """
    from surgery.cli.console import Output
    from surgery.cli.page import Line, Table
    from surgery.cli.shelf import shelf
    from surgery.recipe import load_recipe

    recipes = {name: load_recipe(path) for name, path in shelf().items()}
    rows = tuple((name, methods(recipe), recipe.description) for name, recipe in recipes.items())
    listed = [
        {"name": row[0], "methods": row[1].split(", "), "description": row[2]} for row in rows
    ]
    page: Page = [Table("", ("recipe", "method", "what it does"), rows), Line(_HOW, "quiet")]
    Output(format).result({"kind": "recipes", "version": 1, "recipes": listed}, [*recipes], page)


_HOW = "surgery apply NAME runs one; surgery recipe show NAME prints it, to start your own from."


@app.command("show")
def show(recipe: RecipeArgument) -> None:
    """Print a recipe as it is written.

    \b
    Examples:
      surgery recipe show remove_vangogh
      surgery recipe show remove_vangogh > mine.yaml
    """
    from surgery.cli.console import Output
    from surgery.cli.shelf import find_recipe
    from surgery.recipe import load_recipe

    path = find_recipe(recipe)
    load_recipe(path)
    Output().raw(path.read_text(encoding="utf-8-sig"))


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The recipe's name.")],
    erase: Annotated[
        list[str], typer.Option("--erase", metavar="CONCEPT", help="What to take out; repeatable.")
    ],
    target: Annotated[
        str | None,
        typer.Option("--target", metavar="CONCEPT", help="What it becomes; default a plain word."),
    ] = None,
    kind: Annotated[
        Literal["style", "object", "fact"], typer.Option("--kind", help="Which prompts it is in.")
    ] = "style",
    preserve: Annotated[
        list[str] | None,
        typer.Option("--preserve", metavar="CONCEPT", help="What must stay as it is; repeatable."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Where to write; default <NAME>.yaml."),
    ] = None,
    force: ForceOption = False,
) -> None:
    """Write a recipe that takes concepts out of a model.

    \b
    Examples:
      surgery recipe new remove_monet --erase monet --target painting --preserve seurat
    """
    from surgery.cli.console import Output
    from surgery.cli.page import Line, steps, surgery

    said = {"target": target} if target is not None else {}
    concepts = [{"erase": item, **said, "kind": kind} for item in erase]
    text = _compose(name, concepts, preserve or [])
    path = out or Path(f"{name}.yaml")
    save(path, text, force)
    console = Output()
    console.page([Line(f"wrote {path}", "good")])
    console.talk(steps("next:", [surgery("apply", str(path))]))


@app.command("check")
def check(
    recipe: RecipeArgument,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="Also plan it against this model.")
    ] = None,
    format: FormatOption = "human",
) -> None:
    """Say whether a recipe is valid, and with --model whether it fits.

    \b
    Examples:
      surgery recipe check recipes/remove_vangogh.yaml
      surgery recipe check remove_vangogh --model atelier
    """
    from surgery.cli.console import Output
    from surgery.cli.page import Line, plural
    from surgery.cli.shelf import find_recipe
    from surgery.recipe import load_recipe

    loaded = load_recipe(find_recipe(recipe))
    if model is not None:
        from surgery.plan import make_plan
        from surgery.store.checkpoint import open_checkpoint

        make_plan(loaded, open_checkpoint(model))
    fits = f", and it fits {model}" if model is not None else ""
    summary = f"{loaded.name} is valid: {plural(len(loaded.edits), 'edit')}{fits}"
    document = {"kind": "check", "version": 1, "name": loaded.name, "model": model, "valid": True}
    Output(format).result(document, [loaded.name], [Line(summary, "good")])


@app.command("schema")
def schema() -> None:
    """Print the JSON Schema of recipes, for editors.

    \b
    Examples:
      surgery recipe schema
    """
    from surgery.cli.console import Output
    from surgery.recipe import json_schema

    Output("json").result(json_schema(), [], [])


def methods(recipe: Recipe) -> str:
    """The methods of a recipe, each once, in the order of its edits."""
    return ", ".join(dict.fromkeys(edit.method for edit in recipe.edits)) or "none"


def _compose(name: str, concepts: list[dict[str, str]], preserve: list[str]) -> str:
    import json

    from surgery.recipe import load_recipe

    edit: dict[str, object] = {"method": "quickfix", "concepts": concepts}
    if preserve:
        edit["preserve"] = preserve
    fields = {"version": 1, "name": name, "model": "atelier", "edits": [edit]}
    # JSON is YAML, and a text is told from a path by its line breaks.
    return load_recipe(json.dumps(fields, indent=1)).dump()


def save(path: Path, text: str, force: bool) -> None:
    """Write a recipe's text to a new file, or over one that is there if that is wanted.

    Raises:
        OutputError: the file is there already, or cannot be written.
    """
    from surgery.errors import OutputError
    from surgery.store.text import visible

    where = visible(str(path))
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise OutputError("already there", where=where, hint="--force replaces it") from error
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror}", where=where) from error
