from __future__ import annotations

import pytest
import torch
from torch import Tensor

from surgery.errors import UsageError
from surgery.judges import Mark, Seen
from surgery.judges.noise import NoiseJudge
from tests.judges.build import STYLE


def latents(count: int, seed: int) -> Tensor:
    return torch.randn(count, 4, 3, 3, generator=torch.Generator().manual_seed(seed))


def scores(found: list[Mark]) -> list[float]:
    return [mark.score for mark in found]


def judged(some: Tensor, source: Tensor | None, target: Tensor | None) -> list[Mark]:
    pairs = STYLE.pairs * len(some)
    return NoiseJudge().marks(STYLE, Seen(some, pairs, source=source, target=target))


def test_the_anchors_score_one_and_zero() -> None:
    source, target = latents(3, 0), latents(3, 1)
    assert scores(judged(source, source, target)) == pytest.approx([1, 1, 1])
    assert scores(judged(target, source, target)) == pytest.approx([0, 0, 0], abs=1e-12)


def test_half_of_the_way_scores_a_half_whatever_is_changed_beside_it() -> None:
    source, target = latents(1, 0), latents(1, 1)
    way = target - source
    other = latents(1, 2)
    aside = other - way * (other * way).sum() / (way * way).sum()
    assert scores(judged(source + way / 2 + 3 * aside, source, target)) == pytest.approx([0.5])


def test_the_score_is_the_projection_by_hand() -> None:
    source, target = torch.zeros(1, 1, 1, 2), torch.tensor([[[[3.0, 4.0]]]])
    moved = torch.tensor([[[[1.0, 1.0]]]])
    assert scores(judged(moved, source, target)) == pytest.approx([1 - 7 / 25])


def test_a_row_scores_the_same_alone_and_among_others() -> None:
    some, source, target = latents(8, 2), latents(8, 0), latents(8, 1)
    together = scores(judged(some, source, target))
    alone = [
        scores(judged(some[r : r + 1], source[r : r + 1], target[r : r + 1]))[0] for r in range(8)
    ]
    assert together == pytest.approx(alone, abs=1e-12)


def test_it_says_nothing_of_what_is_seen_and_looks_for_the_least() -> None:
    found = judged(latents(1, 2), latents(1, 0), latents(1, 1))
    assert found[0].shown is None
    assert NoiseJudge().best("fact") == NoiseJudge().best("style") == "least"


def test_two_prompts_of_one_picture_are_refused_by_name() -> None:
    source = latents(1, 0)
    with pytest.raises(UsageError, match="the same picture of 'a red star by van gogh' and of"):
        judged(latents(1, 1), source, source)


def test_runs_without_anchors_are_refused() -> None:
    with pytest.raises(UsageError, match="both prompts"):
        judged(latents(1, 0), None, None)


def test_latents_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(UsageError, match="gives nan"):
        judged(latents(1, 0) * float("nan"), latents(1, 1), latents(1, 2))
