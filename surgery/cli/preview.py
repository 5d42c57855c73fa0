"""The picture of `apply --preview`: where it goes, and painting it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from surgery.errors import OutputError, UsageError
from surgery.store.text import visible

if TYPE_CHECKING:
    from surgery.cli.console import Output
    from surgery.recipe import Recipe
    from surgery.store.checkpoint import Checkpoint


def picture_place(checkpoint: Checkpoint, out: Path | None, force: bool, dry_run: bool) -> Path:
    """Where the preview goes; everything that would stop it is found before the edit.

    Args:
        out: where the edited model will be.

    Raises:
        UsageError: there will be nothing to paint with.
        OutputError: the picture is there already.
    """
    if out is None:
        hint = "give --out too: a patch alone is no model to paint with"
        raise UsageError("--preview and --save-patch without --out", hint=hint)
    if dry_run:
        hint = "a dry run has no result to paint"
        raise UsageError("--preview and --dry-run together", hint=hint)
    if checkpoint.json("model_index.json") is None:
        raise UsageError(
            "--preview paints with a diffusers folder, and this is none",
            where=visible(checkpoint.address),
            hint="leave --preview out",
        )
    picture = out.with_name(f"{out.name}.png")
    if picture.exists() and not force:
        raise OutputError("already there", where=visible(str(picture)), hint="--force replaces it")
    return picture


def paint(before: Path, after: Path, recipe: Recipe, picture: Path, console: Output) -> None:
    """Paint with both models, with a bar.

    Args:
        before, after: diffusers folders.
    """
    from surgery.cli.hush import hush
    from surgery.pictures.preview import preview_count, write_preview

    hush()
    with console.progress("painting", preview_count(recipe), "pictures") as advance:
        write_preview(before, after, recipe, picture, on_pictures=advance)
