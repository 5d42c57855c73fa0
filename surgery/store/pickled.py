"""Pickles, opened only when the user says so, as the safetensors file that they are made into.

The pickle itself is opened in a child process with limits; this one never imports torch.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from surgery.errors import CheckpointError, ResourceError
from surgery.store.files import check_unchanged, stamp
from surgery.store.sink import reported
from surgery.store.text import listed, quoted, size, visible

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
    """Files to be converted, and their conversion, which goes away together with this object.

    Args:
        sources: relative name -> the pickle, or the index of several, that the user has; no
            output may replace it.
        name: file name of the safetensors file made from them.

    Raises:
        CheckpointError: a source is missing.
        ResourceError: no room for the converted file.
    """

    __slots__ = ("__weakref__", "sources", "stamps", "weights")

    def __init__(self, sources: Mapping[str, Path], name: str) -> None:
        self.sources = dict(sources)
        self.stamps = {path: stamp(path) for path in sources.values()}
        self.weights = self._folder() / name

    @property
    def pickles(self) -> tuple[Path, ...]:
        """The sources that are no index."""
        return tuple(path for path in self.stamps if path.suffix != ".json")

    @property
    def nbytes(self) -> int:
        """Bytes of the sources."""
        return sum(each.size for each in self.stamps.values())

    def _folder(self) -> Path:
        """A folder of our own with room for the converted file."""
        # Imported here because reading any other model never needs it; likewise subprocess below.
        from surgery.store.scratch import scratch_folder

        folder = scratch_folder(self, self.pickles[0])
        with reported(folder):
            free = shutil.disk_usage(folder).free
        if free < self.nbytes:
            raise ResourceError(
                f"the converted file needs {size(self.nbytes)}, {size(free)} are free",
                where=visible(str(folder.parent)),
                hint="set TMPDIR to a folder with more room",
            )
        return folder


def convert(origins: Sequence[Origin]) -> None:
    """Make the safetensors file of each origin, all of them in one child process.

    Raises:
        CheckpointError: they hold more than weights, are damaged, or take too long to read.
    """
    if not origins:
        return
    answer = _ask(origins)
    for origin in origins:
        for path, before in origin.stamps.items():
            check_unchanged(path, before)
    if what := answer.get("what"):
        place, hint = str(answer.get("where", "")), str(answer.get("hint", ""))
        raise CheckpointError(str(what), where=place, hint=hint)
    left = answer.get("left")
    for place, names in left.items() if isinstance(left, dict) else ():
        shown = listed([quoted(str(name), 40) for name in names], ", ")
        _LOG.warning("%s: left out, being no weights: %s", place, shown)


def _ask(origins: Sequence[Origin]) -> dict[str, object]:
    """Run the child and return its answer."""
    import subprocess

    limit = SECONDS + sum(origin.nbytes for origin in origins) // BYTES_PER_SECOND
    jobs = [[str(one.weights), *(str(path.absolute()) for path in one.pickles)] for one in origins]
    # -P keeps the working folder, where a torch.py may lie, out of the child's imports.
    command = [sys.executable, "-P", "-m", "surgery.store.unpickle", json.dumps(jobs)]
    where = visible(str(origins[0].pickles[0]))
    try:
        done = subprocess.run(
            command,
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
