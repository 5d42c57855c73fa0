"""The child process that opens pickles: `python -m surgery.store.unpickle JOBS`.

Only torch's restricted loader is used, once, under limits of memory and time; what it says is never
passed on, because its errors tell how to load the file unsafely. The answer is one line of JSON.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING

from surgery.errors import CheckpointError
from surgery.store.state_dict import weights_of, write_weights
from surgery.store.text import quoted, visible
from surgery.store.torch_zip import check_archive, is_zip

if TYPE_CHECKING:
    import torch

_SLACK = 1 << 30
_BEYOND = re.compile(r"not resizable|out of bounds|storage of size|storage has wrong")
_CLASS = re.compile(r"GLOBAL ([\w.]+)")
_SAFE = "get the .safetensors file; surgery opens no pickle that holds more than weights"
# Old training files carry these beside the weights; what stands in for them does nothing.
_INERT = (
    "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint",
    "lightning.pytorch.callbacks.model_checkpoint.ModelCheckpoint",
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray.scalar",
    "numpy.dtype",
)


class Inert:
    """What stands in for a known class of training code: takes anything, does nothing."""

    def __init__(self, *given: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


def main(jobs: Sequence[Sequence[str]]) -> dict[str, object]:
    """Do each job and return the answer: what was left out of which file, or the first error.

    Args:
        jobs: the file to write, then the pickles that it is made of.
    """
    left: dict[str, list[str]] = {}
    sizes = [sum(Path(name).stat().st_size for name in job[1:]) for job in jobs]
    where = visible(jobs[0][1])
    try:
        import torch

        torch.set_num_threads(1)
        _limit(max(sizes))
        for (target, *names), size in zip(jobs, sizes, strict=True):
            where = visible(names[0])
            tensors, left[where] = _all_weights([Path(name) for name in names])
            write_weights(tensors, Path(target), size, where)
    except CheckpointError as error:
        return {"what": error.what, "where": error.where, "hint": error.hint}
    except (MemoryError, OSError) as error:
        reason = "it needs more memory than its size accounts for"
        if isinstance(error, OSError):
            reason = f"cannot be converted: {error.strerror or type(error).__name__}"
        return {"what": reason, "where": where, "hint": ""}
    return {"left": {place: names for place, names in left.items() if names}}


def _all_weights(sources: Sequence[Path]) -> tuple[dict[str, torch.Tensor], list[str]]:
    tensors: dict[str, torch.Tensor] = {}
    left: list[str] = []
    for source in sources:
        where = visible(str(source))
        found, without = weights_of(_load(source, where), where)
        if twice := sorted(tensors.keys() & found.keys()):
            problem = f"the tensor {quoted(twice[0])} is in another shard too"
            raise CheckpointError(problem, where=where)
        tensors |= found
        left += without
    return tensors, left


def _limit(size: int) -> None:
    """Let this process grow by three times the file and a little, and write twice the file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * size + _SLACK, 2 * size + _SLACK))
    with suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0])
        most = pages * os.sysconf("SC_PAGE_SIZE") + 3 * size + _SLACK
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _load(source: Path, where: str) -> object:
    import torch

    zipped = is_zip(source)
    if zipped:
        check_archive(source)
    stand_ins: list[Callable[..., object] | tuple[Callable[..., object], str]]
    stand_ins = [(Inert, name) for name in _INERT]
    try:
        with torch.serialization.safe_globals(stand_ins):
            return torch.load(source, map_location="cpu", weights_only=True, mmap=zipped)
    except (UnpicklingError, EOFError, RecursionError) as error:
        raise CheckpointError(_refusal(source, error), where=where, hint=_SAFE) from error
    except RuntimeError as error:
        what = "torch's restricted loader cannot read it"
        if _BEYOND.search(str(error)):
            what = "a tensor claims more than its storage holds"
        raise CheckpointError(what, where=where, hint="it is damaged; get it again") from error


def _refusal(source: Path, error: BaseException) -> str:
    names = _classes(source) or _CLASS.findall(str(error))
    if not names:
        return "it is damaged, or holds more than weights"
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"it holds {quoted(sorted(names)[0])}{more}, which is no weight data and was not run"


def _classes(source: Path) -> list[str]:
    """The classes that a loader would have to import; torch lists them without doing so."""
    import torch

    try:
        return list(torch.serialization.get_unsafe_globals_in_checkpoint(source))
    except (UnpicklingError, ValueError, RuntimeError, EOFError, RecursionError, KeyError):
        return []


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(json.loads(sys.argv[1]))))
