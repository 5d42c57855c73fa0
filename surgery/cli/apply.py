"""`surgery apply`: the main job."""

from __future__ import annotations

import atexit
import gc
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surgery.cli.options import (
    AllowPickleOption,
    AllowWeakOption,
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
    from surgery.store.checkpoint import Checkpoint

BUILT_IN = "atelier"


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
    from surgery.cli.shelf import find_recipe

    path = find_recipe(recipe)
    _set_up_process(path)
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
            "--allow-weak": allow_weak,
        }
        others |= {"--allow-pickle": allow_pickle, "--save-patch": save_patch}
        check_flags(in_place, undo_file, model, others)
    loaded = load_recipe(path)
    checkpoint = open_checkpoint(_address(loaded, model, console), allow_pickle=allow_pickle)
    if undo_file:
        return edit(loaded, checkpoint, Wish(undo_file, force, dry_run, tokenizer), console)
    wish = _Wish(out, save_patch, force, dry_run, preview, link, allow_weak, tokenizer)
    _copy(loaded, checkpoint, wish, console)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What was asked for besides the recipe and the model."""

    out: Path | None
    save_patch: Path | None
    force: bool
    dry_run: bool
    preview: bool
    link: bool
    allow_weak: bool
    tokenizer: Path | None


def _copy(recipe: Recipe, checkpoint: Checkpoint, wish: _Wish, console: Output) -> None:
    """Show the plan, write the edited copy, and show what was done."""
    from surgery.apply import apply, preflight
    from surgery.cli.download import brought
    from surgery.cli.plan_page import plan_page
    from surgery.plan import make_plan

    if wish.save_patch and not wish.out:
        return _patch(recipe, checkpoint, wish, console)
    target = wish.out or default_out(recipe, checkpoint)
    picture = _picture(checkpoint, target, wish.force, wish.dry_run) if wish.preview else None
    plan = make_plan(recipe, checkpoint)
    console.page(plan_page(plan))
    check = partial(preflight, plan, checkpoint, target, force=wish.force, link=wish.link)
    with (
        _folder(target.parent, wanted=wish.out is None and not wish.dry_run),
        brought(checkpoint, console, None if wish.dry_run else check) as here,
        console.progress("writing", plan.bytes_total) as advance,
    ):
        report = apply(
            recipe,
            here,
            target,
            force=wish.force,
            dry_run=wish.dry_run,
            link=wish.link,
            allow_weak=wish.allow_weak,
            save_patch=wish.save_patch,
            tokenizer=wish.tokenizer,
            plan=plan,
            progress=advance,
        )
    if picture is not None and report.out:
        _paint(here, target, recipe, picture, console)
    _show(report, here, picture, console)


def _patch(recipe: Recipe, checkpoint: Checkpoint, wish: _Wish, console: Output) -> None:
    """Show the plan, keep the edit as a patch without any model, and show what was done."""
    from surgery.apply import apply
    from surgery.cli.plan_page import plan_page
    from surgery.errors import UsageError
    from surgery.plan import make_plan

    if wish.preview:
        hint = "give --out too: a patch alone is no model to paint with"
        raise UsageError("--preview and --save-patch without --out", hint=hint)
    console.page(plan_page(make_plan(recipe, checkpoint)))
    report = apply(
        recipe,
        checkpoint,
        force=wish.force,
        dry_run=wish.dry_run,
        allow_weak=wish.allow_weak,
        save_patch=wish.save_patch,
        tokenizer=wish.tokenizer,
    )
    _show(report, checkpoint, None, console)


def _show(report: ApplyReport, here: Checkpoint, picture: Path | None, console: Output) -> None:
    from surgery.cli.apply_page import apply_page, next_steps
    from surgery.cli.gates import check_gates

    picture = picture if report.out else None
    document = {**report.to_dict(), "preview": str(picture) if picture else None}
    names = [name for name in (report.out, report.patch) if name] or list(report.plan.changes)
    console.result(document, names, apply_page(report))
    console.talk(next_steps(report, here, picture))
    check_gates(report.gates)


def _set_up_process(recipe: Path) -> None:
    """Settings of the whole process, made before numpy is imported, whose OpenBLAS reads them."""
    if _is_small(recipe):
        # Threads gain little on an idle machine and triple the time on a busy one, where they wait
        # for each other.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # A vocabulary is a hundred thousand objects that stay; looking through them cost 4 %.
    gc.set_threshold(100_000, 10, 10)
    # What is left at the end goes with the process; searching it for cycles takes 5 %.
    atexit.register(gc.freeze)


def _is_small(recipe: Path) -> bool:
    """Whether a recipe's products are all small; a guess from its text, before it is loaded."""
    try:
        if not recipe.is_file():
            return False
        with recipe.open("rb") as file:
            methods = set(re.findall(rb"method:\s*(\w+)", file.read(1 << 20)))
    except OSError:
        return False
    return methods == {b"quickfix"}


def default_out(recipe: Recipe, checkpoint: Checkpoint) -> Path:
    """`out/<recipe name>`, with the ending of the input where that is a single file."""
    ending = checkpoint.root.suffix if checkpoint.kind in {"file", "dduf"} else ""
    return Path("out") / f"{recipe.name}{ending}"


@contextmanager
def _folder(folder: Path, *, wanted: bool) -> Iterator[None]:
    """Make the default folder for outputs; where nothing came into it, it is gone again."""
    from surgery.errors import OutputError

    if not wanted or folder.exists():
        yield
        return
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
    from surgery.cli.page import Line

    # An empty --model is a mistake of a script, not a wish for the built-in one.
    address = model if model is not None else recipe.model or BUILT_IN
    if model is None:
        about = "the small model that comes with surgery" if address == BUILT_IN else "the recipe's"
        console.talk([Line(f"no --model given: editing {address}, {about}", "quiet")])
    return address


def _picture(checkpoint: Checkpoint, target: Path, force: bool, dry_run: bool) -> Path:
    """Where the preview goes; everything that would stop it is found before the edit."""
    from surgery.errors import OutputError, UsageError
    from surgery.store.text import visible

    if dry_run:
        raise UsageError(
            "--preview and --dry-run together", hint="a dry run has no result to paint"
        )
    if checkpoint.json("model_index.json") is None:
        raise UsageError(
            "--preview paints with a diffusers folder, and this is none",
            where=visible(checkpoint.address),
            hint="leave --preview out",
        )
    picture = target.with_name(f"{target.name}.png")
    if picture.exists() and not force:
        raise OutputError("already there", where=visible(str(picture)), hint="--force replaces it")
    return picture


def _paint(
    checkpoint: Checkpoint, target: Path, recipe: Recipe, picture: Path, console: Output
) -> None:
    from surgery.cli.hush import hush
    from surgery.reports.preview import preview_count, write_preview

    hush()
    with console.progress("painting", preview_count(recipe), "pictures") as advance:
        write_preview(checkpoint.root, target, recipe, picture, on_pictures=advance)
