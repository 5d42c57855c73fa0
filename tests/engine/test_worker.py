from __future__ import annotations

import os
import pickle
import sys

import pytest
import torch

from surgery.engine.worker import answer, settle
from surgery.errors import ResourceError, SurgeryError, UsageError
from tests.engine import work


class Odd(Exception):
    """Pickled, it cannot be made again."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__("odd")


def odd(number: int) -> None:
    raise Odd(1, 2)


def full(number: int) -> None:
    raise ResourceError("too little memory", where="here", hint="wait")


def asked(function: object, item: object) -> tuple[bool, object]:
    said: tuple[bool, object] = pickle.loads(answer(pickle.dumps((function, item))))
    return said


def test_an_answer_is_a_result_or_what_was_raised() -> None:
    assert asked(work.square, 3) == (True, 9)
    went_well, error = asked(work.divide, 0)
    assert not went_well and isinstance(error, ZeroDivisionError)
    assert "in divide" in error.__notes__[0]


@pytest.mark.parametrize("kind", SurgeryError.__subclasses__())
def test_mistakes_of_every_kind_survive_being_sent(kind: type[SurgeryError]) -> None:
    made = kind("it is wrong", where="there", hint="mend it")
    sent = pickle.loads(pickle.dumps(made))
    assert type(sent) is kind
    assert (sent.what, sent.where, sent.hint, str(sent)) == (
        "it is wrong",
        "there",
        "mend it",
        "there: it is wrong; mend it",
    )


def test_a_mistake_comes_without_a_trace_of_the_worker() -> None:
    _, error = asked(full, 0)
    assert isinstance(error, ResourceError) and not hasattr(error, "__notes__")


def test_an_exception_that_cannot_be_sent_is_told_by_one_that_can() -> None:
    went_well, error = asked(odd, 0)
    assert (went_well, type(error), str(error)) == (False, RuntimeError, "Odd: odd")


def test_work_that_cannot_be_read_is_a_mistake_in_one_sentence() -> None:
    lost = pickle.dumps((work.square, 3)).replace(b"square", b"sqaure")
    went_well, error = pickle.loads(answer(lost))
    assert not went_well and isinstance(error, UsageError)
    assert "cannot read the work" in str(error) and "sqaure" in str(error)


def test_a_process_settles_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    assert "torch" in sys.modules
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "CUDA_VISIBLE_DEVICES")
    quiet = ("DIFFUSERS_VERBOSITY", "TRANSFORMERS_VERBOSITY")
    for name in (*names, *quiet):
        monkeypatch.setenv(name, "before")
    try:
        settle({"CUDA_VISIBLE_DEVICES": "5"})
        assert [os.environ[name] for name in names] == ["1", "1", "1", "5"]
        assert [os.environ[name] for name in quiet] == ["error", "error"]
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
