"""The engine of this machine: processes, each started anew and ended at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from surgery.engine.dispatch import Died, News, Ready
from surgery.engine.pool import Pool, heard, packed
from surgery.engine.worker import HELLO, work
from surgery.store.memory import available


class Local(Pool):
    """Workers as processes of this machine.

    Args:
        workers: how many; None for as many as there are processors and memory for, on `cuda` GPUs.
        threads: that an item will use.
        device: on `cuda` the workers take turns over the GPUs.
        memory: bytes that each will need.
    """

    def __init__(
        self,
        workers: int | None = None,
        threads: int = 1,
        device: str = "cpu",
        memory: int = 0,
    ) -> None:
        super().__init__()
        self.gpus = _gpus() if device == "cuda" else ()
        self.workers = workers or len(self.gpus) or _fitting(threads, memory)

    def _hired(self) -> tuple[Processes, int]:
        return Processes(self.gpus), self.workers


class Processes:
    """A crew of processes, each at the end of a line of its own.

    They are spawned, not forked: a fork of a process with threads or a GPU may hang.

    Args:
        gpus: names of GPUs; each process sees one of them.
    """

    def __init__(self, gpus: tuple[str, ...] = ()) -> None:
        self._gpus = gpus
        self._context = get_context("spawn")
        self._numbers = count()
        self._processes: dict[int, SpawnProcess] = {}
        self._lines: dict[int, Connection] = {}

    def hire(self) -> int:
        """See `Crew`."""
        number = next(self._numbers)
        mine, theirs = self._context.Pipe()
        gpu = self._gpus[number % len(self._gpus)] if self._gpus else None
        environment = {} if gpu is None else {"CUDA_VISIBLE_DEVICES": gpu}
        process = self._context.Process(target=work, args=(theirs, environment), daemon=True)
        with _deaf_to_the_keyboard():
            process.start()
            self._processes[number], self._lines[number] = process, mine
        theirs.close()
        return number

    def give(self, worker: int, function: Callable[..., object], item: object) -> None:
        """See `Crew`."""
        work = packed(function, item)
        with suppress(OSError):  # It died; its line will say so.
            self._lines[worker].send_bytes(work)

    def news(self) -> list[tuple[int, News]]:
        """See `Crew`."""
        owners = {line: number for number, line in self._lines.items()}
        ready = wait(list(owners))
        return [(owners[line], self._said(owners[line])) for line in ready]  # type: ignore[index]

    def _said(self, worker: int) -> News:
        try:
            answer = self._lines[worker].recv_bytes()
        except (EOFError, OSError):
            return Died(_end(self._let_go(worker)))
        return Ready() if answer == HELLO else heard(answer)

    def _let_go(self, worker: int) -> int | None:
        """Make sure that a process is gone; its exit code."""
        process = self._processes.pop(worker)
        # A line may close a moment before its process has ended by itself.
        process.join(1)
        process.kill()
        process.join()
        self._lines.pop(worker).close()
        return process.exitcode

    def close(self) -> None:
        """See `Closing`."""
        for process in self._processes.values():
            process.kill()
        for worker in list(self._processes):
            self._let_go(worker)


def _end(code: int | None) -> str:
    """How a process ended, from its exit code."""
    if code is not None and code < 0:
        with suppress(ValueError):
            return f"killed by {signal.Signals(-code).name}"
    return f"with exit code {code}"


@contextmanager
def _deaf_to_the_keyboard() -> Iterator[None]:
    """Processes started within never hear Ctrl-C; this one hears it when the block ends.

    A terminal tells all processes of a command; the one that owns the others ends them.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # The first process of all brings a tracker along, whose start would let Ctrl-C through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _fitting(threads: int, memory: int) -> int:
    """How many workers this machine has room for, at least one."""
    fit, free = _processors() // threads, available()
    if memory and free is not None:
        fit = min(fit, free // memory)
    return max(1, fit)


def _processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _gpus() -> tuple[str, ...]:
    """What CUDA_VISIBLE_DEVICES may name, one for each GPU."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named:
        return tuple(named.split(","))
    import torch

    return tuple(map(str, range(torch.cuda.device_count())))
