"""apply: gather, solve, write. Returns an `ApplyReport`; prints nothing and knows no method.

A missed gate stops it before anything is written, unless a weak result is wanted all the same; then
`passed` is False, and the command line exits with 3.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import ClassVar

from surgery.cautions import cautions
from surgery.errors import UsageError
from surgery.figures import SolvedEdit
from surgery.gates import gates as limits
from surgery.plan import Plan, layout_for, make_plan
from surgery.provenance import Provenance, recorded_base
from surgery.recipe import Recipe
from surgery.report import Drift, EditedTensor, Gate, Leak, Report, SiteFigure
from surgery.rounding import Result, coarse, round_once
from surgery.solve import solve
from surgery.stage import Stage, unwatched
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from surgery.store.compare import same_bytes
from surgery.store.digest import Algorithm, check_algorithm
from surgery.store.memory import check_memory
from surgery.store.preflight import check_copy
from surgery.store.writer import Written, write

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class ApplyReport(Report):
    """What was done and what it did.

    Args:
        identical: tensors with the same bytes in input and output.
        sites: what each edited site does to the concept and to neutral prompts.
        out: where the output is; None for a dry run, and where a gate stopped it.
        seconds: wall-clock time of each stage.
        linked: how many of the files are links to those of the input.
        fetched: bytes of weights that came by ranges, where no file was downloaded.
        requests: how many requests that took.
        patch: where the edit is kept as a patch; None where none was made.
        patch_bytes: bytes of that file.
        checksums: name of a file of weights in the output -> its digest, where one was asked for.
    """

    kind: ClassVar[str] = "apply"

    plan: Plan
    leaks: tuple[Leak, ...]
    drifts: tuple[Drift, ...]
    sites: tuple[SiteFigure, ...]
    tensors: tuple[EditedTensor, ...]
    gates: tuple[Gate, ...]
    warnings: tuple[str, ...]
    identical: int
    out: str | None
    files: tuple[str, ...]
    bytes_written: int
    seconds: Mapping[str, float]
    linked: int = 0
    fetched: int = 0
    requests: int = 0
    patch: str | None = None
    patch_bytes: int = 0
    checksums: Mapping[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether every gate of the recipe holds."""
        return all(gate.passed for gate in self.gates)


def apply(
    recipe: Recipe,
    checkpoint: Checkpoint,
    out: str | Path | None = None,
    *,
    force: bool = False,
    dry_run: bool = False,
    link: bool = False,
    allow_weak: bool = False,
    save_patch: str | Path | None = None,
    checksum: Algorithm | None = None,
    tokenizer: Path | None = None,
    on_plan: Callable[[Plan], object] = lambda plan: None,
    bring: Callable[[Checkpoint], Checkpoint] = Checkpoint.here,
    progress: Progress | None = None,
    stage: Stage = unwatched,
) -> ApplyReport:
    """Make the recipe's edits in a copy of a checkpoint.

    Args:
        out: where to write; may be left out for a dry run, and where only a patch is wanted.
        force: replace an output that is there; never an input.
        dry_run: solve and report, write nothing.
        link: give unchanged files of a folder a second name instead of a copy.
        allow_weak: write the output even where a gate of the recipe is missed.
        save_patch: a new file that keeps the edit; a model on the Hub is not downloaded for it.
        checksum: which digest to take of each file of weights while it is written.
        tokenizer: a folder with the tokenizer to use; left out, it is searched for.
        on_plan: called with the plan, before it is checked whether there is room for it.
        bring: makes of a model on the Hub one on this machine, where it will be written.
        progress: called with the number of bytes just written.
        stage: told how far runs of the model are, where an edit needs any.

    Raises:
        SurgeryError: before anything is written, or with nothing left of what was.
    """
    clock = _Clock()
    check_algorithm(checksum)
    layout = layout_for(checkpoint) if recipe.edits else None
    plan = make_plan(recipe, checkpoint, layout)
    on_plan(plan)
    wanted = not dry_run and (out is not None or save_patch is None)
    target = preflight(plan, checkpoint, out, force=force, link=link) if wanted else None
    if save_patch is not None:
        check_patch(plan, save_patch, out, force=force)
    clock.lap("plan")
    checkpoint = bring(checkpoint) if target else checkpoint
    patch, solved = solve(recipe, checkpoint, tokenizer, layout, stage)
    result = round_once(patch, solved, checkpoint)
    clock.lap("solve")
    made = _Made(limits(recipe.expect, result.leaks, result.drifts), clock)
    told = Provenance(recorded_base(checkpoint, plan), result, solved, made.gates)
    if allow_weak or all(gate.passed for gate in made.gates):
        if target:
            how = partial(write, force=force, link=link, checksum=checksum, on_bytes=progress)
            made.model(_copied(told, checkpoint, target, how))
        if save_patch and not dry_run:
            made.patch(save_patch, _keep(told, checkpoint, save_patch, force=force))
    made.check(recipe, checkpoint, plan)
    return _report(plan, checkpoint, (result, warnings(plan, solved, result)), made)


def untouched(checkpoint: Checkpoint, out: Path, plan: Plan) -> Gate:
    """Whether every tensor outside the plan has the same bytes in the output, read back."""
    after = open_checkpoint(out, allow_pickle=bool(checkpoint.origins))
    kept = [name for name in checkpoint if name not in plan.changes]
    differ = [n for n in kept if n not in after or not same_bytes(checkpoint[n], after[n])]
    found = f"{len(kept) - len(differ)} of {len(kept)} identical"
    return Gate("untouched", "bit-identical", found, not differ)


def preflight(
    plan: Plan, checkpoint: Checkpoint, out: str | Path | None, *, force: bool, link: bool
) -> Path:
    """Return where the output will be; what would stop it is found before any download.

    Raises:
        UsageError: no place is named, or a link into the cache of downloads is asked for.
        OutputError: nothing may be written there.
        ResourceError: too little room for it, and for a download to the same disk, or memory.
    """
    if out is None:
        raise UsageError("nowhere to write", hint="name an output, or make it a dry run")
    check_copy(checkpoint, Path(out), plan.changes, force=force, link=link)
    check_memory(checkpoint[name] for name in plan.changes)
    return Path(out)


def check_patch(plan: Plan, path: str | Path, out: str | Path | None, *, force: bool) -> None:
    """Raise what would stop a patch from being written, before anything is solved.

    Args:
        out: where the model will be written, if it will be.

    Raises:
        UsageError: nothing changes, so there is nothing to keep; or model and patch have one place.
        OutputError: nothing may be written there.
    """
    # Imported here because most edits keep no patch.
    from surgery.patches.write import check_place

    if plan.identity:
        hint = "leave --save-patch out, or raise an edit's strength"
        raise UsageError("the recipe changes nothing: there is no patch to keep", hint=hint)
    if check_place(path, force=force) == (Path(out).resolve() if out else None):
        raise UsageError("--out and --save-patch name one place", hint="choose another name")


def _keep(told: Provenance, checkpoint: Checkpoint, path: str | Path, *, force: bool) -> int:
    """Write the edit as a patch and return its bytes."""
    # Imported here because most edits keep no patch.
    from surgery.patches import from_patch, write_patch

    result = told.result
    metadata = _metadata(result, checkpoint)
    patch = from_patch(result.patch, checkpoint, result.values.__getitem__, metadata)
    digests = {each.name: (each.before, each.after) for each in patch.changed}
    past = checkpoint.record()
    return write_patch(patch.with_records(past, told.text(past, digests)), path, force=force)


def _copied(
    told: Provenance, checkpoint: Checkpoint, target: Path, how: Callable[..., Written]
) -> Written:
    changes = {name: partial(told.noted, name, checkpoint) for name in told.result.values}
    if not changes:
        return how(checkpoint, {}, target, metadata={})
    metadata = _metadata(told.result, checkpoint)
    record = partial(told.text, checkpoint.record())
    return how(checkpoint, changes, target, metadata=metadata, record=record)


def _metadata(result: Result, checkpoint: Checkpoint) -> dict[str, str]:
    """The `surgery.*` keys of every file that changes."""
    touched = {checkpoint[name].file for name in result.values}
    earlier: dict[str, str] = {}
    for name, entries in checkpoint.metadata.items():
        if checkpoint.path(name) in touched:
            earlier |= entries
    return result.patch.metadata(earlier)


@dataclass(slots=True)
class _Made:
    """What came of an edit, as it comes: its gates, what was written, the seconds of each stage."""

    gates: tuple[Gate, ...]
    clock: _Clock
    written: Written | None = None
    patch_path: str | None = None
    patch_bytes: int = 0

    def model(self, written: Written) -> None:
        self.written = written
        self.clock.lap("write")

    def patch(self, path: str | Path, nbytes: int) -> None:
        self.patch_path, self.patch_bytes = str(path), nbytes
        self.clock.lap("patch")

    def check(self, recipe: Recipe, checkpoint: Checkpoint, plan: Plan) -> None:
        if recipe.expect.untouched and self.written:
            self.gates = (*self.gates, untouched(checkpoint, self.written.path, plan))
            self.clock.lap("check")


def _report(
    plan: Plan, checkpoint: Checkpoint, found: tuple[Result, tuple[str, ...]], made: _Made
) -> ApplyReport:
    (result, warned), written = found, made.written
    return ApplyReport(
        plan=plan,
        leaks=result.leaks,
        drifts=result.drifts,
        sites=result.by_site,
        tensors=result.tensors,
        gates=made.gates,
        warnings=warned,
        identical=len(checkpoint) - len(result.values),
        out=str(written.path) if written else None,
        files=tuple(str(file) for file in written.files) if written else (),
        bytes_written=written.bytes_written if written else 0,
        seconds=made.clock.laps,
        linked=written.linked if written else 0,
        checksums=written.checksums if written else {},
        fetched=checkpoint.fetched,
        requests=checkpoint.requests,
        patch=made.patch_path,
        patch_bytes=made.patch_bytes,
    )


def warnings(plan: Plan, solved: Sequence[SolvedEdit], result: Result) -> tuple[str, ...]:
    """What a user should know of the model, of the edits and of what rounding took."""
    held = (text for one in solved for text in cautions(one))
    rough = (text for tensor in result.tensors if (text := coarse(tensor)))
    return (*plan.warnings, *held, *rough)


class _Clock:
    """Seconds since the last lap, by name."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name], self._last = round(now - self._last, 4), now
