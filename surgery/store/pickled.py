"""Pickles, opened only when the user says so, as the safetensors file that they are made into.

The pickle itself is opened in a child process with limits; this one never imports torch.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import weakref
from collections.abc import Mapping
from pathlib import Path

from surgery.errors import CheckpointError, ResourceError
from surgery.store.files import check_unchanged, stamp
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
    """Files that were converted, and the conversion, which goes away together with this object.

    Args:
        sources: relative name -> the pickle, or the index of several, that the user has; no
            output may replace it.
        name: file name of the safetensors file made from them.
    """

    __slots__ = ("__weakref__", "sources", "stamps", "weights")

    def __init__(self, sources: Mapping[str, Path], name: str) -> None:
        self.sources = dict(sources)
        self.stamps = {path: stamp(path) for path in sources.values()}
        folder = _folder(self.pickles[0], self.nbytes)
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.weights = folder / name

    @property
    def pickles(self) -> tuple[Path, ...]:
        """The sources that are no index."""
        return tuple(path for path in self.stamps if path.suffix != ".json")

    @property
    def nbytes(self) -> int:
        """Bytes of the sources."""
        return sum(each.size for each in self.stamps.values())


def unpickled(sources: Mapping[str, Path], name: str) -> Origin:
    """Convert pickles to one safetensors file in a child process.

    Args:
        sources: relative name -> the pickle, or the index of several.
        name: file name of what is made of them.

    Raises:
        CheckpointError: they hold more than weights, are damaged, or take too long to read.
        ResourceError: no room for the converted file.
    """
    origin = Origin(sources, name)
    answer = _ask(origin)
    for path, before in origin.stamps.items():
        check_unchanged(path, before)
    if what := answer.get("what"):
        place, hint = str(answer.get("where", "")), str(answer.get("hint", ""))
        raise CheckpointError(str(what), where=place, hint=hint)
    left = answer.get("left")
    if isinstance(left, list) and left:
        shown = ", ".join(quoted(str(name), 40) for name in left[:3])
        more = f" and {len(left) - 3} more" if len(left) > 3 else ""
        where = visible(str(origin.pickles[0]))
        _LOG.warning("%s: left out, being no weights: %s%s", where, shown, more)
    return origin


def _folder(path: Path, needed: int) -> Path:
    """A folder of our own with room for the converted file."""
    # Imported here because reading any other model never needs it; likewise subprocess below.
    import tempfile

    try:
        folder = Path(tempfile.mkdtemp(prefix="surgery-"))
        free = shutil.disk_usage(folder).free
    except OSError as error:
        problem = f"no temporary folder: {error.strerror}"
        raise ResourceError(problem, where=visible(str(path)), hint="set TMPDIR") from error
    if free < needed:
        shutil.rmtree(folder, ignore_errors=True)
        raise ResourceError(
            f"the converted file needs {size(needed)}, {size(free)} are free",
            where=visible(str(folder.parent)),
            hint="set TMPDIR to a folder with more room",
        )
    return folder


def _ask(origin: Origin) -> dict[str, object]:
    """Run the child and return its answer."""
    import subprocess

    limit = SECONDS + origin.nbytes // BYTES_PER_SECOND
    sources = [str(path.absolute()) for path in origin.pickles]
    # -P keeps the working folder, where a torch.py may lie, out of the child's imports.
    command = [sys.executable, "-P", "-m", "surgery.store.unpickle", str(origin.weights)]
    where = visible(str(origin.pickles[0]))
    try:
        done = subprocess.run(
            [*command, *sources],
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
