from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from surgery.engine import Engine, Serial, engine_for
from surgery.engine.local import Local
from surgery.errors import CheckpointError, ResourceError, UsageError
from tests.engine import work


@pytest.fixture(scope="module")
def two() -> Iterator[Engine]:
    with Local(2) as engine:
        yield engine


def alive(number: int) -> bool:
    """Whether a process is there and does anything; one that nobody buried yet does not."""
    try:
        return "Z" not in Path("/proc", str(number), "stat").read_text("utf-8").split(")")[-1]
    except OSError:
        return False


def until(true: object, seconds: float = 60.0) -> bool:
    ends = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        if time.monotonic() > ends:
            return False
        time.sleep(0.02)
    return True


def test_results_come_in_the_order_of_the_items_and_are_told_as_they_come(two: Engine) -> None:
    told: list[tuple[int, int]] = []
    assert two.map(work.slow_first, range(5), lambda n, made: told.append((n, made))) == [*range(5)]
    assert sorted(told) == [(number, number) for number in range(5)]
    assert told[0] != (0, 0)
    assert two.map(work.square, []) == []


def test_workers_stay_from_one_list_of_items_to_the_next(two: Engine) -> None:
    first = set(two.map(work.process, range(8)))
    assert 1 <= len(first) <= 2 and os.getpid() not in first
    assert len(first | set(two.map(work.process, range(8)))) <= 2


def test_every_number_of_workers_gives_the_same_bits(two: Engine) -> None:
    expected = Serial().map(work.sums, range(4))
    assert two.map(work.sums, range(4)) == expected
    with engine_for("local", 1) as one:
        assert one.map(work.sums, range(4)) == expected


def test_a_mistake_that_a_user_can_mend_comes_back_whole() -> None:
    with Local(2) as engine:
        with pytest.raises(CheckpointError) as raised:
            engine.map(work.refuse, range(4))
        error = raised.value
        assert (error.what, error.where, error.hint) == (
            "it is damaged",
            "a model",
            "get another",
        )
        # The engine goes on with new workers.
        assert engine.map(work.square, [3]) == [9]
        with pytest.raises(ZeroDivisionError) as other:
            engine.map(work.divide, [0])
        assert "in a worker" in other.value.__notes__[0] and "divide" in other.value.__notes__[0]


def test_a_killed_worker_loses_nothing(tmp_path: Path) -> None:
    items = [work.Fatal((), number) for number in range(5)]
    items[1] = work.Fatal((tmp_path / "first", tmp_path / "second"), 1)
    told: list[int] = []
    with Local(2) as engine:
        assert engine.map(work.mortal, items, lambda n, made: told.append(made)) == [*range(5)]
    assert sorted(told) == [*range(5)]
    assert len(list(tmp_path.iterdir())) == 2


def test_an_item_that_kills_every_worker_is_given_up_in_one_sentence(tmp_path: Path) -> None:
    traces = tuple(tmp_path / str(number) for number in range(9))
    with Local(1) as engine, pytest.raises(ResourceError) as raised:
        engine.map(work.mortal, [work.Fatal(traces)])
    said = "3 workers died over the same work, the last one killed by SIGKILL"
    assert str(raised.value).startswith(said) and "--workers" in str(raised.value)
    assert len(list(tmp_path.iterdir())) == 3


def test_what_cannot_be_sent_is_refused_in_one_sentence() -> None:
    with Local(1) as engine, pytest.raises(UsageError, match="cannot be sent to another process"):
        engine.map(lambda number: number, [1])


def test_a_worker_computes_on_one_thread_and_sees_one_gpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7")
    with Local(1, device="cuda") as engine:
        assert engine.map(work.seen, [0]) == [(1, "1", "5")]
    with Local(1, threads=2) as engine:
        # One thread unless the item itself asks for more.
        assert engine.map(work.seen, [0]) == [(1, "1", "5,7")]


def test_there_are_as_many_workers_as_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("surgery.engine.local._processors", lambda: 8)
    monkeypatch.setattr("surgery.engine.local.available", lambda: 1000)
    assert Local().workers == 8
    assert Local(threads=3).workers == 2
    assert Local(memory=300).workers == 3
    assert Local(memory=5000).workers == 1
    assert Local(20, memory=300).workers == 20
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3,6")
    assert Local(device="cuda").workers == 3
    monkeypatch.setattr("surgery.engine.local.available", lambda: None)
    assert Local(memory=300).workers == 8


SCRIPT = """
import sys
from pathlib import Path
from surgery.cli.stopping import signals_raise
from surgery.engine import engine_for
from tests.engine import work

if __name__ == "__main__":
    with signals_raise(), engine_for("local", 2) as engine:
        engine.map(work.dawdle, [Path(sys.argv[1])] * 2)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes by /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_a_command_that_ends(number: signal.Signals, tmp_path: Path) -> None:
    script, notes = tmp_path / "script.py", tmp_path / "notes"
    script.write_text(textwrap.dedent(SCRIPT), "utf-8")
    notes.mkdir()
    # A terminal would tell the whole group.
    asked = subprocess.Popen(
        [sys.executable, str(script), str(notes)],
        start_new_session=True,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert until(lambda: len(list(notes.iterdir())) == 2)
    workers = [int(path.name) for path in notes.iterdir()]
    assert all(alive(one) for one in workers)
    (os.killpg if number == signal.SIGINT else os.kill)(asked.pid, number)
    _, said = asked.communicate(timeout=60)
    assert until(lambda: not any(alive(one) for one in workers))
    # Only the command itself says anything.
    assert said.count(b"Traceback") == (number != signal.SIGKILL)
