"""Every call to the system fails in turn: an error of ours, no litter, the target old or new."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from surgery.errors import SurgeryError
from surgery.store.checkpoint import open_checkpoint
from surgery.store.writer import write
from tests.store.build import contents, names, write_file, write_json

CALLS = (
    "open",
    "posix_fallocate",
    "pread",
    "preadv",
    "pwrite",
    "fsync",
    "fchmod",
    "fchown",
    "mkdir",
    "rename",
    "replace",
    "stat",
    "listdir",
    "scandir",
    "statvfs",
)


class Failing:
    """Fails call number `nth` to `original` and counts the calls."""

    def __init__(self, original: Callable[..., object], nth: int, code: int) -> None:
        self.original, self.nth, self.code = original, nth, code
        self.count = 0
        self.armed = True

    def __call__(self, *arguments: object, **options: object) -> object:
        self.count += self.armed
        if self.armed and self.count == self.nth:
            raise OSError(self.code, os.strerror(self.code))
        return self.original(*arguments, **options)


@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize(
    ("call", "code"),
    [(call, errno.EIO) for call in CALLS]
    + [(call, errno.ENOSPC) for call in ("open", "posix_fallocate", "pwrite", "fsync")],
)
def test_a_failure_of_any_call_leaves_old_or_new_and_no_litter(
    call: str, code: int, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "model"
    weights = write_file(root / "model.safetensors", {"w": ("F16", (4, 4))})
    write_json(root / "config.json", {})
    write_json(root / "deep" / "vocab.json", {})
    model = root if kind == "folder" else weights
    checkpoint = open_checkpoint(model)
    name = next(iter(checkpoint))
    out = tmp_path / "results" / "out"
    out.parent.mkdir()
    write(checkpoint, {}, out, metadata={})
    original = getattr(os, call)
    nth = 0
    while True:
        nth += 1
        before, source = contents(out), contents(root)
        fill = bytes([nth % 256]) * checkpoint[name].nbytes
        failing = Failing(original, nth, code)
        monkeypatch.setattr(os, call, failing)
        failed = False
        try:
            write(checkpoint, {name: lambda fill=fill: fill}, out, metadata={}, force=True)
        except SurgeryError:
            failed = True
        failing.armed = False
        monkeypatch.setattr(os, call, original)
        assert contents(root) == source
        assert names(out.parent) == ["out"]
        if contents(out) != before:
            assert open_checkpoint(out)[name].read() == fill
        if not failed and failing.count < nth:
            break
    assert nth < 200
