"""A patch as low-rank changes of single linear layers; what a LoRA cannot carry is refused here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from surgery.edits.delta import Array, Delta, LowRank, Mapped, Rows
from surgery.errors import EditError
from surgery.layout import Layout, Site
from surgery.lora.factors import Spans, balanced, joined
from surgery.patch import Patch
from surgery.scaled import numbers
from surgery.store.checkpoint import Checkpoint
from surgery.store.text import visible

KEEP = "keep the edit as a patch: surgery apply ... --save-patch FILE"
_NO_LAYER = frozenset({"bias", "norm", "embedding", "projection"})


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """The change of one linear layer, balanced, in float64."""

    site: Site
    change: LowRank


def layers(patch: Patch, checkpoint: Checkpoint, layout: Layout) -> tuple[Layer, ...]:
    """Return the changes of a patch layer by layer; EMA copies get none, since no loader has them.

    Raises:
        EditError: a tensor that is no linear layer of the layout, or a change not of low rank.
    """
    copies = {layout.ema_twin(name) for name in patch.changes}
    names = [name for name in patch.changes if name not in copies]
    sites = {name: _sites(name, checkpoint, layout) for name in names}
    checkpoint.prepare(names)
    spans = Spans()
    return tuple(
        layer
        for name in names
        for layer in _layers(_parts(patch, name, checkpoint), sites[name], spans)
    )


def _layers(parts: list[LowRank], sites: tuple[Site, ...], spans: Spans) -> Iterator[Layer]:
    for site in sites:
        first, last = site.rows or (0, len(parts[0].up))
        own = [LowRank(part.up[first:last], part.down) for part in parts]
        own = [part for part in own if not part.is_zero] or own
        change = balanced(joined(own), spans.of(own))
        if change.rank:
            yield Layer(site, change)


def _parts(patch: Patch, name: str, checkpoint: Checkpoint) -> list[LowRank]:
    """Each change of a tensor as factors as tall as the tensor."""
    parts = []
    whole: Array = numbers(checkpoint, name).astype(np.float64)
    # What a change finds is what the one before it left; nobody asks for what the last one leaves.
    found = chain([whole], (after for _, after in patch.steps(name, whole)))
    for change, value in zip(patch.changes[name], found, strict=False):
        first, last = change.rows or (0, len(value))
        thin = _thin(change.delta, value[first:last], name)
        up = np.zeros((len(value), thin.rank))
        up[first:last] = thin.up
        parts.append(LowRank(up, thin.down))
    return parts


def _thin(delta: Delta, weight: Array, name: str) -> LowRank:
    match delta:
        case LowRank():
            return delta
        case Mapped(right=right) if right is not None:
            return delta.of(weight)
        case Rows() if delta.rank * sum(delta.shape) < weight.size:
            up = np.zeros((len(weight), delta.rank))
            up[delta.index, np.arange(delta.rank)] = 1.0
            return LowRank(up, delta.values)
    raise EditError(
        f"the change is not of low rank ({type(delta).__name__.lower()}, rank up to {delta.rank} in"
        f" a matrix of {weight.shape[0]} x {weight.shape[1]}), and a LoRA holds low ranks only",
        where=visible(name),
        hint=KEEP,
    )


def _sites(name: str, checkpoint: Checkpoint, layout: Layout) -> tuple[Site, ...]:
    sites = tuple(site for site in layout.sites if site.tensor == name)
    if not sites:
        problem = f"no layer of {layout.name} that a LoRA could name"
        raise EditError(problem, where=visible(name), hint=KEEP)
    for site in sites:
        words = site.kind.replace(".", "_").split("_")
        if len(checkpoint[name].shape) != 2 or _NO_LAYER.intersection(words):
            raise EditError(
                f"{site} is no linear layer, and a LoRA changes linear layers only",
                where=visible(name),
                hint=KEEP,
            )
    return sites
