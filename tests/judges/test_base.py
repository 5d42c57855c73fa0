from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from surgery.errors import UsageError
from surgery.judges.base import Judge, Mark, Seen, marked, pictures_of
from surgery.judges.noise import NoiseJudge
from tests.judges.build import STYLE


def test_scores_become_marks_with_and_without_a_yes_or_no() -> None:
    assert marked("x", [1, 0.5]) == [Mark(1.0), Mark(0.5)]
    assert marked("x", [1.0, 0.5], [True, False]) == [Mark(1.0, True), Mark(0.5, False)]


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_a_score_that_is_no_number_is_refused(score: float) -> None:
    with pytest.raises(UsageError, match=r"the judge 'x' gives (nan|inf) for run 1; .*float32"):
        marked("x", [1.0, score])


def test_a_judge_of_pictures_that_is_shown_latents_says_so() -> None:
    with pytest.raises(UsageError, match="latents alone"):
        pictures_of(Seen(torch.zeros(1, 4, 2, 2), STYLE.pairs))


def test_a_judge_is_told_from_a_function() -> None:
    assert isinstance(NoiseJudge(), Judge)
    assert not isinstance(marked, Judge)


def test_nothing_heavy_is_imported_before_a_judge_is_chosen() -> None:
    script = "import sys, surgery.judges; print({'torch', 'transformers'} & set(sys.modules))"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=root)
    assert done.stdout.strip() == "set()", done.stderr
