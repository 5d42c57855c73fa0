"""What LPIPS and FID need of this machine: packages, and files of weights.

Nothing is ever downloaded here, and of a file of weights only tensors are read.
"""

from __future__ import annotations

import importlib
import os
import pickle
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import file_digest
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import torch

from surgery.errors import CheckpointError, UsageError
from surgery.store.text import nearest, quoted, visible


@dataclass(frozen=True, slots=True)
class Needs:
    """What a metric runs on.

    Args:
        title: what papers call it.
        module: of torchmetrics, where it is.
        packages: by the names that they are imported by; all are of the extra `metrics`.
        url: of its weights. The file's name ends in the first digits of its SHA-256.
    """

    title: str
    module: str
    packages: tuple[str, ...]
    url: str

    @property
    def file(self) -> str:
        """The name of the file of weights."""
        return self.url.rpartition("/")[2]


NEEDS: Mapping[str, Needs] = {
    "lpips": Needs(
        "LPIPS",
        "torchmetrics.image.lpip",
        ("torchmetrics", "torchvision"),
        "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    ),
    "fid": Needs(
        "FID",
        "torchmetrics.image.fid",
        ("torchmetrics", "torchvision", "torch_fidelity"),
        "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
        "weights-inception-2015-12-05-6726825d.pth",
    ),
}
"""The metrics by name, each with the weights that its figures in papers are of."""


def check_metrics(names: Sequence[str]) -> None:
    """Refuse metrics that are not known.

    Raises:
        UsageError: as said.
    """
    for name in names:
        if name not in NEEDS:
            guess = nearest(name, NEEDS)
            hint = f"did you mean {guess!r}?" if guess else "there are " + ", ".join(NEEDS)
            raise UsageError(f"there is no metric {quoted(name)}", hint=hint)


def ready(name: str) -> tuple[Path, str, ModuleType]:
    """The file of weights, its digest, and the module that has the metric.

    Raises:
        UsageError: packages or weights are missing, or do not go together.
        CheckpointError: the file of weights is another one.
    """
    needs = NEEDS[name]
    if missing := [one for one in needs.packages if find_spec(one) is None]:
        raise UsageError(
            f"{needs.title} needs {' and '.join(missing)}, not installed here",
            where=f"--metric {name}",
            hint="pip install 'surgery[metrics]'",
        )
    path = Path(torch.hub.get_dir()) / "checkpoints" / needs.file
    if not path.is_file():
        raise UsageError(
            f"{needs.title} needs weights that are not on this machine, and nothing is downloaded "
            "for it",
            where=f"--metric {name}",
            hint=f"put {needs.url} into {path.parent}",
        )
    return path, _digest(path), imported(name)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        found = file_digest(file, "sha256").hexdigest()
    stated = path.stem.rpartition("-")[2]
    if not found.startswith(stated):
        raise CheckpointError(
            f"its SHA-256 begins with {found[:8]}, not with {stated} as its name says",
            where=visible(str(path)),
            hint="download it again",
        )
    return found[:12]


def imported(name: str) -> ModuleType:
    """The module of torchmetrics that has a metric.

    Raises:
        UsageError: it does not go together with this torch.
    """
    try:
        return importlib.import_module(NEEDS[name].module)
    except (ImportError, RuntimeError, AttributeError, OSError) as error:
        # A torchvision that was built for another torch than this fails when it is imported.
        reason = visible(str(error).partition("\n")[0])
        raise UsageError(
            f"{NEEDS[name].title} cannot be imported beside torch {torch.__version__}: {reason}",
            where=f"--metric {name}",
            hint="install the torchvision that goes with it, from the index that torch is from",
        ) from error


@contextmanager
def tensors_only(path: Path) -> Iterator[None]:
    """Have torch read tensors and nothing else, whoever calls it and whatever it is asked."""
    name = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    except (pickle.UnpicklingError, RuntimeError, KeyError) as error:
        reason = visible(str(error).partition("\n")[0])
        raise CheckpointError(f"cannot be read: {reason}", where=visible(str(path))) from error
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before
