"""solve: a recipe and a checkpoint's weights to a Patch. Rounds nothing and writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from surgery.edits.base import Edit, Matrix
from surgery.edits.delta import Delta
from surgery.errors import EditError
from surgery.figures import SolvedEdit
from surgery.gather import Weights, gather
from surgery.layout import Layout, Site, detect
from surgery.patch import Change, EditRecord, Patch
from surgery.recipe import Recipe
from surgery.stage import Stage, unwatched
from surgery.store.checkpoint import Checkpoint
from surgery.version import __version__


def solve(
    recipe: Recipe,
    checkpoint: Checkpoint,
    tokenizer: Path | None = None,
    layout: Layout | None = None,
    stage: Stage = unwatched,
) -> tuple[Patch, tuple[SolvedEdit, ...]]:
    """Solve the edits one after the other; each finds the weights as the ones before left them.

    Args:
        tokenizer: a folder with the tokenizer to use; left out, it is searched for.
        layout: that of the checkpoint; left out, it is detected.
        stage: told how far runs of the model are, where an edit needs any.

    Raises:
        EditError: an edit cannot be made, or solves to no change or to numbers that are not finite.
    """
    active = [(n, edit) for n, edit in enumerate(recipe.edits) if edit.strength]
    layout = layout or (detect(checkpoint) if active else None)
    weights = Weights(checkpoint, tokenizer=tokenizer)
    solved: list[SolvedEdit] = []
    records: list[EditRecord] = []
    for number, edit in with_companions(active, layout):
        assert layout is not None
        one = _gathered(number, edit, layout, weights, stage)
        checkpoint.prepare(_tensors(one, layout))
        deltas = changes_of(one, weights)
        for name, change in by_tensor(len(solved), deltas, layout):
            weights = weights.with_change(name, change)
        records.append(_record(edit, deltas))
        solved.append(one)
    made = tuple(records)
    patch = Patch(weights.changes, recipe.to_json(), checkpoint.fingerprint, __version__, made)
    return patch, tuple(solved)


def _tensors(one: SolvedEdit, layout: Layout) -> Iterator[str]:
    """All that an edit changes, which is read to solve it, to round it or to measure it."""
    for site in one.sites:
        yield site.tensor
        if twin := layout.ema_twin(site.tensor):
            yield twin


def changes_of(one: SolvedEdit, weights: Weights) -> dict[Site, Delta]:
    """Solve one edit on the weights as it finds them.

    Raises:
        EditError: it cannot be made, or solves to no change or to numbers that are not finite.
    """
    deltas = one.edit.solve(_Sites(one.sites, weights), one.context)
    _check(one, deltas)
    return deltas


def with_companions(
    edits: Iterable[tuple[int, Edit]], layout: Layout | None
) -> Iterator[tuple[int, Edit]]:
    """Every edit with its number in the recipe, each followed by its companions."""
    for number, edit in edits:
        yield number, edit
        for other in edit.companions(layout) if layout else ():
            yield number, other


@dataclass(frozen=True, slots=True, eq=False)
class _Sites(Mapping[Site, Matrix]):
    """The weights of an edit's sites, each read when it is asked for and not kept."""

    sites: tuple[Site, ...]
    weights: Weights

    def __getitem__(self, site: Site) -> Matrix:
        if site not in self.sites:
            raise KeyError(site)
        return self.weights.matrix(site)

    def __iter__(self) -> Iterator[Site]:
        return iter(self.sites)

    def __len__(self) -> int:
        return len(self.sites)


def _gathered(
    number: int, edit: Edit, layout: Layout, weights: Weights, stage: Stage
) -> SolvedEdit:
    try:
        context, checked = gather(edit, layout, weights, stage=stage)
    except EditError as error:
        where = f"edits[{number}]: {error.where}" if error.where else f"edits[{number}]"
        raise EditError(error.what, where=where, hint=error.hint) from error
    return SolvedEdit(number, edit, context, checked, edit.sites(layout))


def _check(one: SolvedEdit, deltas: Mapping[Site, Delta]) -> None:
    where = f"edits[{one.number}] ({one.edit.method})"
    if not set(deltas) <= set(one.sites):
        raise EditError("changes a site that it did not announce", where=where)
    if not deltas or all(delta.is_zero for delta in deltas.values()):
        hint = "check that concept and target differ, or set strength to 0 for a plain copy"
        raise EditError("solves to no change at all", where=where, hint=hint)
    if not all(delta.is_finite for delta in deltas.values()):
        raise EditError("solves to NaN or infinite numbers", where=where, hint="raise its ridge")


def by_tensor(
    order: int, deltas: Mapping[Site, Delta], layout: Layout
) -> Iterator[tuple[str, Change]]:
    """The same changes by tensor name; an EMA copy gets that of its original.

    Args:
        order: the edit's place among all that are solved, from 0.
    """
    for site, delta in deltas.items():
        change = Change(delta, site.rows, order)
        yield site.tensor, change
        if twin := layout.ema_twin(site.tensor):
            yield twin, change


def _record(edit: Edit, deltas: Mapping[Site, Delta]) -> EditRecord:
    names = tuple(dict.fromkeys(site.tensor for site in deltas))
    return EditRecord(edit.method, names, max(delta.rank for delta in deltas.values()))
