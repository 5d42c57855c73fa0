"""Whatever stops a write, the target is absent, old or new; what is left behind is cleared."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

import pytest

from surgery.errors import OutputError, ResourceError
from surgery.store.checkpoint import open_checkpoint
from surgery.store.header import read_header
from surgery.store.writer import write
from tests.store.build import (
    contents,
    names,
    python,
    skip_unless_closed,
    write_file,
    write_pipeline,
)

BIG = {f"t{number}": ("F32", (256, 256)) for number in range(16)}

# argv: source, output, what to do when the middle tensor's turn comes.
WRITE = """
import sys, time
from surgery.store import open_checkpoint, write
checkpoint = open_checkpoint(sys.argv[1])
fill = bytes([int(sys.argv[4])])
def make(name):
    if sys.argv[3] == "wait" and name.endswith("8"):
        print("waiting", flush=True)
        time.sleep(60)
    time.sleep(float(sys.argv[5]))
    return fill * checkpoint[name].nbytes
changes = {name: (lambda name=name: make(name)) for name in checkpoint}
write(checkpoint, changes, sys.argv[2], metadata={"surgery.fill": sys.argv[4]}, force=True)
"""


class Boom(Exception):
    """No kin of any error of ours."""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_file(tmp_path / "in" / "m.safetensors", BIG)


@pytest.mark.parametrize("error", [Boom, KeyboardInterrupt, SystemExit, MemoryError])
def test_an_exception_while_a_change_is_made_leaves_nothing(
    error: type[BaseException], source: Path, tmp_path: Path
) -> None:
    def fail() -> bytes:
        raise error

    with pytest.raises(error):
        write(open_checkpoint(source), {"t8": fail}, tmp_path / "out", metadata={})
    assert names(tmp_path) == ["in"]
    root = write_pipeline(tmp_path / "sd")
    with pytest.raises(error):
        write(open_checkpoint(root), {"unet/b.weight": fail}, tmp_path / "out", metadata={})
    assert names(tmp_path) == ["in", "sd"]


def test_an_exception_leaves_the_old_output(source: Path, tmp_path: Path) -> None:
    def fail(count: int) -> None:
        if count:
            raise Boom

    (tmp_path / "out").write_bytes(b"old")
    with pytest.raises(Boom):
        write(open_checkpoint(source), {}, tmp_path / "out", metadata={}, force=True, on_bytes=fail)
    assert (tmp_path / "out").read_bytes() == b"old"
    assert names(tmp_path) == ["in", "out"]


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_file_size_limit_is_told_before_the_first_byte(
    share: float, source: Path, tmp_path: Path
) -> None:
    checkpoint = open_checkpoint(source)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(share * checkpoint.total_bytes), limit[1]))
    seen: list[int] = []
    try:
        with pytest.raises(ResourceError, match=r"out: no room: .* are needed"):
            write(checkpoint, {}, tmp_path / "out", metadata={}, on_bytes=seen.append)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert names(tmp_path) == ["in"]
    assert seen == []


def test_a_read_only_folder_is_refused_before_reading(source: Path, tmp_path: Path) -> None:
    skip_unless_closed(tmp_path / "closed")
    with pytest.raises(OutputError, match="not writable"):
        write(open_checkpoint(source), {}, tmp_path / "closed" / "out", metadata={})


def test_a_closed_folder_is_refused_to_those_without_special_rights(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(OutputError, match="not writable"):
        write(open_checkpoint(source), {}, tmp_path / "out", metadata={})
    assert names(tmp_path) == ["in"]


@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize("existing", [False, True])
def test_after_kill_9_the_target_is_whole_and_the_next_run_clears_up(
    kind: str, existing: bool, source: Path, tmp_path: Path
) -> None:
    model = source if kind == "file" else folder_of(source)
    out = tmp_path / "results" / "out"
    out.parent.mkdir()
    if existing:
        write(open_checkpoint(model), {}, out, metadata={})
    before = contents(out) if existing else None
    child = python(WRITE, model, out, "wait", 1, 0, cwd=tmp_path)
    assert child.stdout is not None
    assert child.stdout.readline() == "waiting\n"
    child.kill()
    child.communicate()
    assert (contents(out) if out.exists() else None) == before
    litter = [name for name in names(out.parent) if name != "out"]
    assert [name.startswith(f".surgery-{child.pid}-") for name in litter] == [True]
    write(open_checkpoint(model), {}, out, metadata={}, force=True)
    assert names(out.parent) == ["out"]
    assert contents(out) == contents(model)


def folder_of(source: Path) -> Path:
    root = write_pipeline(source.parent / "sd")
    source.rename(root / "text_encoder" / "model.safetensors")
    return root


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_killed_at_any_moment_a_write_leaves_old_or_new(
    kind: str, source: Path, tmp_path: Path
) -> None:
    model = source if kind == "file" else folder_of(source)
    out = tmp_path / "results" / "out"
    out.parent.mkdir()
    write(open_checkpoint(model), {}, out, metadata={})
    old = contents(out)
    new: dict[str, str] | None = None
    for delay in (0.12, 0.18, 0.24, 0.3, 5):
        child = python(WRITE, model, out, "go", 7, 0.005, cwd=tmp_path)
        time.sleep(delay) if delay < 1 else child.wait(30)
        child.kill()
        child.communicate()
        found = contents(out)
        if found != old:
            new = new or found
            assert found == new
    assert new is not None
    assert names(out.parent) == ["out"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_three_writers_on_one_output_never_mix(kind: str, source: Path, tmp_path: Path) -> None:
    model = source if kind == "file" else folder_of(source)
    out = tmp_path / "results" / "out"
    out.parent.mkdir()
    children = [python(WRITE, model, out, "go", fill, 0.01, cwd=tmp_path) for fill in (1, 2, 3)]
    for child in children:
        _, errors = child.communicate(timeout=60)
        assert child.returncode == 0, errors
    assert names(out.parent) == ["out"]
    checkpoint = open_checkpoint(out)
    fills = {metadata["surgery.fill"] for metadata in checkpoint.metadata.values()}
    assert len(fills) == 1
    expected = int(fills.pop())
    assert {byte for ref in checkpoint.values() for byte in ref.read()} == {expected}


def test_without_force_only_the_first_of_two_writers_wins(source: Path, tmp_path: Path) -> None:
    checkpoint = open_checkpoint(source)
    out = tmp_path / "out"

    def meanwhile() -> bytes:
        write(checkpoint, {}, out, metadata={})
        return bytes(checkpoint["t8"].nbytes)

    with pytest.raises(OutputError, match="exists already"):
        write(checkpoint, {"t8": meanwhile}, out, metadata={})
    assert out.read_bytes() == source.read_bytes()
    assert names(tmp_path) == ["in", "out"]
    assert read_header(out).metadata == {}
