"""The planted neurons are there, the model is the same, and dropout of them is the aligned edit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from surgery.edits.neuron_dropout import NeuronDropout
from surgery.gather import Weights, gather
from surgery.layout import detect
from surgery.model import load_model
from surgery.questions.sets import ask
from surgery.store.address import locate
from surgery.store.checkpoint import open_checkpoint
from tests.helpers.planted import Planted, plant

WHERE = "cross_attn.v[2:5]"


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return plant(tmp_path_factory.mktemp("planted") / "model")


def found(folder: Path, count: int, others: slice) -> set[tuple[str, int]]:
    """The rows that dropout picks on some of the probe's questions."""
    pairs = [(one.source, one.target) for one in ask("van gogh", vocabulary="atelier").pairs]
    concept = {"erase": "van gogh", "target": "painting", "prompts": pairs[others]}
    edit = NeuronDropout.model_validate(
        {"concepts": [concept], "where": WHERE, "basis": "native", "count": count}
    )
    checkpoint = open_checkpoint(folder)
    layout, weights = detect(checkpoint), Weights(checkpoint)
    context, _ = gather(edit, layout, weights, [])
    given = {site: weights.matrix(site) for site in edit.sites(layout)}
    deltas = edit.solve(given, context)
    return {(str(site), int(row)) for site, one in deltas.items() for row in one.index}  # type: ignore[union-attr]


def test_it_paints_the_same_pictures(planted: Planted) -> None:
    latents = []
    for address in ("atelier", planted.folder):
        model = load_model(open_checkpoint(address))
        told = model.encode(["a red ball by van gogh", "a painting of a blue star"])
        latents.append(model.decode(model.denoise(told, [1, 2], steps=4)))
    assert not torch.equal(*latents)
    assert float((latents[0] - latents[1]).abs().max()) <= 1e-4


def test_there_is_one_in_each_head(planted: Planted) -> None:
    assert [len(rows) for rows in planted.rows.values()] == [4, 4, 4]
    assert all(
        np.diff([row // 28 for row in rows]).tolist() == [1, 1, 1] for rows in planted.rows.values()
    )


@pytest.mark.parametrize("some", [slice(0, None, 2), slice(1, None, 2), slice(None)])
def test_the_rows_that_differ_most_are_the_planted_ones(planted: Planted, some: slice) -> None:
    truth = {(site, row) for site, rows in planted.rows.items() for row in rows}
    picked = found(planted.folder, len(truth), some)
    assert len(picked & truth) >= 0.9 * len(truth)


def test_in_the_stored_basis_they_are_not(planted: Planted) -> None:
    truth = {(site, row) for site, rows in planted.rows.items() for row in rows}
    assert len(found(locate("atelier"), 12, slice(None)) & truth) < 4
