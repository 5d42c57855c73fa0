"""A causal CLIP text tower, run on prefixes of prompts in single precision. No names, no files.

The state at a place depends on the tokens up to it alone, so a prefix that many prompts share is
computed once. Weights come one layer at a time; prefixes are taken in batches that fit in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surgery.numerics.activations import ACTIVATIONS
from surgery.numerics.prefix_tree import Chains, Prefix, PrefixTree, trees

Array = NDArray[np.floating]
Single = NDArray[np.float32]

# Numbers in the states of one batch; queries, keys and values are three times as many.
BATCH = 1 << 23
# Numbers in the keys of the chains that are attended to side by side.
PIECE = 1 << 20
# States that go through an MLP side by side: enough to be worth a pass over its weights.
ROWS = 512


@dataclass(frozen=True, slots=True, eq=False)
class Norm:
    """A layer norm: weight and bias (width,), and the floor on the variance."""

    weight: Array
    bias: Array
    eps: float = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """A linear map: weight (out, in), bias (out,)."""

    weight: Array
    bias: Array


@dataclass(frozen=True, slots=True, eq=False)
class TowerLayer:
    """One layer: attention and MLP, each behind its norm; rows of one head stand together."""

    norm1: Norm
    q: Linear
    k: Linear
    v: Linear
    out: Linear
    norm2: Norm
    mlp_in: Linear
    mlp_out: Linear


@dataclass(frozen=True, slots=True, eq=False)
class Tower:
    """A text tower as it is to be run.

    Args:
        positions: (length, width), the position embedding.
        heads: how many equal parts queries, keys and values fall into.
        activation: one of ACTIVATIONS.
        depth: how many layers `layers` gives.
        layers: gives the layers in order, anew at every call.
        final_norm: what the last states go through, if anything.
        projection: (width, p), what they are multiplied by after that, if anything.
    """

    positions: Array
    heads: int
    activation: str
    depth: int
    layers: Callable[[], Iterator[TowerLayer]]
    final_norm: Norm | None = None
    projection: Array | None = None


def hidden(prefixes: Sequence[Prefix], embedding: Mapping[int, Array], tower: Tower) -> Single:
    """The tower's output at the last token of each prefix, as (n, width), or (n, p) if projected.

    Args:
        prefixes: token ids from the beginning of the prompt to the wanted place, at least one each.
        embedding: token id -> its (width,) row; every id that occurs must be there.
    """
    width = tower.positions.shape[1]
    where = {prefix: row for row, prefix in enumerate(dict.fromkeys(prefixes))}
    found = np.empty((len(where), width), np.float32)
    for tree in trees(prefixes, max(1, BATCH // width)):
        found[[where[prefix] for prefix in tree.where]] = _run(tree, embedding, tower)
    if tower.final_norm is not None:
        found = _normed(found, tower.final_norm)
    if tower.projection is not None:
        found = found @ tower.projection.astype(np.float32, copy=False)
    return found[[where[prefix] for prefix in prefixes]]


def _run(tree: PrefixTree, embedding: Mapping[int, Array], tower: Tower) -> Single:
    """The states of the wanted prefixes of one batch after the last layer, in their order."""
    wanted = np.array(list(tree.where.values()))
    states = _embedded(tree, embedding, tower.positions)
    left = tower.depth
    for layer in tower.layers():
        left -= 1
        mixed = _attention(_normed(states, layer.norm1), tree.chains, layer, tower.heads)
        if left == 0:
            states, mixed = states[wanted], mixed[wanted]
        states += _mapped(mixed, layer.out)
        del mixed
        _add_mlp(states, layer, tower.activation)
        # The next layer is read before the name is bound to it, and only one is to be held.
        del layer
    return states if tower.depth else states[wanted]


def _embedded(tree: PrefixTree, embedding: Mapping[int, Array], positions: Array) -> Single:
    used, rows = np.unique(tree.tokens, return_inverse=True)
    table = np.stack([embedding[token] for token in used.tolist()]).astype(np.float32, copy=False)
    states: Single = table[rows]
    states += positions.astype(np.float32, copy=False)[tree.places]
    return states


def _normed(states: Single, norm: Norm) -> Single:
    centred: Single = states - states.mean(axis=1, keepdims=True)
    variance = np.einsum("nw,nw->n", centred, centred)[:, None] / np.float32(states.shape[1])
    centred /= np.sqrt(variance + np.float32(norm.eps))
    centred *= norm.weight.astype(np.float32, copy=False)
    centred += norm.bias.astype(np.float32, copy=False)
    return centred


def _mapped(states: Single, linear: Linear) -> Single:
    found: Single = states @ linear.weight.astype(np.float32, copy=False).T
    found += linear.bias.astype(np.float32, copy=False)
    return found


def _attention(states: Single, chains: Sequence[Chains], layer: TowerLayer, heads: int) -> Single:
    """What each node gathers from itself and its ancestors, heads side by side: (nodes, inner)."""
    queries, keys, values = (_mapped(states, part) for part in (layer.q, layer.k, layer.v))
    inner = queries.shape[1]
    queries *= np.float32((inner // heads) ** -0.5)
    for alike in chains:
        count = max(1, PIECE // (alike.lines.shape[1] * inner))
        for start in range(0, len(alike.lines), count):
            lines = alike.lines[start : start + count]
            own = lines[:, alike.shared :]
            # A node's query is asked for once, here: its place can take the answer.
            queries[own] = _mixed(queries[own], keys[lines], values[lines], heads)
    return queries


def _mixed(queries: Single, keys: Single, values: Single, heads: int) -> Single:
    """Causal attention of chains at their own nodes, the last ones of each line.

    Args:
        queries: (chains, own, inner).
        keys, values: (chains, length, inner).
    """
    own, length = queries.shape[1], keys.shape[1]
    by_head = (_split(part, heads) for part in (queries, keys, values))
    asked, offered, held = by_head
    shares: Single = asked @ offered.swapaxes(2, 3)
    if own > 1:
        later = np.arange(length) > np.arange(length - own, length)[:, None]
        shares[:, :, later] = -np.inf
    shares -= shares.max(axis=3, keepdims=True)
    np.exp(shares, out=shares)
    shares /= shares.sum(axis=3, keepdims=True)
    side_by_side: Single = (shares @ held).swapaxes(1, 2).reshape(queries.shape)
    return side_by_side


def _split(part: Single, heads: int) -> Single:
    """(chains, places, inner) -> (chains, heads, places, inner / heads)."""
    return part.reshape(*part.shape[:2], heads, -1).swapaxes(1, 2)


def _add_mlp(states: Single, layer: TowerLayer, activation: str) -> None:
    activate = ACTIVATIONS[activation]
    for start in range(0, len(states), ROWS):
        piece = states[start : start + ROWS]
        inner = _mapped(_normed(piece, layer.norm2), layer.mlp_in)
        activate(inner)
        piece += _mapped(inner, layer.mlp_out)
