"""The engine of a cluster: Ray's actors, each of them a worker. Ray is imported when it is used."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from itertools import count
from typing import Any

from surgery.engine.dispatch import Died, News, Ready
from surgery.engine.pool import Pool, heard, packed
from surgery.engine.worker import answer, settle
from surgery.errors import UsageError
from surgery.store.text import quoted, visible


class Ray(Pool):
    """Workers in a Ray cluster, on whichever of its machines there is room.

    Args:
        address: of a cluster that is running; None starts one on this machine, which ends with
            the engine.
        workers: how many; None for all that there is room for.
        threads: processors that a worker takes.
        device: on `cuda` a worker takes a GPU; with more workers than GPUs, its share of one.

    Raises:
        UsageError: Ray is not installed.
    """

    def __init__(
        self,
        address: str | None = None,
        workers: int | None = None,
        threads: int = 1,
        device: str = "cpu",
    ) -> None:
        super().__init__()
        if find_spec("ray") is None:
            raise UsageError(
                "Ray is not installed", hint="pip install 'surgery[ray]', or take --engine local"
            )
        self.address = address
        self.workers = workers
        self.threads = threads
        self.device = device

    def _hired(self) -> tuple[Actors, int]:
        ray, own = _connected(self.address, self.workers, self.threads)
        try:
            needs, room = self._needs(ray.cluster_resources())
        except BaseException:
            if own:
                ray.shutdown()
            raise
        return Actors(ray, needs, own), room

    def _needs(self, there: Mapping[str, float]) -> tuple[dict[str, float], int]:
        """What each worker takes of the cluster, and how many fit into it."""
        room = int(there.get("CPU", 0) // self.threads)
        if not self.device.startswith("cuda"):
            return _needs(self.threads, 0.0), _fits(room, self.workers, "free processors")
        gpus = there.get("GPU", 0.0)
        wanted = min(self.workers or int(gpus), room)
        share = min(1.0, int(10_000 * gpus / wanted) / 10_000) if wanted and gpus else 1.0
        fit = min(room, int(gpus / share + 1e-6))
        return _needs(self.threads, share), _fits(fit, self.workers, "a GPU")


def _needs(cpus: int, gpus: float) -> dict[str, float]:
    return {"num_cpus": cpus, "num_gpus": gpus}


def _fits(room: int, workers: int | None, what: str) -> int:
    if not room:
        raise UsageError(f"the Ray cluster has no machine with {what}")
    return min(room, workers or room)


class Hand:
    """A worker's process, wherever Ray puts it."""

    def __init__(self) -> None:
        settle()

    def ready(self) -> bool:
        """Whether it has started."""
        return True

    def run(self, work: bytes) -> bytes:
        """See `answer`."""
        return answer(work)


class Actors:
    """A crew of actors.

    Ray itself is not asked to restart any: who dies is replaced as in every engine.

    Args:
        ray: the module, connected.
        needs: what each takes of the cluster.
        own: whether the cluster was started for this crew.
    """

    def __init__(self, ray: Any, needs: Mapping[str, float], own: bool) -> None:
        self._ray, self._own = ray, own
        self._kind = ray.remote(**needs, max_restarts=0, max_task_retries=0)(Hand)
        self._numbers = count()
        self._actors: dict[int, Any] = {}
        self._awaited: dict[Any, int] = {}
        self._starting: set[int] = set()

    def hire(self) -> int:
        """See `Crew`."""
        number = next(self._numbers)
        self._actors[number] = self._kind.remote()
        self._awaited[self._actors[number].ready.remote()] = number
        self._starting.add(number)
        return number

    def give(self, worker: int, function: Callable[..., object], item: object) -> None:
        """See `Crew`."""
        work = packed(function, item, self._ray.cloudpickle.dumps)
        self._awaited[self._actors[worker].run.remote(work)] = worker

    def news(self) -> list[tuple[int, News]]:
        """See `Crew`."""
        done: list[Any] = []
        while not done:
            # Not for ever: Ray hears Ctrl-C between two waits.
            done, _ = self._ray.wait(list(self._awaited), timeout=1.0)
        return [self._said(one) for one in done]

    def _said(self, one: Any) -> tuple[int, News]:
        worker = self._awaited.pop(one)
        try:
            said = self._ray.get(one)
        except self._ray.exceptions.RayError as error:
            self._actors.pop(worker, None)
            self._starting.discard(worker)
            return worker, Died(f"because {_first_line(error)}")
        if worker in self._starting:
            self._starting.discard(worker)
            return worker, Ready()
        return worker, heard(said)

    def close(self) -> None:
        """See `Closing`."""
        for actor in self._actors.values():
            with suppress(self._ray.exceptions.RayError):
                self._ray.kill(actor)
        self._actors.clear()
        if self._own:
            self._ray.shutdown()


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return visible(lines[0].rstrip(".")) if lines else type(error).__name__


def _connected(address: str | None, workers: int | None, threads: int) -> tuple[Any, bool]:
    """The module with a cluster behind it, and whether it has to be left at the end."""
    with _own_surroundings():
        import ray

        if ray.is_initialized():
            _must_be_the_same(address, ray.get_runtime_context().gcs_address)
            return ray, False
        _must_answer(address)
        cpus = None if address is not None or workers is None else workers * threads
        try:
            ray.init(
                address=address or "local",
                num_cpus=cpus,
                include_dashboard=None if address is not None else False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except (ConnectionError, ValueError, RuntimeError, OSError) as error:
            raise _unreachable(address, error) from error
    return ray, True


def _must_be_the_same(address: str | None, connected: str) -> None:
    if address not in (None, "auto", connected):
        what = f"this process is connected to the Ray cluster at {connected}"
        raise UsageError(what, hint="disconnect by ray.shutdown(), or give that address")


def _must_answer(address: str | None) -> None:
    """Knock first: Ray itself tries for minutes."""
    place = re.fullmatch(r"(?:ray://)?\[?([^/]+?)\]?:(\d{1,5})", address or "")
    if place is None:
        return
    try:
        socket.create_connection((place[1], int(place[2])), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise _unreachable(address, error) from error


def _unreachable(address: str | None, error: Exception) -> UsageError:
    if address is None:
        return UsageError(f"Ray cannot be started here: {_first_line(error)}")
    return UsageError(
        f"no Ray cluster answers at {quoted(address)}",
        hint="`ray start --head` starts one and tells its address",
    )


@contextmanager
def _own_surroundings() -> Iterator[None]:
    """Ray is told to report to nobody, and may not keep the signals that it takes for itself."""
    name, is_main = "RAY_USAGE_STATS_ENABLED", threading.current_thread() is threading.main_thread()
    before, heard_by = os.environ.get(name), signal.getsignal(signal.SIGTERM)
    os.environ[name] = "0"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before
        if is_main:
            signal.signal(signal.SIGTERM, heard_by)
