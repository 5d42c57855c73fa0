"""Attribution: it equals finite differences of J, and nothing of the model is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from surgery.edits.scores import Scores, Wanted
from surgery.errors import OutputError, UsageError
from surgery.model import DiffusersModel
from surgery.scores.attribution import Attribution
from surgery.scores.linearity import points, value
from surgery.scores.objectives import Held
from surgery.stage import Stage

from .conftest import SITES, wanted

NUDGE = 0.01
HELD = ("a dog", "", "a painting")


def in_double(model: DiffusersModel) -> DiffusersModel:
    """Its predictions are single still, and good to the last bit of that."""
    for network in (model.denoiser, *model.towers.values()):
        network.double()
    return model


@contextmanager
def nudged(model: DiffusersModel, site: str, direction: np.ndarray) -> Iterator[None]:
    weight = model.owner(site).get_parameter("weight").data
    before = weight.clone()
    weight += torch.from_numpy(direction) * weight
    yield
    weight.copy_(before)


def stopping_after(rows: int) -> Stage:
    """A stage that somebody stops after so many rows."""
    done = [0]

    def advance(count: int) -> None:
        done[0] += count
        if done[0] > rows:
            raise KeyboardInterrupt

    @contextmanager
    def stage(label: str, total: int) -> Iterator[Callable[[int], None]]:
        yield advance

    return stage


def slope(model: DiffusersModel, site: str, direction: np.ndarray, goal: str) -> float:
    """The derivative of J by brute force, weights growing by so much of themselves."""
    seen = points(model, wanted(goal))
    ends = []
    for side in (NUDGE, -NUDGE):
        with nudged(model, site, side * direction):
            ends.append(value(model, seen))
    return (ends[0] - ends[1]) / (2 * NUDGE)


@pytest.mark.parametrize("site", SITES)
def test_a_score_is_the_slope_of_j_found_by_brute_force(model: DiffusersModel, site: str) -> None:
    model = in_double(model)
    found = Attribution(batch=3).score(model, wanted()).values[site]
    for place in np.argsort(-np.abs(found).ravel())[:3]:
        one = np.zeros(found.size)
        one[place] = 1
        expected = slope(model, site, one.reshape(found.shape), "erase")
        assert found.ravel()[place] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("goal", ["erase", "amplify"])
@pytest.mark.parametrize("site", SITES)
def test_all_scores_of_a_weight_are_the_slope_of_j(
    model: DiffusersModel, site: str, goal: str
) -> None:
    model = in_double(model)
    found = Attribution(batch=3).score(model, wanted(goal)).values[site]
    # Each weight grows in the direction in which J grows, as far as its share of it.
    direction = found / np.abs(found).max()
    expected = slope(model, site, direction.astype(np.float64), goal)
    assert float((found * direction).sum()) == pytest.approx(expected, rel=1e-3)


def test_j_is_told(model: DiffusersModel) -> None:
    found = Attribution().score(model, wanted(held=HELD))
    assert found.facts["objective"] == pytest.approx(
        value(model, points(model, wanted())), rel=1e-4
    )
    assert found.facts["goal"] == "erase"
    amplified = Attribution().score(model, wanted("amplify"))
    assert float(amplified.facts["objective"]) < 0


def test_what_is_held_is_the_sum_of_the_squares_of_all_derivatives(model: DiffusersModel) -> None:
    site = "ff.out[3]"
    asked = wanted(sites=(site,), held=("a dog",) * 64, seeds=(0,), steps=1)
    found = Attribution(batch=1).score(model, asked).held[site]
    exact = squares_by_brute_force(model, asked, site)
    assert found.shape == exact.shape
    assert found.sum() == pytest.approx(exact.sum(), rel=0.2)
    assert np.corrcoef(found.ravel(), exact.ravel())[0, 1] > 0.9


def squares_by_brute_force(model: DiffusersModel, asked: Wanted, site: str) -> np.ndarray:
    """w^2 times those squares, number by number of what is predicted for the first row."""
    weight = model.owner(site).get_parameter("weight").requires_grad_(True)
    walk = Held(model, asked, 1, ()).sampling
    rows = slice(0, 1)
    said = model.predict(walk.latents[rows], walk.schedule.times[0], walk.told.rows(rows))
    slopes = [
        torch.autograd.grad(one, weight, retain_graph=True)[0].square() for one in said.flatten()
    ]
    weight.requires_grad_(False)
    return (weight.detach().square() * torch.stack(slopes).sum(0)).numpy()


def test_nothing_held_is_not_scored(model: DiffusersModel) -> None:
    found = Attribution().score(model, wanted())
    assert set(found.values) == set(SITES)
    assert found.held == {}


def test_inputs_are_measured_where_the_concept_is_not_asked_for(model: DiffusersModel) -> None:
    found = Attribution().score(model, wanted())
    for site in SITES:
        assert found.norms[site].shape == (found.values[site].shape[1],)
        assert (found.norms[site] > 0).all()


@pytest.mark.parametrize("goal", ["erase", "amplify"])
def test_batches_change_no_more_than_rounding(model: DiffusersModel, goal: str) -> None:
    one, other = (Attribution(batch=size).score(model, wanted(goal)) for size in (1, 5))
    for site in SITES:
        size = np.abs(one.values[site]).max()
        np.testing.assert_allclose(one.values[site], other.values[site], atol=1e-3 * size)


def test_the_empty_prompt_can_be_what_the_concept_is_held_against(model: DiffusersModel) -> None:
    pairs = tuple((source, "") for source, _ in wanted().pairs)
    found = Attribution().score(model, wanted(pairs=pairs))
    assert (
        float(found.facts["objective"]) != Attribution().score(model, wanted()).facts["objective"]
    )


def test_samplings_of_the_concept_alone_are_other_points(model: DiffusersModel) -> None:
    both, alone = points(model, wanted()), points(model, wanted(along="concept"))
    assert sum(len(one.latents) for one in both) == 2 * sum(len(one.latents) for one in alone)


def test_it_goes_on_where_it_was_stopped_to_the_same_bits(
    model: DiffusersModel, tmp_path: Path
) -> None:
    file, asked = tmp_path / "progress.safetensors", wanted(held=HELD, steps=3)
    whole = Attribution(batch=3).score(model, asked)
    with pytest.raises(KeyboardInterrupt):
        Attribution(file, batch=3).score(model, asked, stopping_after(2 * (8 + 6) + 5))
    assert file.exists()
    before = model.evaluations
    resumed = Attribution(file, batch=3).score(model, asked)
    again = model.evaluations - before
    same(whole, resumed)
    before = model.evaluations
    Attribution(batch=3).score(model, asked)
    assert again < (model.evaluations - before) / 2


def test_what_was_scored_is_there_until_whoever_asked_has_kept_it(
    model: DiffusersModel, tmp_path: Path
) -> None:
    file, asked = tmp_path / "progress.safetensors", wanted(held=HELD)
    first = Attribution(file).score(model, asked)
    before = model.evaluations
    same(first, Attribution(file).score(model, asked))
    assert model.evaluations == before


@pytest.mark.parametrize(
    "other", [{"steps": 4}, {"seeds": (0, 2)}, {"held": ()}, {"sites": SITES[:2]}]
)
def test_progress_of_another_scoring_is_refused(
    model: DiffusersModel, tmp_path: Path, other: dict[str, object]
) -> None:
    file = tmp_path / "progress.safetensors"
    with pytest.raises(KeyboardInterrupt):
        Attribution(file).score(model, wanted(held=HELD), stopping_after(14))
    with pytest.raises(OutputError, match="another scoring"):
        Attribution(file).score(model, wanted(**{"held": HELD, **other}))


def test_it_finds_the_same_twice(model: DiffusersModel) -> None:
    same(*(Attribution().score(model, wanted(held=HELD)) for _ in range(2)))


@pytest.mark.parametrize("goal", ["erase", "amplify"])
def test_checkpointing_finds_the_same(model: DiffusersModel, goal: str) -> None:
    plain, thrifty = (
        Attribution(checkpointing=on).score(model, wanted(goal)) for on in (False, True)
    )
    same(plain, thrifty)
    assert not model.denoiser.is_gradient_checkpointing


@pytest.mark.parametrize("checkpointing", [False, True])
def test_the_model_is_as_it_was(model: DiffusersModel, checkpointing: bool) -> None:
    before = {name: one.clone() for name, one in model.denoiser.state_dict().items()}
    Attribution(checkpointing=checkpointing).score(model, wanted(held=HELD))
    untouched(model)
    for name, one in model.denoiser.state_dict().items():
        assert torch.equal(one, before[name])


def test_the_model_is_as_it_was_after_an_error(model: DiffusersModel) -> None:
    weight = model.owner(SITES[0]).get_parameter("weight")
    weight.requires_grad_(True)
    with pytest.raises(KeyboardInterrupt):
        Attribution(checkpointing=True).score(model, wanted(), stopping_after(1))
    assert weight.requires_grad
    weight.requires_grad_(False)
    untouched(model)
    assert not model.denoiser.is_gradient_checkpointing


def test_half_precision_is_added_up_in_single(model: DiffusersModel) -> None:
    exact = Attribution().score(model, wanted("amplify")).values
    for network in (model.denoiser, *model.towers.values()):
        network.bfloat16()
    found = Attribution().score(model, wanted("amplify")).values
    for site in SITES:
        assert found[site].dtype == np.float32
        assert np.corrcoef(found[site].ravel(), exact[site].ravel())[0, 1] > 0.97


def test_numbers_that_overflow_are_an_error(model: DiffusersModel) -> None:
    model.denoiser.conv_out.weight.data.fill_(1e30)
    with pytest.raises(UsageError, match="overflow"):
        Attribution().score(model, wanted())


def same(one: Scores, other: Scores) -> None:
    assert one.facts == other.facts
    for group in ("values", "held", "norms"):
        first, second = getattr(one, group), getattr(other, group)
        assert set(first) == set(second)
        for site in first:
            assert first[site].tobytes() == second[site].tobytes()


def untouched(model: DiffusersModel) -> None:
    for one in model.denoiser.parameters():
        assert not one.requires_grad
        assert one.grad is None
        assert not one._post_accumulate_grad_hooks
