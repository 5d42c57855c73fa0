from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from surgery.errors import SurgeryError, UsageError
from surgery.judges import JUDGES, Judge, choose_judge
from surgery.judges.noise import NoiseJudge
from surgery.questions import Question
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from tests.helpers.tiny import write_pipeline
from tests.judges.build import STYLE, about, write_clip


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return open_checkpoint(write_pipeline(tmp_path_factory.mktemp("tiny") / "in"))


def half(pictures: NDArray[np.uint8], question: Question) -> Sequence[float]:
    return [0.5] * len(pictures)


@pytest.mark.parametrize("name", ["auto", None])
def test_left_alone_the_built_in_model_gets_its_judge_and_any_other_its_own_noise(
    other: Checkpoint, name: str | None
) -> None:
    assert choose_judge(name, open_checkpoint("atelier")).name.split()[0] == "atelier"
    assert choose_judge(name, other).name == "noise"


def test_clip_is_the_built_in_models_own_or_the_one_that_is_named(
    other: Checkpoint, tmp_path: Path
) -> None:
    own = choose_judge("clip", open_checkpoint("atelier"))
    assert own.name.startswith("clip atelier ")
    for name in ("auto", "clip"):
        found = choose_judge(name, other, clip=write_clip(tmp_path / name))
        assert found.name.startswith(f"clip {tmp_path / name} ")


def test_clip_without_a_model_says_what_to_name(other: Checkpoint) -> None:
    with pytest.raises(UsageError, match=r"no CLIP model at hand .*--clip.*--judge noise needs"):
        choose_judge("clip", other)


def test_functions_and_judges_are_taken_as_they_are(other: Checkpoint) -> None:
    assert choose_judge(half, other).name.startswith("given tests.judges.test_choose.half ")
    given = NoiseJudge()
    assert choose_judge(given, other) is given


def test_every_name_gives_a_judge() -> None:
    for name in JUDGES:
        judge = choose_judge(name, open_checkpoint("atelier"), questions=[STYLE])
        assert isinstance(judge, Judge)
        assert judge.anchored == (judge.sees == "latents")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nose", "no judge 'nose'; did you mean 'noise'"),
        ("gpt", "no judge 'gpt'; there are auto, clip, noise, atelier"),
        ("atelier", "there is no judge for this model"),
    ],
)
def test_a_judge_that_there_is_not_is_refused(other: Checkpoint, name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        choose_judge(name, other)


def test_a_clip_model_for_another_judge_is_a_mistake(other: Checkpoint) -> None:
    for name in ("noise", half, NoiseJudge()):
        with pytest.raises(UsageError, match="--clip names a model for --judge clip"):
            choose_judge(name, other, clip="org/name")


def test_questions_without_an_answer_are_refused_before_anything_runs() -> None:
    long = about("monet" + " red" * 60, "style")
    for name, question in (("auto", about("van gohg", "style")), ("clip", long)):
        with pytest.raises(SurgeryError, match=r"did you mean 'van gogh'|reads 40"):
            choose_judge(name, open_checkpoint("atelier"), questions=[question])
