"""A quick part of the table of faults: python -m tests.crash.table runs them all."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.crash import faults, limits, rights, surroundings, tracing
from tests.crash.order import problems
from tests.crash.scene import Outcome, scene
from tests.crash.table import SCENES, line
from tests.crash.tracing import Call

# The calls at which the most can go wrong; the last of each.
TELLING = ("pwrite64", "fsync", "fdatasync", "rename", "renameat2", "symlink", "unlink")


def check(outcomes: Iterable[Outcome]) -> None:
    """Every run kept every promise, and there was one."""
    found = list(outcomes)
    assert found
    assert [outcome for outcome in found if not outcome.is_sound] == []


def skip_without_strace() -> None:
    if reason := tracing.why_not():
        pytest.skip(reason)


def telling(calls: list[Call]) -> list[Call]:
    last = {call.name: call for call in calls if call.name in TELLING}
    return list(last.values())


@pytest.mark.parametrize("name", ["file over file", "new folder", "in place", "undo"])
def test_killed_at_a_call_what_is_left_is_whole(name: str, tmp_path: Path) -> None:
    skip_without_strace()
    one = scene(tmp_path, **SCENES[name])
    calls = telling(tracing.calls(one.command(), tmp_path / "log"))
    check(faults.at_calls(one, calls, tracing.killed_at))


@pytest.mark.parametrize("name", ["file over file", "in place"])
@pytest.mark.parametrize("fault", ["EIO", "ENOSPC", "SIGTERM"])
def test_a_call_that_fails_or_is_interrupted_leaves_no_litter(
    fault: str, name: str, tmp_path: Path
) -> None:
    skip_without_strace()
    one = scene(tmp_path, **SCENES[name])
    calls = telling(tracing.calls(one.command(), tmp_path / "log"))
    chosen = [call for call in calls if fault != "ENOSPC" or tracing.can_be_full(call)][-3:]
    if fault == "SIGTERM":
        check(faults.at_calls(one, chosen, lambda call: tracing.stopped_at(call, "TERM")))
    else:
        check(faults.at_calls(one, chosen, lambda call: tracing.failing_at(call, fault)))


@pytest.mark.parametrize("name", ["file over file", "new folder", "in place, folder", "undo"])
def test_the_order_of_the_calls_outlives_a_power_loss(name: str, tmp_path: Path) -> None:
    skip_without_strace()
    one = scene(tmp_path, **SCENES[name])
    found = tracing.calls(one.command(), tmp_path / "log")
    assert problems(one, found) == []
    unsynced = [call for call in found if call.name not in ("fsync", "fdatasync")]
    assert problems(one, unsynced)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_at_any_moment_leaves_old_or_new(number: signal.Signals, tmp_path: Path) -> None:
    one = scene(tmp_path, "write")
    found = list(faults.at_random(one, number, 2))
    check(found)
    assert max(outcome.seconds for outcome in found) < 2


def test_limits_on_size_and_a_read_only_folder_are_told(tmp_path: Path) -> None:
    one = scene(tmp_path, "write")
    found = [*limits.size_limits(one, (0.1, 0.999)), *limits.read_only(one)]
    check(found)
    assert {outcome.state for outcome in found} == {"old"}
    assert {outcome.code for outcome in found} <= {2, 5}


def test_little_memory_and_few_descriptors_are_told(tmp_path: Path) -> None:
    found = [
        *limits.memory_limits(tmp_path / "memory", (0.0, 1.2)),
        *limits.few_descriptors(tmp_path / "descriptors"),
    ]
    check(found)
    assert [outcome.state for outcome in found[:3]] == ["old", "new", "new"]


def test_a_small_disk_keeps_the_old_output_until_the_new_one_is_whole(tmp_path: Path) -> None:
    if reason := limits.why_no_small_disk():
        pytest.skip(reason)
    found = list(limits.small_disk(tmp_path / "small"))
    check(found)
    assert {outcome.code for outcome in found if outcome.state == "old"} == {5}


SOME = ("empty environment", "working folder removed", "stdout on a full disk", "| head -1")


def test_where_a_command_is_started_does_not_matter(tmp_path: Path) -> None:
    check(surroundings.outcomes(tmp_path, SOME))


def test_writers_readers_and_a_source_that_changes_never_mix(tmp_path: Path) -> None:
    check(faults.three_writers(scene(tmp_path / "a", "write"), 1))
    check(faults.changed_source(scene(tmp_path / "b", "write"), len(faults.CHANGES)))
    check(faults.readers(scene(tmp_path / "c", "write"), 2))


def test_mode_owner_umask_and_links_are_kept(tmp_path: Path) -> None:
    check(rights.outcomes(tmp_path))


def test_a_torn_output_and_litter_are_noticed(tmp_path: Path) -> None:
    one = scene(tmp_path, "write")

    def tear(command: list[str]) -> tuple[int, str, float]:
        one.out.write_bytes(one.out.read_bytes()[:-1])
        return 2, "", 0.0

    def drop(command: list[str]) -> tuple[int, str, float]:
        (one.out.parent / ".surgery-999999999-0a.part").touch()
        return 2, "", 0.0

    torn = one.run(tear)
    assert (torn.state, torn.is_sound) == ("torn", False)
    one.reset()
    left = one.run(drop)
    assert (left.state, left.litter, left.is_sound) == ("old", 1, False)
    assert line("a", [torn, left]).split() == ["a", "2", "1", "0", "1", "1", "0", "0", "0.00"]
