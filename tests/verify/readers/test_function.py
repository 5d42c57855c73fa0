from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from surgery.errors import UsageError
from surgery.questions import Question
from surgery.verify.readers.function import function_reader
from surgery.verify.values import Ask
from tests.verify.build import asked

ASKS = [Ask("", 1), Ask("", 2)]
SHADES = torch.tensor([-1.0, 1.0])[:, None, None, None].expand(2, 3, 4, 4)


def brightness(pictures: NDArray[np.uint8], question: Question) -> Sequence[float]:
    """The mean of all channels, 0 to 1."""
    return [float(one.mean()) / 255 for one in pictures]


def test_what_scores_enough_is_shown() -> None:
    found = function_reader(brightness, 0.5).read(asked("erased", "gogh"), ASKS, SHADES)
    assert [(one.score, one.shown) for one in found] == [(0.0, False), (1.0, True)]
    found = function_reader(brightness, 1.5).read(asked("erased", "gogh"), ASKS, SHADES)
    assert [one.shown for one in found] == [False, False]


def test_a_yes_or_no_is_a_score_too() -> None:
    reader = function_reader(lambda pictures, question: [True, False], 0.5)
    assert [one.shown for one in reader.read(asked("kept", "a"), ASKS, SHADES)] == [True, False]


def test_the_function_is_told_the_concept() -> None:
    told = []

    def watch(pictures: NDArray[np.uint8], question: Question) -> Sequence[float]:
        told.append((question.concept, question.sort, question.target, pictures.shape))
        return [0.0, 0.0]

    function_reader(watch, 0.5).read(asked("erased", "gogh"), ASKS, SHADES)
    assert told == [("gogh", "style", "painting", (2, 4, 4, 3))]


def test_pictures_without_a_concept_are_not_shown_to_it() -> None:
    reader = function_reader(brightness, 0.5)
    own = replace(asked("unrelated", "prompts", ""), own=True)
    assert [one.shown for one in reader.read(own, ASKS, SHADES)] == [None, None]


def test_a_function_may_be_named_by_its_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_judge.py").write_text(
        "def dark(pictures, question):\n    return [one.mean() < 128 for one in pictures]\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", ["/nowhere"])
    reader = function_reader("python:own_judge:dark", 0.5)
    found = reader.read(asked("erased", "gogh"), ASKS, SHADES)
    assert [one.shown for one in found] == [True, False]
    assert reader.facts.model == "own_judge.dark"
    assert len(reader.facts.revision) == 12


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("python:", "names no function"),
        ("python:os", "names no function"),
        ("python:os:nothing_there", "cannot be imported"),
        ("python:no_such_module_here:f", "cannot be imported"),
        ("python:os:sep", "is no function"),
    ],
)
def test_what_is_no_function_is_refused(address: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        function_reader(address, 0.5)
