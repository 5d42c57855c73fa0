"""gather: reads what an edit asks for, and nothing else, and turns it into a Context.

For edits of the first text attention that is one tokenizer, the embedding rows that occur, and the
tensors of the first layer. No model is built.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from surgery.edits.base import Context, Edit, Matrix
from surgery.edits.delta import Array
from surgery.errors import CheckpointError, EditError
from surgery.layout import Layout, Site, TextShape
from surgery.numerics.text_prefix import FirstLayer, attended, used_ids
from surgery.patch import Change
from surgery.scaled import numbers, single_rows
from surgery.store.checkpoint import Checkpoint
from surgery.store.text import visible
from surgery.tokens import find_tokens, spots

FIRST_OUTPUT = "self_attn.out"


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """The numbers of a checkpoint as the edits made so far leave them.

    Args:
        changed: tensor name -> its value so far, unrounded; the others are read from their file.
        tokenizer: a folder with the tokenizer to use; left out, it is searched for.
    """

    checkpoint: Checkpoint
    changed: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    tokenizer: Path | None = None

    def value(self, site: Site) -> Array:
        """The site's numbers: its tensor, or its rows of a shared one.

        Raises:
            EditError: they are not finite, or not of a type that has numbers.
            CheckpointError: the file went away or got shorter.
        """
        first, last = site.rows or (None, None)
        if site.tensor in self.changed:
            return self.changed[site.tensor][first:last]
        return self._finite(numbers(self.checkpoint, site.tensor, site.rows), site.tensor)

    def matrix(self, site: Site) -> Matrix:
        """The same in float64."""
        return self.value(site).astype(np.float64)

    def rows(self, site: Site, index: Sequence[int]) -> dict[int, Array]:
        """Single rows of a tall table, without reading the others."""
        ref = self.checkpoint[site.tensor]
        if index and index[-1] >= ref.shape[0]:
            raise CheckpointError(
                f"the tokenizer gives token {index[-1]}, and the table has {ref.shape[0]} rows",
                where=visible(site.tensor),
                hint="the tokenizer belongs to another model",
            )
        if site.tensor in self.changed:
            return {row: self.changed[site.tensor][row] for row in index}
        found = single_rows(self.checkpoint, site.tensor, index)
        return {row: self._finite(values, site.tensor) for row, values in found.items()}

    def with_change(self, name: str, change: Change) -> Weights:
        """The weights with one more change added to one tensor."""
        whole = Site("", 0, name)
        value = change.added_to(self.matrix(whole))
        return replace(self, changed={**self.changed, name: value})

    def _finite(self, values: Array, name: str) -> Array:
        if not np.isfinite(values).all():
            raise EditError(
                "the weights that the edit needs hold NaN or infinite numbers",
                where=visible(name),
                hint="the model is damaged there",
            )
        return values


def gather(edit: Edit, layout: Layout, weights: Weights) -> Context:
    """Find the states that an edit asks for.

    Raises:
        EditError: the edit needs states that are not computed here, or a prompt is too long.
        CheckpointError: no tokenizer is found, or one of another model.
    """
    role = _role(edit.sites(layout))
    shape = layout.tower(role)
    sites = {site.kind.removeprefix(f"{role}."): site for site in edit.reads(layout)}
    rows = weights.checkpoint[sites["token_embedding"].tensor].shape[0]
    tokens = find_tokens(weights.checkpoint, shape, rows, weights.tokenizer)
    found = spots(edit.asks(layout), tokens)
    whole = [site for site in (*sites.values(), *edit.sites(layout)) if site.rows is None]
    table = sites["token_embedding"].tensor
    weights.checkpoint.prepare(site.tensor for site in whole if site.tensor != table)
    embedding = weights.rows(sites["token_embedding"], used_ids(found.prefixes))
    states = attended(found.prefixes, embedding, _first_layer(sites, weights, shape))
    return found.context(states)


def _role(sites: Sequence[Site]) -> str:
    """The one text tower whose first attention output the edit changes."""
    roles = {site.kind.removesuffix(f".{FIRST_OUTPUT}") for site in sites}
    first = all(site.kind.endswith(f".{FIRST_OUTPUT}") and site.index == 0 for site in sites)
    if len(roles) != 1 or not first:
        shown = ", ".join(map(str, sites[:3]))
        raise EditError(
            f"the states that {shown} read are not computed by this release",
            hint=f"edits of text.{FIRST_OUTPUT}[0] are",
        )
    return roles.pop()


def _first_layer(sites: Mapping[str, Site], weights: Weights, shape: TextShape) -> FirstLayer:
    return FirstLayer(
        positions=weights.value(sites["position_embedding"]),
        norm_weight=weights.value(sites["norm1.weight"]),
        norm_bias=weights.value(sites["norm1.bias"]),
        q_weight=weights.value(sites["self_attn.q"]),
        q_bias=weights.value(sites["self_attn.q.bias"]),
        k_weight=weights.value(sites["self_attn.k"]),
        k_bias=weights.value(sites["self_attn.k.bias"]),
        v_weight=weights.value(sites["self_attn.v"]),
        v_bias=weights.value(sites["self_attn.v.bias"]),
        heads=shape.heads,
        eps=shape.norm_eps,
    )
