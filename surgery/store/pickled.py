"""A pickle, opened only when the user says so, as the safetensors file that it is made into.

The pickle itself is opened in a child process with limits; this one never imports torch.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import weakref
from pathlib import Path

from surgery.errors import CheckpointError, ResourceError
from surgery.store.files import Stamp, check_unchanged, stamp
from surgery.store.text import quoted, size, visible

ALLOW = (
    "--allow-pickle reads it with torch's restricted loader, in a process of its own with limits,"
    " and writes safetensors"
)
SECONDS, BYTES_PER_SECOND = 120, 20_000_000
_LOG = logging.getLogger("surgery")
_PACKAGE = Path(__file__).resolve().parents[2]
# Torch lets these overrule what its caller asks for.
_OVERRULING = ("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_WEIGHTS_ONLY_LOAD")


class Origin:
    """A file that was converted, and the conversion, which goes away together with this object.

    Args:
        path: the file the user named; no output may replace it.
        weights: the safetensors file made from it.
    """

    __slots__ = ("__weakref__", "path", "stamp", "weights")

    def __init__(self, path: Path) -> None:
        self.path, self.stamp = path, stamp(path)
        folder = _folder(path, self.stamp)
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.weights = folder / f"{path.stem}.safetensors"


def unpickled(path: Path) -> Origin:
    """Convert a pickle in a child process.

    Raises:
        CheckpointError: it holds more than weights, is damaged, or takes too long to read.
        ResourceError: no room for the converted file.
    """
    origin = Origin(path)
    answer = _ask(path, origin.weights, origin.stamp)
    check_unchanged(path, origin.stamp)
    if what := answer.get("what"):
        place, hint = str(answer.get("where", "")), str(answer.get("hint", ""))
        raise CheckpointError(str(what), where=place, hint=hint)
    left = answer.get("left")
    if isinstance(left, list) and left:
        shown = ", ".join(quoted(str(name), 40) for name in left[:3])
        more = f" and {len(left) - 3} more" if len(left) > 3 else ""
        _LOG.warning("%s: left out, being no weights: %s%s", visible(str(path)), shown, more)
    return origin


def _folder(path: Path, before: Stamp) -> Path:
    """A folder of our own with room for the converted file."""
    # Imported here because reading any other model never needs it; likewise subprocess below.
    import tempfile

    try:
        folder = Path(tempfile.mkdtemp(prefix="surgery-"))
        free = shutil.disk_usage(folder).free
    except OSError as error:
        problem = f"no temporary folder: {error.strerror}"
        raise ResourceError(problem, where=visible(str(path)), hint="set TMPDIR") from error
    if free < before.size:
        shutil.rmtree(folder, ignore_errors=True)
        raise ResourceError(
            f"the converted file needs {size(before.size)}, {size(free)} are free",
            where=visible(str(folder.parent)),
            hint="set TMPDIR to a folder with more room",
        )
    return folder


def _ask(path: Path, target: Path, before: Stamp) -> dict[str, object]:
    """Run the child and return its answer."""
    import subprocess

    limit = SECONDS + before.size // BYTES_PER_SECOND
    # -P keeps the working folder, where a torch.py may lie, out of the child's imports.
    command = [sys.executable, "-P", "-m", "surgery.store.unpickle", str(path.absolute())]
    where = visible(str(path))
    try:
        done = subprocess.run(
            [*command, str(target)],
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit,
            check=False,
        )
        answer = json.loads(done.stdout)
    except subprocess.TimeoutExpired as error:
        problem = f"it took longer than {limit} s to read"
        raise CheckpointError(problem, where=where, hint="get the .safetensors file") from error
    except ValueError as error:
        problem = "torch's restricted loader cannot read it within its limits"
        raise CheckpointError(problem, where=where, hint="get the .safetensors file") from error
    return answer if isinstance(answer, dict) else {}


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _OVERRULING}
    earlier = kept.get("PYTHONPATH")
    places = [str(_PACKAGE), *([earlier] if earlier else [])]
    return {**kept, "PYTHONPATH": os.pathsep.join(places), "OMP_NUM_THREADS": "1"}
