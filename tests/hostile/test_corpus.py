"""Every bad input ends in one sentence and nothing written; every odd one is kept to the byte."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from surgery.cli import main
from surgery.cli.doctor import BROKEN
from surgery.store.text import visible
from tests.hostile.cases import Case
from tests.hostile.corpus import BAD, ODD, Built, build

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
# The table runs the others too, each in a process of its own.
QUICK = {"check", "inspect", "apply", "diff"}
LARGEST, BLOCK = 100_000, 4096


def shown(case: Case) -> str:
    return case.id.encode("ascii", "replace").decode().replace("\0", "")


def inventory(folder: Path) -> dict[str, tuple[int, int, int]]:
    """What is beneath a folder: kind, size and time of everything, links not followed."""
    found = {}
    for path in _beneath(folder):
        info = path.lstat()
        found[str(path)] = (info.st_mode, info.st_size, info.st_mtime_ns)
    return found


def _beneath(folder: Path, *, followlinks: bool = False) -> Iterator[Path]:
    for root, folders, files in os.walk(folder, followlinks=followlinks):
        yield from (Path(root) / name for name in (*folders, *files))


def hidden(text: str) -> list[str]:
    """Characters that a terminal would obey or hide."""
    return [c for c in text if c != "\n" and unicodedata.category(c) in HIDDEN]


def content(root: Path) -> dict[str, bytes]:
    if root.is_file():
        return {"": root.read_bytes()}
    found = (path for path in _beneath(root, followlinks=True) if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in found}


def test_the_corpus_is_as_large_as_promised_and_has_no_name_twice() -> None:
    assert len(BAD) >= 200
    assert len(ODD) >= 60
    assert len({case.id for case in (*BAD, *ODD)}) == len(BAD) + len(ODD)


@pytest.mark.parametrize("case", BAD, ids=shown)
def test_a_bad_input_is_refused_in_one_sentence(
    case: Case, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    built = build(case, tmp_path)
    before = inventory(tmp_path)
    for name in QUICK & built.commands.keys():
        code = main(built.commands[name])
        out, err = capfd.readouterr()
        assert (code, out) == (case.code, ""), f"{name}: {err}"
        assert err.startswith("Error: ") and err.count("\n") == 1, f"{name}: {err}"
        assert "Traceback" not in err and not hidden(err), f"{name}: {err}"
        assert visible(case.names) in err and case.says in err, f"{name}: {err}"
        assert len(err) < 1500, f"{name}: a sentence of {len(err)} characters"
        assert inventory(tmp_path) == before, name


MODELS = [case for case in BAD if case.kind == "model"][::4]


@pytest.mark.parametrize("case", MODELS, ids=shown)
def test_the_doctor_calls_a_bad_input_broken_or_refuses_it(
    case: Case, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    built = build(case, tmp_path)
    before = inventory(tmp_path)
    assert main(["doctor", "--", built.address]) in (case.code, BROKEN)
    assert not hidden("".join(capfd.readouterr()))
    assert inventory(tmp_path) == before


@pytest.mark.parametrize("case", ODD, ids=shown)
def test_an_odd_input_is_kept_byte_for_byte(
    case: Case, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    built = build(case, tmp_path)
    before = content(tmp_path / "in")
    for name in ("inspect", "inspect json", "apply"):
        code = main(built.commands[name])
        out, err = capfd.readouterr()
        assert code == 0, f"{name}: {err}"
        assert not hidden(out + err), name
    assert content(built.out) == kept(built)
    assert content(tmp_path / "in") == before
    assert main(["diff", "--exit-code", "--", built.address, str(built.out)]) == 0
    assert not hidden("".join(capfd.readouterr()))


def kept(built: Built) -> dict[str, bytes]:
    """The bytes the output must have: those of the file, the folder, or index and shards."""
    path = Path(built.address)
    return content(path.parent if path.name.endswith(".index.json") else path)


def test_the_files_are_small_and_the_same_on_every_run(tmp_path: Path) -> None:
    for number, case in enumerate((*BAD, *ODD)):
        one, two = tmp_path / f"{number}a", tmp_path / f"{number}b"
        for folder in (one, two):
            folder.mkdir()
            build(case, folder)
        assert max(on_disk(path) for path in _beneath(one)) <= LARGEST + BLOCK, case.id
        # A pickle that would make a folder names that folder.
        assert case.group == "pickle" or regular(one) == regular(two), case.id


def on_disk(path: Path) -> int:
    return 0 if path.is_dir() else path.lstat().st_blocks * 512


def regular(folder: Path) -> dict[str, bytes]:
    """The files that are no pipe, device or link; of a sparse one, what was written."""
    paths = (path for path in _beneath(folder) if stat.S_ISREG(path.lstat().st_mode))
    found = {}
    for path in paths:
        with path.open("rb") as file:
            found[str(path.relative_to(folder))] = file.read(LARGEST)
    return found
