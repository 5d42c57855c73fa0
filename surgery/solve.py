"""solve: a recipe and a checkpoint's weights to a Patch, and that Patch rounded to stored types.

Solved in float64, added in float64, rounded once. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from surgery import figures
from surgery.edits.base import Edit, Matrix
from surgery.edits.delta import Array, Delta
from surgery.errors import EditError
from surgery.figures import Rounded, SolvedEdit
from surgery.gather import Weights, gather
from surgery.layout import Layout, Site, detect
from surgery.patch import Change, EditRecord, Patch, own_version
from surgery.recipe import Recipe
from surgery.report import Drift, EditedTensor, Leak
from surgery.scaled import meaning, numbers, stored_bytes
from surgery.store.checkpoint import Checkpoint, TensorRef
from surgery.store.text import visible


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """A patch rounded to the stored types, and the figures of that rounding."""

    values: Mapping[str, bytes]
    tensors: tuple[EditedTensor, ...]
    leaks: tuple[Leak, ...]
    drifts: tuple[Drift, ...]


def solve(
    recipe: Recipe, checkpoint: Checkpoint, tokenizer: Path | None = None
) -> tuple[Patch, tuple[SolvedEdit, ...]]:
    """Solve the edits one after the other; each finds the weights as the ones before left them.

    Args:
        tokenizer: a folder with the tokenizer to use; left out, it is searched for.

    Raises:
        EditError: an edit cannot be made, or solves to no change or to numbers that are not finite.
    """
    active = [(n, edit) for n, edit in enumerate(recipe.edits) if edit.strength]
    layout = detect(checkpoint) if active else None
    weights, solved, records = Weights(checkpoint, tokenizer=tokenizer), [], []
    changes: dict[str, tuple[Change, ...]] = {}
    for number, edit in active:
        assert layout is not None
        one = _gathered(number, edit, layout, weights)
        deltas = edit.solve(one.before, one.context)
        _check(number, edit, deltas, one.before)
        for name, change in by_tensor(deltas, layout):
            changes[name] = (*changes.get(name, ()), change)
            weights = weights.with_change(name, change)
        after = {site: weights.matrix(site) for site in one.before}
        records.append(_record(edit, deltas, figures.residual(one, after)))
        solved.append(one)
    patch = Patch(changes, recipe.to_json(), checkpoint.fingerprint, own_version(), tuple(records))
    return patch, tuple(solved)


def round_once(patch: Patch, solved: Sequence[SolvedEdit], checkpoint: Checkpoint) -> Result:
    """Round every changed tensor to its stored type, and measure what then is left of the edits.

    Raises:
        EditError: a value overflows the type, or no byte of a tensor changes.
    """
    values: dict[str, bytes] = {}
    stored: dict[str, Array] = {}
    tensors = []
    for name in patch.changes:
        ref = checkpoint[name]
        values[name], one = _rounded(patch, ref, checkpoint)
        stored[name] = one.stored
        rank = min(sum(change.delta.rank for change in patch.changes[name]), *ref.shape)
        tensors.append(one.figures(name, ref.dtype, rank))
        _check_changed(tensors[-1])
    after = [{site: _stored(site, stored) for site in one.before} for one in solved]
    pairs = list(zip(solved, after, strict=True))
    return Result(
        values,
        tuple(tensors),
        tuple(leak for one, now in pairs for leak in figures.leaks(one, now)),
        tuple(drift for one, now in pairs for drift in figures.drifts(one, now)),
    )


def _rounded(patch: Patch, ref: TensorRef, checkpoint: Checkpoint) -> tuple[bytes, Rounded]:
    before = numbers(checkpoint, ref.name)
    wanted = patch.value(ref.name, before)
    try:
        value = stored_bytes(checkpoint, ref.name, wanted)
    except EditError as error:
        raise EditError(error.what, where=visible(ref.name), hint=error.hint) from error
    return value, Rounded(before, wanted, meaning(checkpoint, ref.name, value))


def _check_changed(tensor: EditedTensor) -> None:
    if not tensor.changed:
        raise EditError(
            f"the edit is below the resolution of {tensor.dtype} and changes no byte",
            where=visible(tensor.name),
            hint="raise its strength, or set it to 0 for a plain copy",
        )


def _gathered(number: int, edit: Edit, layout: Layout, weights: Weights) -> SolvedEdit:
    try:
        context = gather(edit, layout, weights)
    except EditError as error:
        where = f"edits[{number}]: {error.where}" if error.where else f"edits[{number}]"
        raise EditError(error.what, where=where, hint=error.hint) from error
    before = {site: weights.matrix(site) for site in edit.sites(layout)}
    return SolvedEdit(number, edit, context, before)


def _check(
    number: int, edit: Edit, deltas: Mapping[Site, Delta], before: Mapping[Site, Matrix]
) -> None:
    where = f"edits[{number}] ({edit.method})"
    if not set(deltas) <= set(before):
        raise EditError("changes a site that it did not announce", where=where)
    if not deltas or all(delta.is_zero for delta in deltas.values()):
        hint = "check that concept and target differ, or set strength to 0 for a plain copy"
        raise EditError("solves to no change at all", where=where, hint=hint)
    if not all(np.isfinite(delta.norm) for delta in deltas.values()):
        raise EditError("solves to NaN or infinite numbers", where=where, hint="raise its ridge")


def by_tensor(deltas: Mapping[Site, Delta], layout: Layout) -> Iterator[tuple[str, Change]]:
    """The same changes by tensor name; an EMA copy gets that of its original."""
    for site, delta in deltas.items():
        change = Change(delta, site.rows)
        yield site.tensor, change
        if twin := layout.ema_twin(site.tensor):
            yield twin, change


def _record(edit: Edit, deltas: Mapping[Site, Delta], left: float) -> EditRecord:
    names = tuple(dict.fromkeys(site.tensor for site in deltas))
    return EditRecord(edit.method, names, max(delta.rank for delta in deltas.values()), left)


def _stored(site: Site, stored: Mapping[str, Array]) -> Matrix:
    first, last = site.rows or (None, None)
    return stored[site.tensor][first:last].astype(np.float64)
