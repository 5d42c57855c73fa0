"""A model, a place to write it to, and the judgement of what a fault has left there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from surgery.errors import CheckpointError
from surgery.store.checkpoint import open_checkpoint
from surgery.store.inplace import edit_in_place
from surgery.store.record import MARK, beside
from surgery.store.restore import undo
from surgery.store.writer import write
from tests.crash import warm
from tests.store import build
from tests.store.build import write_file, write_json, write_pipeline

CHILD = Path(__file__).with_name("child.py")
OLD, NEW = 3, 7
NOTHING = "version: 1\nname: nothing\nedits: []\n"
INDEX = "model.safetensors.index.json"
STOPPED, PATIENCE = frozenset({129, 130, 143}), 2.0
WRITES = frozenset({"write", "command"})
KNOWN = re.compile(r"\.surgery-(\d+-[0-9a-f]+\.(part|.+\.old)|inplace-[0-9a-f]{16}\.part)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run left.

    Args:
        state: "old", "new" or "torn": the output, or the model edited in place and recovered.
        code: exit code of the job; negative when a signal ended it.
        litter: hidden files left beside it.
        mended: whether the same command run again gave the new output and removed the litter.
        seconds: from the fault to the end of the process.
    """

    state: str
    code: int
    litter: int
    mended: bool
    seconds: float = 0.0
    error: str = ""

    @property
    def is_bug(self) -> bool:
        """Whether it ended by an error that nobody had thought of."""
        return self.code == 1 or "Traceback" in self.error

    @property
    def is_sound(self) -> bool:
        """Whether every promise was kept."""
        if self.state == "torn" or not self.mended or self.is_bug:
            return False
        if self.code in STOPPED and self.seconds > PATIENCE:
            return False
        if self.code == 0 and self.state != "new":
            return False
        # Only a process that was killed may leave something behind.
        return self.code == -9 or not self.litter


@dataclass(frozen=True, slots=True)
class Scene:
    """A model and an output, or a model edited in place (`job` edit or undo).

    Args:
        job: what the child does.
        old: the output, or the model, before the job; empty where there was none.
        new: the same after it.
    """

    job: str
    model: Path
    out: Path
    old: Mapping[str, str]
    new: Mapping[str, str]

    @property
    def watched(self) -> Path:
        """What must be old or new."""
        return self.out if self.job in WRITES else self.model

    def command(self, fill: int = NEW, slow: float = 0.0) -> list[str]:
        """The job as a command line."""
        words = [self.job, self.model, self.out, fill, slow]
        return [sys.executable, "-B", "-S", str(CHILD), *map(str, words)]

    def reset(self) -> None:
        """Make everything as it was before the job."""
        left = (*hidden(self.out.parent), *hidden(self.model.parent))
        for path in (self.out, beside(self.out), *left):
            remove(path)
        if self.job in WRITES:
            if self.old:
                put(self.model, self.out, OLD)
            return
        # The bytes of `watched` and not only its values must be the first ones.
        put_values(self.model, OLD)
        if self.job == "undo":
            edit(self.model, self.out, NEW)

    def run(self, fault: Callable[[list[str]], tuple[int, str, float]]) -> Outcome:
        """Run the job under a fault and judge what it left."""
        source = contents(self.model) if self.job in WRITES else {}
        code, error, seconds = fault(self.command())
        litter = [*hidden(self.out.parent), *hidden(self.model.parent)]
        strange = [path for path in litter if not KNOWN.fullmatch(path.name)]
        state = "torn" if strange or self._is_false_record(code) else self._state()
        if self.job in WRITES and contents(self.model) != source:
            state = "torn"
        litter = [] if self._is_told(error) else litter
        return Outcome(state, code, len(litter), self._mended(), seconds, error)

    def _is_false_record(self, code: int) -> bool:
        """Whether the record beside a single file is there in part, or before its file."""
        if self.job != "write" or self.model.is_dir():
            return False
        found = beside(self.out).read_text("utf-8") if beside(self.out).exists() else ""
        allowed = {f'{MARK}"fill": {NEW}}}'} if self._state() == "new" else set()
        if self._state() == "old" or code:
            # A fault between the two renames leaves the record from before, which tells on itself.
            allowed.add(f'{MARK}"fill": {OLD}}}' if self.old else "")
        return found not in allowed

    def _state(self) -> str:
        found = contents(self.watched) if self.watched.exists() else {}
        if found == self.new:
            return "new"
        if found == self.old:
            return "old"
        # An edit in place may be half done after a kill, if everyone is told and undo mends it.
        if self.job in WRITES or not refused(self.model):
            return "torn"
        undo(self.out)
        before, name = (self.old, "old") if self.job == "edit" else (self.new, "new")
        return name if contents(self.model) == before else "torn"

    def _is_told(self, error: str) -> bool:
        """Whether what is left of an edit in place is needed, and the user knows the way on."""
        return self.job not in WRITES and "surgery undo" in error

    def _mended(self) -> bool:
        again = warm.run(self.command())
        if self.job == "edit" and self.out.exists() and again[0]:
            undo(self.out)
            remove(self.out)
            again = warm.run(self.command())
        whole = contents(self.watched) == self.new
        beside = [*hidden(self.out.parent), *hidden(self.model.parent)]
        return again[0] == 0 and whole and not beside


def refused(model: Path) -> bool:
    """Whether opening a half edited model fails with the command that mends it."""
    try:
        open_checkpoint(model)
    except CheckpointError as error:
        return "surgery undo" in str(error)
    return False


def scene(folder: Path, job: str, *, kind: str = "file", exists: bool = True) -> Scene:
    """Build a small model and, where it `exists`, its output with the old values."""
    model = KINDS[kind](folder / "in" / "model.safetensors")
    (folder / "out").mkdir(parents=True)
    out = folder / "out" / "result"
    if job in WRITES:
        new = _new(job, model, out)
        put(model, out, OLD)
        found = Scene(job, model, out, contents(out) if exists else {}, new)
    else:
        put_values(model, NEW)
        new = contents(model)
        put_values(model, OLD)
        states = (contents(model), new) if job == "edit" else (new, contents(model))
        found = Scene(job, model, out, *states)
    found.reset()
    return found


def _new(job: str, model: Path, out: Path) -> dict[str, str]:
    if job == "command":
        model.with_name("nothing.yaml").write_text(NOTHING, encoding="utf-8")
        write(open_checkpoint(model), {}, out, metadata={})
    else:
        put(model, out, NEW)
    found = contents(out)
    remove(out)
    remove(beside(out))
    return found


def _file(path: Path) -> Path:
    return write_file(path, {f"t{number}": ("F32", (64, 64)) for number in range(8)})


def _large(path: Path) -> Path:
    return write_file(path, {"small": ("F32", (8, 8)), "large": ("F32", (4096, 1024))})


def _folder(path: Path) -> Path:
    return write_pipeline(path.with_name("model"))


def _shards(path: Path) -> Path:
    names = {f"t{number}": f"model-{number:05}-of-00100.safetensors" for number in range(100)}
    for tensor, name in names.items():
        write_file(path.parent / "model" / name, {tensor: ("F32", (8, 8))})
    return write_json(path.parent / "model" / INDEX, {"weight_map": names}).parent


KINDS: Mapping[str, Callable[[Path], Path]] = {
    "file": _file,
    "large file": _large,
    "folder": _folder,
    "shards": _shards,
}


def put(model: Path, out: Path, fill: int) -> None:
    """Write a copy of the model whose tensors hold `fill`."""
    checkpoint = open_checkpoint(model)
    changes = {name: filled(fill, checkpoint[name].nbytes) for name in checkpoint}
    told, text = {"surgery.fill": str(fill)}, f'{MARK}"fill": {fill}}}'
    write(checkpoint, changes, out, metadata=told, record=lambda: text, force=True)


def put_values(model: Path, fill: int) -> None:
    """Give every tensor of a model the value `fill`, leaving no undo file."""
    undo_file = model.parent / "scratch.undo"
    edit(model, undo_file, fill)
    undo_file.unlink(missing_ok=True)


def edit(model: Path, undo_file: Path, fill: int) -> None:
    """Edit every tensor of a model in place."""
    checkpoint = open_checkpoint(model)
    values = {name: bytes([fill]) * checkpoint[name].nbytes for name in checkpoint}
    edit_in_place(checkpoint, values, undo_file)


def filled(fill: int, nbytes: int) -> Callable[[], bytes]:
    return lambda: bytes([fill]) * nbytes


def contents(root: Path) -> dict[str, str]:
    """Relative name -> digest of every file at or beneath `root` but what runs have left."""
    found = build.contents(root)
    return {name: digest for name, digest in found.items() if not Path(name).name.startswith(".s")}


def hidden(folder: Path) -> list[Path]:
    """What runs have left in a folder and beneath it."""
    return sorted(folder.rglob(".s*"))


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def run(command: Sequence[str], limit: float) -> tuple[int, str, float]:
    """Run a command to its end: (exit code, stderr, seconds)."""
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    return done.returncode, done.stderr, time.perf_counter() - began
