"""What the first attention of a causal text tower hands to its output map, without the tower.

In a causal tower the state at a position depends on the tokens up to it alone. A place in a prompt
is therefore named by its prefix: the token ids from the first one to the place itself. Only the
embedding rows that occur and the first layer are needed, and nothing is padded. A layer norm is
linear but for its scale, so that what is projected are tokens and places, each once, and not every
token at every place. No names, no files.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Prefix = tuple[int, ...]
Pair = tuple[int, int]
"""A token and its position."""
Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Rows of tokens, and places, side by side."""

# Distinct tokens projected at a time, three times 768 floats each.
TOKENS = 640
# Distinct (token, position) pairs put together at a time, and places of prompts looked at together:
# a few times 768 floats each, so some 10 MB in all.
PAIRS = 512


@dataclass(frozen=True, slots=True, eq=False)
class FirstLayer:
    """The weights between the embeddings and the first `out_proj`; they set the precision.

    Args:
        positions: (length, width), the position embedding.
        norm_weight, norm_bias: (width,), the first layer norm; `eps` is its floor on the variance.
        q_weight, k_weight, v_weight: (inner, width), the rows of one head together.
        q_bias, k_bias, v_bias: (inner,).
        heads: how many equal parts `inner` falls into.
    """

    positions: Array
    norm_weight: Array
    norm_bias: Array
    q_weight: Array
    q_bias: Array
    k_weight: Array
    k_bias: Array
    v_weight: Array
    v_bias: Array
    heads: int
    eps: float = 1e-5


def attended(
    prefixes: Sequence[Prefix], embedding: Mapping[int, Array], layer: FirstLayer
) -> NDArray[np.float64]:
    """The input of the first `out_proj` at the last token of each prefix, as (n, inner).

    Args:
        prefixes: token ids from the beginning of the prompt to the wanted place, at least one each.
        embedding: token id -> its (width,) row; every id that occurs must be there.
        layer: the first layer's weights.
    """
    first: dict[Prefix, int] = {}
    for row, prefix in enumerate(prefixes):
        first.setdefault(prefix, row)
    states = np.empty((len(prefixes), layer.v_bias.shape[0]))
    for strands in _batches(_strands(first), TOKENS, lambda strand: strand.tokens):
        projected = _projected(strands, embedding, layer)
        for batch in _batches(strands, PAIRS, _Strand.pairs):
            _attend(batch, projected, states)
    for row, prefix in enumerate(prefixes):
        if first[prefix] != row:
            states[row] = states[first[prefix]]
    return states


def used_ids(prefixes: Sequence[Prefix]) -> tuple[int, ...]:
    """The token ids that occur, each once and in ascending order."""
    return tuple(sorted({token for prefix in prefixes for token in prefix}))


@dataclass(frozen=True, slots=True)
class _Strand:
    """A prompt, the places wanted in it, each by its index from 0, and their rows in the result."""

    tokens: Prefix
    places: tuple[int, ...]
    rows: tuple[int, ...]

    def pairs(self) -> Iterator[Pair]:
        """Each place of the prompt."""
        return ((token, place) for place, token in enumerate(self.tokens))

    def wanted(self) -> Iterator[Pair]:
        """Those whose state is wanted."""
        return ((self.tokens[place], place) for place in self.places)


def _strands(rows: Mapping[Prefix, int]) -> Iterator[_Strand]:
    """Prefixes of one another become one strand; sorting puts them side by side."""
    held: list[Prefix] = []
    for prefix in sorted(rows):
        if held and prefix[: len(held[-1])] != held[-1]:
            yield _strand(held, rows)
            held = []
        held.append(prefix)
    if held:
        yield _strand(held, rows)


def _strand(held: Sequence[Prefix], rows: Mapping[Prefix, int]) -> _Strand:
    places = tuple(len(prefix) - 1 for prefix in held)
    return _Strand(held[-1], places, tuple(rows[prefix] for prefix in held))


def _batches(
    strands: Iterable[_Strand], most: int, parts: Callable[[_Strand], Iterable[Hashable]]
) -> Iterator[list[_Strand]]:
    """Strands with about `most` distinct parts; those that begin alike come side by side."""
    batch: list[_Strand] = []
    held: set[Hashable] = set()
    for strand in strands:
        if batch and len(held) + len(strand.tokens) > most:
            yield batch
            batch, held = [], set()
        batch.append(strand)
        held.update(parts(strand))
    if batch:
        yield batch


def _attend(batch: Sequence[_Strand], projected: _Projected, out: NDArray[np.float64]) -> None:
    """Fill the rows of `out` that belong to this batch; a pair is put together once."""
    wanted = dict.fromkeys(pair for strand in batch for pair in strand.wanted())
    others = dict.fromkeys(pair for strand in batch for pair in strand.pairs())
    index = {pair: row for row, pair in enumerate(wanted | others)}
    queries, keys, values = projected.of(list(index), len(wanted))
    for group in _alike(batch):
        lines = np.array([[index[pair] for pair in strand.pairs()] for strand in group])
        places = np.array(group[0].places)
        mixed = _mixed(queries[lines[:, places]], keys[lines], values[lines], places)
        out[[strand.rows for strand in group]] = mixed


def _alike(batch: Sequence[_Strand]) -> Iterator[list[_Strand]]:
    """Strands of one length with the same places wanted: they are attended together, unpadded."""
    groups: dict[tuple[int, tuple[int, ...]], list[_Strand]] = {}
    for strand in batch:
        groups.setdefault((len(strand.tokens), strand.places), []).append(strand)
    for (length, _), strands in groups.items():
        step = max(PAIRS // length, 1)
        yield from (strands[first : first + step] for first in range(0, len(strands), step))


@dataclass(frozen=True, slots=True, eq=False)
class _Map:
    """One map of the normalised states: of tokens and of places, each without the other.

    Args:
        tokens: (t, heads, d); places: (length, heads, d); bias: (heads, d).
    """

    tokens: Array
    places: Array
    bias: Array

    def of(self, lines: Pairs, scale: Array) -> Array:
        """The map's outputs (p, heads, d) for pairs of tokens and places."""
        rows = self.tokens[lines[0]]
        rows += self.places[lines[1]]
        rows *= scale[:, None, None]
        rows += self.bias
        return rows


@dataclass(frozen=True, slots=True, eq=False)
class _Projected:
    """Queries, keys and values of a layer's tokens and places.

    Args:
        index: token id -> its row; those that are asked for queries come first.
        scale: (t, length), one over the standard deviation of a token at a place.
    """

    index: Mapping[int, int]
    scale: Array
    queries: _Map
    keys: _Map
    values: _Map

    def of(self, pairs: Sequence[Pair], wanted: int) -> tuple[Array, Array, Array]:
        """Queries (scaled) of the first `wanted` pairs, keys and values of all: (p, heads, d)."""
        tokens = np.array([self.index[token] for token, _ in pairs])
        lines = tokens, np.array([place for _, place in pairs])
        scale = self.scale[lines]
        queries = self.queries.of((lines[0][:wanted], lines[1][:wanted]), scale[:wanted])
        queries *= float(queries.shape[2] ** -0.5)
        return queries, self.keys.of(lines, scale), self.values.of(lines, scale)


def _projected(
    strands: Sequence[_Strand], embedding: Mapping[int, Array], layer: FirstLayer
) -> _Projected:
    """Project every token and every place of some strands."""
    asked = dict.fromkeys(token for strand in strands for token, _ in strand.wanted())
    ids = list(asked | dict.fromkeys(token for strand in strands for token in strand.tokens))
    length = max(len(strand.tokens) for strand in strands)
    tokens = _centred(np.stack([embedding[token] for token in ids]))
    places = _centred(layer.positions[:length].copy())
    squares = _squares(tokens)[:, None] + _squares(places) + 2 * tokens @ places.T
    scale = 1 / np.sqrt(squares / tokens.shape[1] + layer.eps)
    for rows in (tokens, places):
        rows *= layer.norm_weight

    def mapped(weight: Array, bias: Array, count: int | None = None) -> _Map:
        def by_head(rows: Array) -> Array:
            return rows.reshape(*rows.shape[:-1], layer.heads, -1)

        whole = layer.norm_bias @ weight.T + bias
        return _Map(by_head(tokens[:count] @ weight.T), by_head(places @ weight.T), by_head(whole))

    return _Projected(
        index={token: row for row, token in enumerate(ids)},
        scale=scale.astype(tokens.dtype, copy=False),
        queries=mapped(layer.q_weight, layer.q_bias, len(asked)),
        keys=mapped(layer.k_weight, layer.k_bias),
        values=mapped(layer.v_weight, layer.v_bias),
    )


def _centred(states: Array) -> Array:
    """The same array, of which each row has lost its mean."""
    states -= states.mean(axis=1, keepdims=True)
    return states


def _squares(states: Array) -> Array:
    squares: Array = np.einsum("nd,nd->n", states, states)
    return squares


def _mixed(queries: Array, keys: Array, values: Array, places: NDArray[np.intp]) -> Array:
    """Causal attention inside each prompt at some of its places, heads side by side.

    Args:
        queries: (prompts, places, heads, d); keys and values: (prompts, tokens, heads, d).
        places: which tokens the queries are of.
    """
    scores = queries.transpose(0, 2, 1, 3) @ keys.transpose(0, 2, 3, 1)
    scores[..., np.arange(keys.shape[1]) > places[:, None]] = -np.inf
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    mixed = shares @ values.transpose(0, 2, 1, 3)
    side_by_side: Array = mixed.transpose(0, 2, 1, 3).reshape(*queries.shape[:2], -1)
    return side_by_side
