"""apply_in_place: plan and solve as `apply` does, then edit the model's own files. Prints nothing.

A missed gate stops it before the first byte changes, unlike `apply`, whose input stays whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from surgery.apply import ApplyReport, warnings
from surgery.gates import gates as limits
from surgery.plan import Plan, layout_for, make_plan
from surgery.recipe import Recipe
from surgery.report import Gate
from surgery.rounding import round_once
from surgery.solve import solve
from surgery.store.checkpoint import Checkpoint
from surgery.store.inplace import Edited, check_in_place, edit_in_place

_NOTHING = Edited(None, 0, ())


def apply_in_place(
    recipe: Recipe,
    checkpoint: Checkpoint,
    undo_file: str | Path,
    *,
    force: bool = False,
    dry_run: bool = False,
    tokenizer: Path | None = None,
    on_plan: Callable[[Plan], object] = lambda plan: None,
) -> tuple[ApplyReport, Edited]:
    """Make the recipe's edits inside the checkpoint's own files.

    Args:
        undo_file: a new file from which `undo` can put the old bytes back.
        force: edit files that have other names (hard links) too.
        dry_run: check, solve and report, change nothing.
        tokenizer: a folder with the tokenizer to use; left out, it is searched for.
        on_plan: called with the plan, before it is checked whether the files can be edited.

    Returns:
        the report, whose `out` is None when nothing was edited, and what was edited.

    Raises:
        SurgeryError: before anything is changed, or with everything put back.
    """
    began = time.perf_counter()
    layout = layout_for(checkpoint) if recipe.edits else None
    plan = make_plan(recipe, checkpoint, layout)
    on_plan(plan)
    check_in_place(checkpoint, plan.changes, undo_file, force=force)
    patch, solved = solve(recipe, checkpoint, tokenizer, layout)
    result = round_once(patch, solved, checkpoint)
    gates = limits(recipe.expect, result.leaks, result.drifts)
    middle = time.perf_counter()
    edited = _NOTHING
    if not dry_run and all(gate.passed for gate in gates):
        edited = edit_in_place(checkpoint, result.values, undo_file, force=force)
    if recipe.expect.untouched and edited.undo_file:
        # No byte outside the spans of the undo file is ever written.
        kept = len(checkpoint) - len(plan.changes)
        gates = (*gates, Gate("untouched", "bit-identical", f"{kept} of {kept} not written", True))
    done = time.perf_counter()
    report = ApplyReport(
        plan=plan,
        leaks=result.leaks,
        drifts=result.drifts,
        sites=result.by_site,
        tensors=result.tensors,
        gates=gates,
        warnings=warnings(plan, solved, result),
        identical=len(checkpoint) - len(result.values),
        out=str(checkpoint.root) if edited.undo_file else None,
        files=tuple(str(file) for file in edited.files),
        bytes_written=edited.bytes_changed,
        seconds={"solve": round(middle - began, 4), "write": round(done - middle, 4)},
    )
    return report, edited
