"""Where a command is started: environment, streams, working folder. Each must not matter."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.crash.scene import KINDS, NOTHING, Outcome, contents, hidden, remove
from tests.store.build import contents as whole

ROOT = Path(__file__).parents[2]
Words = list[str]


@dataclass(frozen=True, slots=True)
class Place:
    """One kind of surroundings.

    Args:
        shell: what a shell does with the command, which is "$@".
        without: variables that are missing; "*" for all.
        having: variables that are set.
        codes: exit codes that are right for `inspect`, whose work is what it shows.
        terminal: whether stdout and stderr are a terminal.
    """

    shell: str = 'exec "$@"'
    without: tuple[str, ...] = ()
    having: Mapping[str, str] | None = None
    codes: tuple[int, ...] = (0,)
    terminal: bool = False


_ASCII = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
PLACES: Mapping[str, Place] = {
    "HOME missing": Place(without=("HOME",)),
    "HOME not there": Place(having={"HOME": "/nowhere/at/all"}),
    "LANG=C, PYTHONUTF8=0": Place(having=_ASCII),
    "another encoding": Place(having={"PYTHONIOENCODING": "cp1252"}),
    "TERM=dumb, terminal": Place(having={"TERM": "dumb"}, terminal=True),
    "no TERM, terminal": Place(without=("TERM",), terminal=True),
    "terminal of one column": Place(having={"COLUMNS": "1", "LINES": "1"}, terminal=True),
    "empty environment": Place(without=("*",)),
    "TMPDIR not there": Place(having={"TMPDIR": "/nowhere/at/all"}),
    "working folder removed": Place(shell='mkdir gone && cd gone && rmdir ../gone && exec "$@"'),
    "stdin closed": Place(shell='exec "$@" <&-'),
    "stdout closed": Place(shell='exec "$@" >&-'),
    "stderr closed": Place(shell='exec "$@" 2>&-'),
    "all streams closed": Place(shell='exec "$@" <&- >&- 2>&-'),
    "stdout on a full disk": Place(shell='exec "$@" >/dev/full', codes=(2,)),
    "stderr on a full disk": Place(shell='exec "$@" 2>/dev/full'),
    "reader gone": Place(shell='"$@" | true; exit ${PIPESTATUS[0]}', codes=(0, 141)),
    "| head -1": Place(shell='"$@" | head -1; exit ${PIPESTATUS[0]}', codes=(0, 141)),
    "no rights for others": Place(shell='umask 077 && exec "$@"'),
    "under nohup": Place(shell='exec nohup "$@" </dev/null'),
}


def outcomes(work: Path, names: tuple[str, ...] = tuple(PLACES)) -> Iterator[Outcome]:
    """Two outcomes for each place: an `apply` that copies a model, and an `inspect` of it."""
    for number, name in enumerate(names):
        folder = work / str(number)
        model = KINDS["file"](folder / "in" / "modèle 模.safetensors")
        recipe = model.with_name("nothing.yaml")
        recipe.write_text(NOTHING, encoding="utf-8")
        out = folder / "out" / "résultat.safetensors"
        out.parent.mkdir()
        apply = ["apply", str(recipe), "-m", str(model), "-o", str(out)]
        place = PLACES[name]
        code, error = _started(place, apply, folder)
        state = "old" if not out.exists() else "new" if whole(out) == whole(model) else "torn"
        litter, told = len(hidden(folder)), code in place.codes and code != 0
        is_right = told if state == "old" else state == "new" and (told or code == 0)
        yield _judged(name, state, code, litter, error, is_right)
        before = contents(folder)
        code, error = _started(place, ["inspect", str(model)], folder)
        same = contents(folder) == before
        yield _judged(name, "old" if same else "torn", code, 0, error, code in place.codes)
        remove(folder)


def _judged(name: str, state: str, code: int, litter: int, error: str, is_right: bool) -> Outcome:
    # The reader's going away and a result nobody could show are told by the exit code.
    shown = 0 if is_right and state == "new" else 2 if is_right else code
    return Outcome(
        state, shown, litter, is_right, 0.0, "" if is_right else f"{name}: {code} {error}"
    )


def _started(place: Place, words: Words, folder: Path) -> tuple[int, str]:
    command = ["bash", "-c", place.shell, "bash", sys.executable, "-m", "surgery", *words]
    environment = {name: value for name, value in os.environ.items() if "*" not in place.without}
    for name in place.without:
        environment.pop(name, None)
    environment |= {"PYTHONPATH": str(ROOT)} | dict(place.having or {})
    start: Callable[..., tuple[int, str]] = _on_terminal if place.terminal else _in_pipes
    return start(command, env=environment, cwd=folder)


def _in_pipes(command: Words, **how: object) -> tuple[int, str]:
    done = subprocess.run(
        command,
        capture_output=True,
        timeout=60,
        check=False,
        **how,  # type: ignore[call-overload]
    )
    return done.returncode, done.stderr.decode("utf-8", "replace")


def _on_terminal(command: Words, **how: object) -> tuple[int, str]:
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        **how,  # type: ignore[call-overload]
    )
    os.close(theirs)
    said = bytearray()
    try:
        while piece := os.read(ours, 4096):
            said += piece
    except OSError:
        # What a terminal answers once nobody has its other end.
        pass
    os.close(ours)
    return child.wait(60), said.decode("utf-8", "replace")
