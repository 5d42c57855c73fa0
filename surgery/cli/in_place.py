"""`surgery apply --in-place`: the edit inside the model's own file, and what its flags may mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from surgery.errors import UsageError

if TYPE_CHECKING:
    from surgery.apply import ApplyReport
    from surgery.cli.console import Output
    from surgery.cli.page import Page
    from surgery.recipe import Recipe
    from surgery.store.checkpoint import Checkpoint
    from surgery.store.inplace import Edited


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for besides the recipe and the model."""

    undo_file: Path
    force: bool
    dry_run: bool
    tokenizer: Path | None


def check_flags(
    in_place: bool, undo_file: Path | None, model: str | None, others: Mapping[str, object]
) -> None:
    """Raise UsageError for flags that cannot be meant together with --in-place.

    Args:
        others: option -> its value, for those that make no sense beside it.
    """
    if not in_place:
        hint = "give --in-place too, or leave --undo-file out"
        raise UsageError("--undo-file without --in-place", hint=hint)
    if undo_file is None:
        hint = "give --undo-file FILE: it is the only way back"
        raise UsageError("--in-place without --undo-file", hint=hint)
    if model is None:
        hint = "name the model to edit with --model"
        raise UsageError("--in-place without --model", hint=hint)
    wrong = [name for name, value in others.items() if value]
    if wrong:
        hint = "an edit in place makes no second model"
        raise UsageError(f"--in-place and {wrong[0]} together", hint=hint)


def edit(recipe: Recipe, checkpoint: Checkpoint, wish: Wish, console: Output) -> None:
    """Edit a model's own files, show what was done and how to undo it."""
    from surgery.cli.apply_page import apply_page
    from surgery.cli.gates import check_gates
    from surgery.cli.plan_page import plan_page
    from surgery.in_place import apply_in_place

    report, edited = apply_in_place(
        recipe,
        checkpoint,
        wish.undo_file,
        force=wish.force,
        dry_run=wish.dry_run,
        tokenizer=wish.tokenizer,
        on_plan=lambda plan: console.page(plan_page(plan)),
    )
    undo_file = str(edited.undo_file) if edited.undo_file else None
    names = [undo_file] if undo_file else list(report.plan.changes)
    console.result({**report.to_dict(), "undo_file": undo_file}, names, apply_page(report))
    console.talk(_ending(report, edited, wish))
    check_gates(report.gates)


def _ending(report: ApplyReport, edited: Edited, wish: Wish) -> Page:
    from surgery.cli.page import Line, steps, surgery
    from surgery.store.text import size

    if edited.undo_file is None:
        if wish.dry_run:
            return [Line("dry run: nothing was written", "quiet")]
        missed = "a gate failed" if not report.passed else "every byte is there already"
        return [Line(f"the model is as it was: {missed}", "warn")]
    took = report.seconds["write"]
    changed = f"{size(edited.bytes_changed)} in {took:.3f} s"
    return [
        Line(f"edited {report.out} in place ({changed}); its metadata stays as it was", "title"),
        Line(f"wrote {edited.undo_file}, the only way back", "title"),
        *steps("next:", [surgery("undo", str(edited.undo_file))]),
    ]
