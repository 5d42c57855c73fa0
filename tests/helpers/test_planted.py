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
from tests.helpers.planted import Planted, plant, rotation, slanted, spread

WHERE = "cross_attn.v"


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return plant(tmp_path_factory.mktemp("planted") / "model")


@pytest.fixture(scope="module", params=[1, 2, 3, "slanted"])
def any_planted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Planted:
    folder = tmp_path_factory.mktemp("any") / "model"
    if request.param == "slanted":
        return plant(folder, count=1, basis=slanted)
    return plant(folder, count=request.param)


def samples(count: int = 40, width: int = 9) -> tuple[np.ndarray, np.ndarray]:
    """With a concept, and without."""
    draw = np.random.default_rng(3)
    plain = draw.standard_normal((count, width))
    return plain + draw.standard_normal((count, width)) * 0.3 + np.arange(width), plain


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_rotation_has_the_mean_difference_in_equal_parts_in_its_first_axes(count: int) -> None:
    own, plain = samples()
    made = rotation(own, plain, count)
    np.testing.assert_allclose(made @ made.T, np.eye(9), atol=1e-12)
    gap = made @ (own - plain).mean(axis=0)
    np.testing.assert_allclose(np.abs(gap[:count]), abs(gap[0]))
    np.testing.assert_allclose(gap[count:], 0, atol=1e-12)
    assert abs(gap[0]) > 1


def test_a_slanted_basis_has_it_in_its_first_axis_alone() -> None:
    own, plain = samples()
    gap = slanted(own, plain) @ (own - plain).mean(axis=0)
    assert abs(gap[0]) > 1
    np.testing.assert_allclose(gap[1:], 0, atol=1e-12)


def test_a_head_may_have_several_rows_far_apart() -> None:
    assert spread(0, 1, 28) == [3] and spread(1, 2, 28) == [8, 22]
    assert all(len({*spread(head, 3, 12)}) == 3 for head in range(4))


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


def test_it_paints_the_same_pictures(any_planted: Planted) -> None:
    latents = []
    for address in ("atelier", any_planted.folder):
        model = load_model(open_checkpoint(address))
        told = model.encode(["a red ball by van gogh", "a painting of a blue star"])
        latents.append(model.decode(model.denoise(told, [1, 2], steps=4)))
    assert not torch.equal(*latents)
    assert float((latents[0] - latents[1]).abs().max()) <= 1e-4


def test_there_are_two_in_each_of_the_forty_heads(planted: Planted) -> None:
    sizes = {str(site): site for site in detect(open_checkpoint("atelier")).select(WHERE)}
    assert [len(rows) for rows in planted.rows.values()] == [8] * 10
    assert all(sizes[site].heads == 4 for site in planted.rows)


@pytest.mark.parametrize("some", [slice(0, None, 2), slice(1, None, 2), slice(None)])
def test_the_rows_that_differ_most_are_the_planted_ones(planted: Planted, some: slice) -> None:
    truth = {(site, row) for site, rows in planted.rows.items() for row in rows}
    picked = found(planted.folder, len(truth), some)
    assert len(picked & truth) >= 0.9 * len(truth)


def test_any_planted_rows_are_found(any_planted: Planted) -> None:
    truth = {(site, row) for site, rows in any_planted.rows.items() for row in rows}
    assert found(any_planted.folder, len(truth), slice(None)) == truth


def test_in_the_stored_basis_they_are_not(planted: Planted) -> None:
    truth = {(site, row) for site, rows in planted.rows.items() for row in rows}
    assert len(found(locate("atelier"), len(truth), slice(None)) & truth) < len(truth) / 4
