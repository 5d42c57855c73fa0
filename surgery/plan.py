"""make_plan: what a recipe would do to a checkpoint, from headers and configs alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from surgery.edits.base import Edit
from surgery.errors import EditError, LayoutError, SurgeryError
from surgery.kinds import packing, why_not_editable
from surgery.layout import Layout, Site, detect
from surgery.numerics.tensors import WORD_BYTES
from surgery.recipe import Recipe
from surgery.report import Report
from surgery.scaled import scale_name, unscaled
from surgery.store.checkpoint import Checkpoint
from surgery.store.outputs import stale
from surgery.store.text import visible


@dataclass(frozen=True, slots=True)
class PlannedEdit:
    """One edit, resolved.

    Args:
        sites: what it changes, by kind and depth.
        changes: the tensors they are stored in, EMA copies included; none for strength 0.
        reads: the tensors that are read to solve it.
        prompts: how many different prompts are encoded.
    """

    method: str
    strength: float
    sites: tuple[str, ...]
    changes: tuple[str, ...]
    reads: tuple[str, ...]
    prompts: int


@dataclass(frozen=True, slots=True)
class Plan(Report):
    """Everything that will be read, changed and kept.

    Args:
        identity: nothing changes: the output is the input, byte for byte.
        bytes_total: size of the output.
        bytes_changed: size of the changed tensors; all other bytes are copied.
    """

    kind: ClassVar[str] = "plan"

    recipe: str
    model: str
    fingerprint: str
    container: str
    layout: str | None
    edits: tuple[PlannedEdit, ...]
    identity: bool
    tensors: int
    changes: tuple[str, ...]
    bytes_total: int
    bytes_changed: int
    warnings: tuple[str, ...]


def make_plan(recipe: Recipe, checkpoint: Checkpoint, layout: Layout | None = None) -> Plan:
    """Resolve a recipe against a checkpoint.

    Args:
        layout: that of the checkpoint; left out, it is detected.

    Raises:
        LayoutError: the model has no layout, or not the sites an edit needs.
        EditError: a tensor that would change is stored in a type that cannot be edited.
    """
    if layout is None and recipe.edits:
        layout = layout_for(checkpoint)
    edits = tuple(
        _planned(number, one, layout, checkpoint)
        for number, edit in enumerate(recipe.edits)
        if layout is not None
        for one in (edit, *edit.companions(layout))
    )
    changes = tuple(dict.fromkeys(name for edit in edits for name in edit.changes))
    return Plan(
        recipe=recipe.name,
        model=checkpoint.address,
        fingerprint=checkpoint.fingerprint,
        container=checkpoint.kind,
        layout=layout.name if layout else None,
        edits=edits,
        identity=not changes,
        tensors=len(checkpoint),
        changes=changes,
        bytes_total=checkpoint.total_bytes,
        bytes_changed=sum(checkpoint[name].nbytes for name in changes),
        warnings=tuple(_warnings(recipe, checkpoint, layout, changes)),
    )


def layout_for(checkpoint: Checkpoint) -> Layout:
    """Where the edits of a recipe find their sites.

    Raises:
        LayoutError: no layout describes the model; says why where it can never be edited.
    """
    try:
        return detect(checkpoint)
    except LayoutError as error:
        if reason := why_not_editable(checkpoint):
            where = visible(checkpoint.address)
            raise LayoutError(reason[0], where=where, hint=reason[1]) from error
        raise


def _planned(number: int, edit: Edit, layout: Layout, checkpoint: Checkpoint) -> PlannedEdit:
    where = f"edits[{number}] ({edit.method})"
    try:
        sites, reads, asks = edit.sites(layout), edit.reads(layout), edit.asks(layout)
        if not sites:
            raise LayoutError("selects no site")
        changes = _changed(sites, layout) if edit.strength else ()
        for name in changes:
            _check_editable(name, checkpoint)
    except SurgeryError as error:
        inner = f"{where}: {error.where}" if error.where else where
        raise type(error)(error.what, where=inner, hint=error.hint) from error
    prompts = {ask.prompt for ask in (*(a for pair in asks.edited for a in pair), *asks.preserve)}
    return PlannedEdit(
        method=edit.method,
        strength=edit.strength,
        sites=tuple(map(str, sites)),
        changes=changes,
        reads=tuple(dict.fromkeys(site.tensor for site in (*reads, *sites))),
        prompts=len(prompts),
    )


def _changed(sites: Sequence[Site], layout: Layout) -> tuple[str, ...]:
    names = [site.tensor for site in sites]
    twins = [twin for name in names if (twin := layout.ema_twin(name))]
    return tuple(dict.fromkeys([*names, *twins]))


def _check_editable(name: str, checkpoint: Checkpoint) -> None:
    ref = checkpoint[name]
    if ref.dtype not in WORD_BYTES:
        packed = packing(name, checkpoint)
        raise EditError(
            f"it is stored as {packed or ref.dtype}, which cannot be edited",
            where=visible(name),
            hint=f"use a copy of the model in one of {', '.join(WORD_BYTES)}",
        )
    scale_name(name, checkpoint)


def _warnings(
    recipe: Recipe, checkpoint: Checkpoint, layout: Layout | None, changes: Sequence[str]
) -> Iterator[str]:
    if not recipe.edits:
        yield "the recipe has no edits: the output will be a copy"
    elif not changes:
        yield "every edit has strength 0: the output will be a copy"
    earlier = {
        _name_of(entries["surgery.recipe"])
        for entries in checkpoint.metadata.values()
        if "surgery.recipe" in entries
    }
    if earlier and changes:
        yield f"this model was edited before, by {', '.join(sorted(earlier))}; edits add up"
    if bare := [name for name in changes if unscaled(name, checkpoint)]:
        yield f"{visible(bare[0])} is stored in 8 bits without a scale: rounding may take the edit"
    if old := stale(checkpoint, changes):
        more = f" and {len(old) - 1} more hold" if len(old) > 1 else " holds"
        text = f"{visible(old[0])}{more} the weights from before the edit"
        yield f"{text}; a copy leaves such files out"
    if layout and changes:
        yield from _other_towers(layout, changes)


def _name_of(recipe: str) -> str:
    try:
        name = json.loads(recipe)["name"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "an unreadable recipe"
    return visible(str(name))


def _other_towers(layout: Layout, changes: Sequence[str]) -> Iterator[str]:
    """Text towers that read the same prompt and stay as they are, where another one is edited."""
    edited = {
        role
        for role in layout.towers
        if any(name.startswith(layout.prefixes[role]) for name in changes)
    }
    left = [role for role in layout.towers if role not in edited]
    if edited and left:
        yield f"{' and '.join(left)} reads the prompt too and is not edited; it may keep a concept"
