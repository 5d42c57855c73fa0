"""Temporary folders go with their owner; those of a killed process go with the next one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from surgery.errors import ResourceError
from surgery.store.scratch import scratch_folder

KILLED = """
import os, signal, sys
from pathlib import Path
from surgery.store.scratch import scratch_folder
class Owner: pass
owner = Owner()
(scratch_folder(owner, Path("m")) / "weights").write_bytes(b"x")
if sys.argv[1] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
"""


class Owner:
    """Anything that can be referred to weakly."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def run(how: str, folder: Path) -> int:
    root = str(Path(__file__).parents[2])
    environment = os.environ | {"TMPDIR": str(folder), "PYTHONPATH": root}
    return subprocess.run([sys.executable, "-c", KILLED, how], env=environment).returncode


def test_it_is_private_and_goes_with_its_owner(folder: Path) -> None:
    owner = Owner()
    made = scratch_folder(owner, Path("m"))
    (made / "weights").write_bytes(b"x")
    assert made.parent == folder and made.stat().st_mode & 0o777 == 0o700
    assert f"-{os.getpid()}-" in made.name
    del owner
    assert list(folder.iterdir()) == []


def test_it_goes_when_the_process_ends(folder: Path) -> None:
    assert run("ended", folder) == 0
    assert list(folder.iterdir()) == []


def test_what_a_killed_process_left_is_cleared_and_what_others_use_stays(folder: Path) -> None:
    (folder / "mine").touch()
    owner = Owner()
    living = scratch_folder(owner, Path("m"))
    assert run("killed", folder) == -signal.SIGKILL
    assert len(list(folder.iterdir())) == 3
    assert run("ended", folder) == 0
    assert set(folder.iterdir()) == {folder / "mine", living}


def test_no_place_for_it_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(ResourceError, match="no temporary folder"):
        scratch_folder(Owner(), Path("m.ckpt"))
