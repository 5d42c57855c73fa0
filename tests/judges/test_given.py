from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from surgery.errors import UsageError
from surgery.judges.given import given_judge
from surgery.questions import Question
from tests.judges.build import STYLE, seen

Pixels = NDArray[np.uint8]


def redness(pictures: Pixels, question: Question) -> Sequence[float]:
    """The mean of the red channel."""
    return [float(one[..., 0].mean()) for one in pictures]


def test_a_function_is_shown_pixels_and_the_question() -> None:
    asked = []

    def watch(pictures: Pixels, question: Question) -> Sequence[float]:
        asked.append((pictures.shape, pictures.dtype, question.concept))
        return [0.0] * len(pictures)

    given_judge(watch).marks(STYLE, seen(torch.zeros(2, 3, 5, 7)))
    assert asked == [((2, 5, 7, 3), np.dtype(np.uint8), "van gogh")]


def test_pictures_go_from_black_to_white() -> None:
    shades = torch.tensor([-1.0, 0.0, 1.0, 2.0])[:, None, None, None].expand(4, 3, 2, 2)
    found = given_judge(redness).marks(STYLE, seen(shades))
    assert [mark.score for mark in found] == [0, 128, 255, 255]
    assert {mark.shown for mark in found} == {None}


def test_the_name_tells_functions_and_their_bodies_apart() -> None:
    other, same = [
        given_judge(lambda pictures, question: [1.0] * len(pictures)).name,
        given_judge(lambda pictures, question: [2.0] * len(pictures)).name,
    ]
    assert other != same
    assert given_judge(redness).name == given_judge(redness).name
    assert given_judge(redness).name.startswith("given tests.judges.test_given.redness ")
    assert given_judge(redness, "red").name == "red"


def test_what_is_no_function_needs_a_name() -> None:
    partial = functools.partial(redness)
    with pytest.raises(UsageError, match="a judge that is a partial and no function needs a name"):
        given_judge(partial)
    assert given_judge(partial, "red").marks(STYLE, seen(torch.ones(1, 3, 2, 2)))[0].score == 255


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([1.0], r"shape \[1\] for 2 pictures"),
        ([[1.0], [2.0]], r"shape \[2, 1\] for 2 pictures"),
        (None, r"shape \[\] for 2 pictures"),
        (["much", "little"], "no list of numbers"),
        ([1.0, float("nan")], "gives nan for run 1"),
    ],
)
def test_anything_but_a_number_for_each_picture_is_refused(scores: object, message: str) -> None:
    judge = given_judge(lambda pictures, question: scores, "odd")  # type: ignore[arg-type, return-value]
    with pytest.raises(UsageError, match=message):
        judge.marks(STYLE, seen(torch.zeros(2, 3, 4, 4)))
