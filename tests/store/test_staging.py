"""Siblings vanish with their makers; only what no living process holds is litter."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from surgery.store.staging import aside, remove_litter, staged_file, staged_folder
from tests.store.build import names, python

DEAD = 999_999_999


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_a_staged_file_has_the_mode_of_the_umask_and_is_removed(target: Path) -> None:
    old = os.umask(0o027)
    try:
        with staged_file(target) as (descriptor, path):
            assert path.name.startswith(f".surgery-{os.getpid()}-")
            assert path.name.endswith(".part")
            assert path.stat().st_mode & 0o777 == 0o640
            os.write(descriptor, b"x")
    finally:
        os.umask(old)
    assert names(target.parent) == []


def test_a_staged_folder_is_removed_with_its_files(target: Path) -> None:
    def fill() -> None:
        with staged_folder(target) as (_, path):
            (path / "deep").mkdir()
            (path / "deep" / "file").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill()
    assert names(target.parent) == []


def test_a_renamed_file_stays(target: Path) -> None:
    with staged_file(target) as (_, path):
        path.rename(target)
    assert names(target.parent) == ["out"]


def test_what_dead_processes_left_is_removed(target: Path) -> None:
    folder = target.parent
    (folder / f".surgery-{DEAD}-0a1b.part").touch()
    (folder / f".surgery-{DEAD}-0a1c.part").mkdir()
    (folder / f".surgery-{DEAD}-0a1c.part" / "file").touch()
    remove_litter(target)
    assert names(folder) == []


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(f".surgery-{os.getpid()}-0a1b.part", id="of this process"),
        ".surgery-1-0a1b.part",
        f".surgery-{DEAD}-0a1b.party",
        f"surgery-{DEAD}-0a1b.part",
        f".surgery-{DEAD}-zz.part",
        ".surgery--0a1b.part",
        ".surgery-99999999999999999999-0a.part",
        "model.part",
    ],
)
def test_everything_else_is_left_alone(name: str, target: Path) -> None:
    (target.parent / name).touch()
    remove_litter(target)
    assert names(target.parent) == [name]


def test_a_link_with_the_name_of_litter_is_left_alone(target: Path) -> None:
    (target.parent / "precious").touch()
    link = target.parent / f".surgery-{DEAD}-0a1b.part"
    link.symlink_to("precious")
    remove_litter(target)
    assert link.is_symlink()


def test_a_lock_protects_what_another_container_writes(target: Path) -> None:
    path = target.parent / f".surgery-{DEAD}-0a1b.part"
    path.touch()
    code = (
        "import fcntl, os, sys, time\n"
        "held = os.open(sys.argv[1], os.O_RDONLY)\n"
        "fcntl.flock(held, fcntl.LOCK_EX)\n"
        "print('held', flush=True)\n"
        "time.sleep(60)\n"
    )
    holder = python(code, path, cwd=target.parent)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    remove_litter(target)
    assert path.exists()
    holder.kill()
    holder.communicate()
    remove_litter(target)
    assert not path.exists()


def test_an_old_folder_that_a_killed_run_moved_is_put_back(target: Path) -> None:
    old = aside(target)
    dead = old.with_name(old.name.replace(str(os.getpid()), str(DEAD)))
    dead.mkdir()
    (dead / "precious").touch()
    remove_litter(target.with_name("other"))
    assert dead.exists()
    remove_litter(target)
    assert names(target) == ["precious"]
    assert names(target.parent) == ["out"]


def test_an_old_folder_whose_successor_is_there_is_removed(target: Path) -> None:
    old = aside(target)
    old.with_name(old.name.replace(str(os.getpid()), str(DEAD))).mkdir()
    target.mkdir()
    remove_litter(target)
    assert names(target.parent) == ["out"]
