"""How strongly an attention layer's output maps amplify a change of the text it reads."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Matrix = NDArray[np.float64]


def shares(layers: Iterable[tuple[Array, Array]], changes: Iterable[Matrix]) -> Matrix:
    """Each layer's share of the answer to changes of the text, (changes, layers); rows sum to 1.

    A layer's answer is |W_o W_v (c' - c)|, over all tokens, against |W_o W_v|: what remains is how
    well the change lies in the directions that the layer lets through.

    Args:
        layers: (W_v (inner, context), W_o (out, inner)) of each layer.
        changes: (tokens, context), a prompt's states less those of the prompt with the concept.
    """
    given = list(changes)
    answers = np.array([_answers(value, out, given) for value, out in layers]).T
    total = answers.sum(axis=1, keepdims=True)
    found: Matrix = np.divide(answers, total, out=np.zeros_like(answers), where=total > 0)
    return found


def _answers(value: Array, out: Array, changes: list[Matrix]) -> list[float]:
    both = out.astype(np.float64) @ value.astype(np.float64)
    size = float(np.linalg.norm(both))
    return [float(np.linalg.norm(one @ both.T)) / size if size else 0.0 for one in changes]
