"""`surgery apply`: the main job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surgery.cli.options import (
    AllowPickleOption,
    AllowWeakOption,
    ChecksumOption,
    DryRunOption,
    ForceOption,
    FormatOption,
    InPlaceOption,
    LinkOption,
    ModelOption,
    OutOption,
    RecipeArgument,
    SavePatchOption,
    TokenizerOption,
    UndoFileOption,
)

if TYPE_CHECKING:
    from surgery.apply import ApplyReport
    from surgery.cli.console import Output
    from surgery.recipe import Recipe
    from surgery.stage import Advance
    from surgery.store.checkpoint import Checkpoint
    from surgery.store.digest import Algorithm


def command(
    recipe: RecipeArgument,
    model: ModelOption = None,
    out: OutOption = None,
    save_patch: SavePatchOption = None,
    dry_run: DryRunOption = False,
    force: ForceOption = False,
    preview: Annotated[
        bool, typer.Option("--preview", help="Also paint a picture: before above after.")
    ] = False,
    tokenizer: TokenizerOption = None,
    link: LinkOption = False,
    checksum: ChecksumOption = None,
    allow_pickle: AllowPickleOption = False,
    allow_weak: AllowWeakOption = False,
    in_place: InPlaceOption = False,
    undo_file: UndoFileOption = None,
    format: FormatOption = "human",
) -> None:
    """Edit a model as a recipe says, and write the result as a new model.

    With no model named here or in the recipe, the built-in atelier is edited. Where the result
    does not hold what the recipe expects, nothing is written and the exit code is 3.

    \b
    Examples:
      surgery apply recipes/remove_vangogh.yaml
      surgery apply remove_r2d2 --model atelier --dry-run
      surgery apply remove_vangogh -o mine --preview
      surgery apply remove_vangogh --save-patch vangogh.safetensors
      surgery apply remove_vangogh -m mine --in-place --undo-file vangogh.undo
    """
    from surgery.cli.process import prepare_to_solve
    from surgery.cli.shelf import find_recipe

    path = find_recipe(recipe)
    prepare_to_solve(path)
    from surgery.cli.console import Output
    from surgery.cli.in_place import Wish, check_flags, edit
    from surgery.recipe import load_recipe
    from surgery.store.checkpoint import open_checkpoint

    console = Output(format)
    if in_place or undo_file:
        others: dict[str, object] = {
            "--out": out,
            "--preview": preview,
            "--link": link,
            "--checksum": checksum,
            "--allow-weak": allow_weak,
            "--allow-pickle": allow_pickle,
            "--save-patch": save_patch,
        }
        check_flags(in_place, undo_file, model, others)
    loaded = load_recipe(path)
    checkpoint = open_checkpoint(_address(loaded, model, console), allow_pickle=allow_pickle)
    if undo_file:
        return edit(loaded, checkpoint, Wish(undo_file, force, dry_run, tokenizer), console)
    wish = _Wish(out, save_patch, force, dry_run, preview, link, checksum, allow_weak, tokenizer)
    _edit(loaded, checkpoint, wish, console)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What was asked for besides the recipe and the model."""

    out: Path | None
    save_patch: Path | None
    force: bool
    dry_run: bool
    preview: bool
    link: bool
    checksum: Algorithm | None
    allow_weak: bool
    tokenizer: Path | None


def _edit(recipe: Recipe, checkpoint: Checkpoint, wish: _Wish, console: Output) -> None:
    """Show the plan, write the edited copy or the patch or both, and show what was done."""
    from surgery.apply import apply
    from surgery.cli.download import bring
    from surgery.cli.plan_page import plan_page
    from surgery.cli.preview import paint, picture_place

    out = wish.out
    if out is None and not wish.save_patch:
        out = default_out(recipe, checkpoint)
    picture = picture_place(checkpoint, out, wish.force, wish.dry_run) if wish.preview else None
    with (
        _default_folder(out if out != wish.out and not wish.dry_run else None),
        console.progress("writing", checkpoint.total_bytes) as advance,
    ):
        report = apply(
            recipe,
            checkpoint,
            out,
            force=wish.force,
            dry_run=wish.dry_run,
            link=wish.link,
            allow_weak=wish.allow_weak,
            save_patch=wish.save_patch,
            checksum=wish.checksum,
            tokenizer=wish.tokenizer,
            on_plan=lambda plan: console.page(plan_page(plan)),
            bring=partial(bring, console),
            progress=advance,
            stage=partial(_stage, console),
        )
    if picture and out and report.out:
        paint(checkpoint.root, out, recipe, picture, console)
    _show(report, checkpoint, picture if report.out else None, (wish.dry_run, console))


def _stage(console: Output, label: str, total: int) -> AbstractContextManager[Advance]:
    """A bar for runs of the model, whose libraries then have talked enough."""
    from surgery.cli.hush import hush

    hush()
    return console.progress(label, total, "steps")


def _show(
    report: ApplyReport, checkpoint: Checkpoint, picture: Path | None, how: tuple[bool, Output]
) -> None:
    from surgery.cli.apply_page import apply_page, next_steps
    from surgery.cli.gates import check_gates

    dry_run, console = how
    document = {**report.to_dict(), "preview": str(picture) if picture else None}
    names = [name for name in (report.out, report.patch) if name] or list(report.plan.changes)
    console.result(document, names, apply_page(report))
    console.talk(next_steps(report, checkpoint, picture, dry_run=dry_run))
    check_gates(report.gates)


def default_out(recipe: Recipe, checkpoint: Checkpoint) -> Path:
    """`out/<recipe name>`, with the ending of the input where that is a single file."""
    ending = checkpoint.root.suffix if checkpoint.kind in {"file", "dduf"} else ""
    return Path("out") / f"{recipe.name}{ending}"


@contextmanager
def _default_folder(out: Path | None) -> Iterator[None]:
    """Make the folder of an output that no one named; where nothing came into it, it goes again."""
    from surgery.errors import OutputError

    if out is None or out.parent.exists():
        yield
        return
    folder = out.parent
    try:
        folder.mkdir()
    except OSError as error:
        hint = "name another place with -o"
        raise OutputError(
            f"cannot be made: {error.strerror}", where=str(folder), hint=hint
        ) from error
    try:
        yield
    finally:
        with suppress(OSError):
            folder.rmdir()


def _address(recipe: Recipe, model: str | None, console: Output) -> str:
    from surgery.cli.address import BUILT_IN, chosen_address
    from surgery.cli.page import Line

    address = chosen_address(model, recipe.model)
    if model is None:
        about = "the small model that comes with surgery" if address == BUILT_IN else "the recipe's"
        console.talk([Line(f"no --model given: editing {address}, {about}", "quiet")])
    return address
