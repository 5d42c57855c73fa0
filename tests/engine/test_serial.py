from __future__ import annotations

import pytest
import torch

from surgery.engine import Serial, engine_for
from surgery.engine.serial import torch_threads
from surgery.errors import CheckpointError, UsageError
from tests.engine import work


def test_items_are_done_in_order_and_told_one_by_one() -> None:
    told: list[tuple[int, int]] = []
    with Serial() as engine:
        assert engine.map(work.square, [3, 4], lambda n, made: told.append((n, made))) == [9, 16]
    assert told == [(0, 9), (1, 16)]


def test_what_an_item_raises_ends_it() -> None:
    told: list[int] = []
    with pytest.raises(CheckpointError):
        Serial().map(work.refuse, range(4), lambda n, made: told.append(made))
    assert told == [0, 1]


def test_items_have_one_thread_as_in_a_worker_and_others_keep_theirs() -> None:
    before = torch.get_num_threads()
    with torch_threads(2):
        assert Serial().map(work.seen, [0])[0][0] == 1
        with pytest.raises(ZeroDivisionError):
            Serial().map(work.divide, [0])
        assert torch.get_num_threads() == 2
        with torch_threads(None):
            assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == before


def test_the_engine_of_a_name() -> None:
    assert engine_for().is_here and engine_for("serial", 1).is_here
    for local in (engine_for("local"), engine_for("local", 3)):
        assert not local.is_here


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("serial", 2), "the engine 'serial' is one process, not 2; --engine local has workers"),
        (("local", 0), "workers must be 1 or more, got 0"),
        (("local", 2, "auto"), "the engine 'local' takes no address; --engine ray connects"),
        (("serial", None, "here:1"), "the engine 'serial' takes no address"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(
    settings: tuple[object, ...], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        engine_for(*settings)  # type: ignore[arg-type]
