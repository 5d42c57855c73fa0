"""A model with style neurons by construction: the built-in one, in other coordinates.

The values of an attention head pass through W_out alone. With V' = T V and W_out' = W_out T^-1 the
model computes what it did; T is chosen so that one row of each head is all that tells, on the mean,
a concept from its absence.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from surgery import open_checkpoint
from surgery.edits.base import Context
from surgery.edits.neuron_dropout import NeuronDropout
from surgery.gather import Weights, gather
from surgery.layout import Layout, Site, detect
from surgery.numerics.aligned import by_head
from surgery.questions.sets import ask
from surgery.store.address import locate

UNET = Path("unet", "diffusion_pytorch_model.safetensors")


@dataclass(frozen=True)
class Planted:
    """Where it is, and which rows of which sites carry the concept."""

    folder: Path
    rows: Mapping[str, tuple[int, ...]]


def plant(folder: Path, concept: str = "van gogh", where: str = "cross_attn.v[2:5]") -> Planted:
    """Write the built-in model to a folder, in single precision, with the neurons of a concept."""
    model = open_checkpoint("atelier")
    layout = detect(model)
    shutil.copytree(locate("atelier"), folder)
    tensors = {name: value.astype(np.float32) for name, value in load_file(folder / UNET).items()}
    seen = differing(concept, where, layout)
    rows = {}
    for site in layout.select(where):
        (out,) = layout.select(f"cross_attn.out[{site.index}]")
        value, output = (one.tensor.removeprefix("unet/") for one in (site, out))
        rows[str(site)], tensors[value], tensors[output] = turned(
            tensors[value].astype(np.float64), tensors[output].astype(np.float64), seen, site
        )
    save_file(tensors, folder / UNET)
    return Planted(folder, rows)


def differing(concept: str, where: str, layout: Layout) -> Context:
    """The text states with and without the concept, on the probe's own questions."""
    asked = ask(concept, vocabulary="atelier")
    edit = NeuronDropout.model_validate(
        {
            "concepts": [
                {
                    "erase": concept,
                    "target": asked.target,
                    "kind": asked.sort,
                    "prompts": [(one.source, one.target) for one in asked.pairs],
                }
            ],
            "where": where,
        }
    )
    return gather(edit, layout, Weights(open_checkpoint("atelier")), [])[0]


def turned(
    value: np.ndarray, output: np.ndarray, seen: Context, site: Site
) -> tuple[tuple[int, ...], np.ndarray, np.ndarray]:
    """The planted rows, and both weights in the new coordinates."""
    assert site.heads is not None
    value, output, planted = value.copy(), output.copy(), []
    for head, rows in enumerate(by_head(site.heads, len(value))):
        own, plain = (states @ value[rows].T for states in (seen.keys, seen.targets))
        place = (5 * head + 3) % len(own[0])
        basis = coordinates(own, plain, place)
        value[rows] = basis @ value[rows]
        output[:, rows] = output[:, rows] @ np.linalg.inv(basis)
        planted.append(rows.start + place)
    return tuple(planted), value.astype(np.float32), output.astype(np.float32)


def coordinates(own: np.ndarray, plain: np.ndarray, place: int) -> np.ndarray:
    """A basis in whose units plain samples spread alike, with all the mean difference in one."""
    width = own.shape[1]
    moment = plain.T @ plain
    lower = np.linalg.cholesky(moment / np.trace(moment) * width + 0.1 * np.eye(width))
    gap = np.linalg.solve(lower, own.mean(axis=0) - plain.mean(axis=0))
    whole, _ = np.linalg.qr(np.column_stack([gap, np.eye(width)[:, :-1]]))
    order = np.insert(np.arange(1, width), place, 0)
    return np.linalg.solve(lower.T, whole[:, order]).T
