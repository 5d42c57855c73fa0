"""Engines: they call a function for each of many independent items, here or in other processes.

What an item gives depends on the item alone, so every engine gives the same results, bit for bit.
"""

from __future__ import annotations

from surgery.engine.base import Engine, EngineName, OnDone, unheard
from surgery.engine.serial import Serial
from surgery.errors import UsageError

__all__ = ["Engine", "EngineName", "OnDone", "Serial", "engine_for", "unheard"]


def engine_for(
    name: EngineName = "serial",
    workers: int | None = None,
    address: str | None = None,
    *,
    threads: int = 1,
    device: str = "cpu",
    memory: int = 0,
) -> Engine:
    """The engine of a name. It starts nothing before it is given items; close it at the end.

    Args:
        name: `serial` for this process, `local` for processes of this machine, `ray` for Ray.
        workers: how many at most; None for as many as there are processors and memory, or GPUs.
        address: of a Ray cluster that is running, `auto` for the one on this machine; None starts
            one here.
        threads: processors that an item will use.
        device: what the items compute on; on `cuda` a Ray worker takes a GPU, or its share of one.
        memory: bytes that a worker of this machine will need.

    Raises:
        UsageError: settings that do not go together, or Ray is not installed.
    """
    if address is not None and name != "ray":
        raise UsageError(
            f"the engine {name!r} takes no address", hint="--engine ray connects to one"
        )
    if workers is not None and workers < 1:
        raise UsageError(f"workers must be 1 or more, got {workers}")
    if name == "serial":
        if workers is not None and workers > 1:
            what = f"the engine 'serial' is one process, not {workers}"
            raise UsageError(what, hint="--engine local has workers")
        return Serial()
    if name == "local":
        from surgery.engine.local import Local

        return Local(workers, threads, device, memory)
    from surgery.engine.ray import Ray

    return Ray(address, workers, threads, device)
