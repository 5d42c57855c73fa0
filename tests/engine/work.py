"""What the engines are given in these tests: functions of a module, as other processes need."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from surgery.errors import CheckpointError


@dataclass(frozen=True)
class Fatal:
    """Kills whoever works on it, as often as there are places for a trace of it.

    Args:
        traces: files; one is made before each death.
    """

    traces: tuple[Path, ...]
    number: int = 0


def square(number: int) -> int:
    return number * number


def slow_first(number: int) -> int:
    time.sleep(0.3 if number == 0 else 0.0)
    return number


def mortal(item: Fatal) -> int:
    for trace in item.traces:
        if not trace.exists():
            trace.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return item.number


def refuse(number: int) -> int:
    if number == 2:
        raise CheckpointError("it is damaged", where="a model", hint="get another")
    return number


def divide(number: int) -> float:
    return 1 / number


def process(number: int) -> int:
    time.sleep(0.05)
    return os.getpid()


def seen(number: int) -> tuple[int, str | None, str | None]:
    import torch

    threads = os.environ.get("OMP_NUM_THREADS")
    return torch.get_num_threads(), threads, os.environ.get("CUDA_VISIBLE_DEVICES")


def sums(seed: int) -> bytes:
    """Products and sums whose last bits depend on how they are shared out."""
    import torch

    drawn = torch.randn(3, 257, 511, generator=torch.Generator().manual_seed(seed))
    made = torch.nn.functional.conv1d(drawn, drawn[:, :, :9].repeat(16, 1, 1)).softmax(-1)
    return bytes((made @ made.transpose(1, 2)).numpy().tobytes())


def dawdle(place: Path) -> None:
    """Says which process it is, and then does not end."""
    (place / str(os.getpid())).touch()
    time.sleep(600)


def node(number: int) -> str:
    """The machine of a Ray cluster that this runs on."""
    import ray

    time.sleep(0.1)
    return str(ray.get_runtime_context().get_node_id())


def meet(place: Path) -> str:
    """The machine; nobody leaves before there were two."""
    own = node(0)
    (place / own).touch()
    ends = time.monotonic() + 60
    while len(list(place.iterdir())) < 2 and time.monotonic() < ends:
        time.sleep(0.05)
    return own
