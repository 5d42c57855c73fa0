"""A model with style neurons by construction: the built-in one, in other coordinates.

The values of an attention head pass through W_out alone. With V' = R V and W_out' = W_out R^-1 the
model computes what it did; R is chosen so that a few rows of each head are all that tells, on the
mean, a concept from its absence.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from surgery import open_checkpoint
from surgery.edits.base import Context
from surgery.edits.neuron_dropout import NeuronDropout
from surgery.gather import Weights, gather
from surgery.layout import Layout, detect
from surgery.numerics.aligned import by_head
from surgery.questions.sets import ask
from surgery.store.address import locate

UNET = Path("unet", "diffusion_pytorch_model.safetensors")
Basis = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Of a head's outputs with the concept and without: new coordinates, the planted ones first."""


@dataclass(frozen=True)
class Planted:
    """Where it is, and which rows of which sites carry the concept."""

    folder: Path
    rows: Mapping[str, tuple[int, ...]]


def plant(
    folder: Path,
    concept: str = "van gogh",
    where: str = "cross_attn.v",
    count: int = 2,
    basis: Basis | None = None,
) -> Planted:
    """Write the built-in model to a folder, in single precision, with the neurons of a concept.

    Args:
        where: which values; a rotation of the located layers alone leaves some of the style.
        count: how many of each head.
        basis: the coordinates; left out, a rotation with the mean difference in the planted rows.
    """
    layout = detect(open_checkpoint("atelier"))
    shutil.copytree(locate("atelier"), folder)
    tensors = {name: value.astype(np.float32) for name, value in load_file(folder / UNET).items()}
    seen = differing(concept, where, layout)
    rows = {}
    for site in layout.select(where):
        (out,) = layout.select(f"cross_attn.out[{site.index}]")
        value, output = (one.tensor.removeprefix("unet/") for one in (site, out))
        both = (tensors[name].astype(np.float64) for name in (value, output))
        assert site.heads is not None
        turn = basis or partial(rotation, count=count)
        rows[str(site)], *new = turned(*both, seen, heads=site.heads, count=count, basis=turn)
        tensors[value], tensors[output] = (one.astype(np.float32) for one in new)
    save_file(tensors, folder / UNET)
    return Planted(folder, rows)


def differing(concept: str, where: str, layout: Layout) -> Context:
    """The text states with and without the concept, on the probe's own questions."""
    asked = ask(concept, vocabulary="atelier")
    pairs = [(one.source, one.target) for one in asked.pairs]
    about = {"erase": concept, "target": asked.target, "kind": asked.sort, "prompts": pairs}
    edit = NeuronDropout.model_validate({"concepts": [about], "where": where})
    return gather(edit, layout, Weights(open_checkpoint("atelier")), [])[0]


def turned(
    value: np.ndarray, output: np.ndarray, seen: Context, *, heads: int, count: int, basis: Basis
) -> tuple[tuple[int, ...], np.ndarray, np.ndarray]:
    """The planted rows, and both weights in the new coordinates."""
    value, output, planted = value.copy(), output.copy(), []
    for head, rows in enumerate(by_head(heads, len(value))):
        made = basis(*(states @ value[rows].T for states in (seen.keys, seen.targets)))
        places = spread(head, count, len(made))
        order = np.empty(len(made), dtype=int)
        order[places] = np.arange(count)
        order[np.delete(np.arange(len(made)), places)] = np.arange(count, len(made))
        value[rows] = made[order] @ value[rows]
        output[:, rows] = output[:, rows] @ np.linalg.inv(made[order])
        planted += [rows.start + place for place in places]
    return tuple(planted), value, output


def spread(head: int, count: int, width: int) -> list[int]:
    """Places in a head for the planted rows: others in each head, and far from one another."""
    return sorted((5 * head + 3 + nth * width // count) % width for nth in range(count))


def rotation(own: np.ndarray, plain: np.ndarray, count: int = 1) -> np.ndarray:
    """An orthonormal basis whose first axes span the mean difference and the main ones beside it.

    The mean difference has an equal part in each of them, so that each is a neuron of the concept.
    """
    gap = own.mean(axis=0) - plain.mean(axis=0)
    axis = gap / np.linalg.norm(gap)
    beside = (own - plain) - np.outer((own - plain) @ axis, axis)
    main = np.linalg.svd(beside, full_matrices=False)[2][: count - 1]
    shared = np.column_stack([axis, *main]) @ even(count)
    whole, _ = np.linalg.qr(np.column_stack([shared, np.eye(len(gap))]))
    return np.asarray(whole.T)


def even(count: int) -> np.ndarray:
    """The reflection that takes the first axis to an equal part of all."""
    normal = np.eye(count)[0] - np.full(count, count**-0.5)
    size = normal @ normal
    return np.eye(count) - (2 / size * np.outer(normal, normal) if count > 1 else 0)


def slanted(own: np.ndarray, plain: np.ndarray) -> np.ndarray:
    """A basis in whose units plain samples spread alike, with all the mean difference in the first.

    It is not orthogonal: dropping its first row is dropping an aligned direction.
    """
    width = own.shape[1]
    lower = np.linalg.cholesky(moment(plain))
    gap = np.linalg.solve(lower, own.mean(axis=0) - plain.mean(axis=0))
    whole, _ = np.linalg.qr(np.column_stack([gap, np.eye(width)[:, :-1]]))
    return np.linalg.solve(lower.T, whole).T


def moment(plain: np.ndarray) -> np.ndarray:
    """The second moment of samples, with a mean of 1 on its diagonal and 0.1 more."""
    found = plain.T @ plain
    return found / np.trace(found) * len(found) + 0.1 * np.eye(len(found))
