"""What the first attention of a causal text tower hands to its output map, without the tower.

In a causal tower the state at a position depends on the tokens up to it alone. A place in a prompt
is therefore named by its prefix: the token ids from the first one to the place itself. Only the
embedding rows that occur and the first layer are needed, and nothing is padded. No names, no files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Prefix = tuple[int, ...]

# Distinct (token, position) pairs held at a time: 3 x 768 floats each, so about 40 MB in all.
PAIRS = 4096


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
    where = {prefix: row for row, prefix in enumerate(dict.fromkeys(prefixes))}
    unique = np.empty((len(where), layer.v_bias.shape[0]))
    for batch in _batches(_strands(where)):
        _attend(batch, where, embedding, layer, unique)
    return unique[[where[prefix] for prefix in prefixes]]


def used_ids(prefixes: Sequence[Prefix]) -> tuple[int, ...]:
    """The token ids that occur, each once and in ascending order."""
    return tuple(sorted({token for prefix in prefixes for token in prefix}))


@dataclass(frozen=True, slots=True)
class _Strand:
    """A prompt and the places wanted in it, each by its index from 0."""

    tokens: Prefix
    places: tuple[int, ...]

    def pairs(self) -> Iterator[tuple[int, int]]:
        """(token, position) of each place of the prompt."""
        return ((token, place) for place, token in enumerate(self.tokens))


def _strands(prefixes: Mapping[Prefix, int]) -> Iterator[_Strand]:
    """Prefixes of one another become one strand; sorting puts them side by side."""
    tokens: Prefix = ()
    places: list[int] = []
    for prefix in sorted(prefixes, reverse=True):
        if tokens[: len(prefix)] != prefix:
            if places:
                yield _Strand(tokens, tuple(places))
            tokens, places = prefix, []
        places.append(len(prefix) - 1)
    if places:
        yield _Strand(tokens, tuple(places))


def _batches(strands: Iterator[_Strand]) -> Iterator[list[_Strand]]:
    batch: list[_Strand] = []
    held = 0
    for strand in strands:
        if batch and held + len(strand.tokens) > PAIRS:
            yield batch
            batch, held = [], 0
        batch.append(strand)
        held += len(strand.tokens)
    if batch:
        yield batch


def _attend(
    batch: Sequence[_Strand],
    where: Mapping[Prefix, int],
    embedding: Mapping[int, Array],
    layer: FirstLayer,
    out: NDArray[np.float64],
) -> None:
    """Fill the rows of `out` that belong to this batch; a (token, position) pair is met once."""
    pairs = list(dict.fromkeys(pair for strand in batch for pair in strand.pairs()))
    index = {pair: row for row, pair in enumerate(pairs)}
    queries, keys, values = _projected(pairs, embedding, layer)
    for strand in batch:
        line = np.array([index[pair] for pair in strand.pairs()])
        places = np.array(strand.places)
        mixed = _one_prompt(queries[line[places]], keys[line], values[line], places)
        rows = [where[strand.tokens[: place + 1]] for place in strand.places]
        out[rows] = mixed


def _projected(
    pairs: Sequence[tuple[int, int]], embedding: Mapping[int, Array], layer: FirstLayer
) -> tuple[Array, Array, Array]:
    """Queries (scaled), keys and values of each (token, position), split by head: (p, heads, d)."""
    tokens = np.stack([embedding[token] for token, _ in pairs])
    states = _normalised(tokens + layer.positions[[place for _, place in pairs]], layer)
    split = (len(pairs), layer.heads, -1)
    queries = (states @ layer.q_weight.T + layer.q_bias).reshape(split)
    keys = (states @ layer.k_weight.T + layer.k_bias).reshape(split)
    values = (states @ layer.v_weight.T + layer.v_bias).reshape(split)
    return queries * float(queries.shape[2] ** -0.5), keys, values


def _normalised(states: Array, layer: FirstLayer) -> Array:
    centred = states - states.mean(axis=1, keepdims=True)
    variance = np.mean(centred**2, axis=1, keepdims=True)
    unit = centred / np.sqrt(variance + layer.eps)
    scaled: Array = unit * layer.norm_weight + layer.norm_bias
    return scaled


def _one_prompt(queries: Array, keys: Array, values: Array, places: NDArray[np.intp]) -> Array:
    """Causal attention of one prompt at some of its places, heads side by side: (places, inner)."""
    scores = queries.transpose(1, 0, 2) @ keys.transpose(1, 2, 0)
    later = np.arange(len(keys)) > places[:, None]
    scores = np.where(later, -np.inf, scores)
    shares = np.exp(scores - scores.max(axis=2, keepdims=True))
    shares /= shares.sum(axis=2, keepdims=True)
    mixed = shares @ values.transpose(1, 0, 2)
    side_by_side: Array = mixed.transpose(1, 0, 2).reshape(len(places), -1)
    return side_by_side
