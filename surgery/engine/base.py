"""What an engine is, and what it tells while it works."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Literal, Protocol, Self, TypeAlias, TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")
EngineName: TypeAlias = Literal["serial", "local", "ray"]
OnDone: TypeAlias = Callable[[int, Made], None]
"""Told an item's number and its result, as soon as it is there, in whichever order."""


def unheard(number: int, made: object) -> None:
    """For results that nobody waits for one by one."""


class Engine(Protocol):
    """Calls a function for every item, somewhere.

    Items and results go to other processes by pickle: plain values and functions of a module.
    """

    @property
    def is_here(self) -> bool:
        """Whether the function is called in this process, so that it may hold anything."""
        ...

    def map(
        self,
        function: Callable[[Item], Made],
        items: Sequence[Item],
        on_done: OnDone[Made] = unheard,
    ) -> list[Made]:
        """The results, in the order of the items.

        What the function raises is raised here, whole, and the items that were not done are
        given up. A worker that dies is replaced, and its item is run again.

        Args:
            on_done: called in this process, see `OnDone`.

        Raises:
            ResourceError: workers die again and again over one item.
            UsageError: an item cannot be sent to another process.
        """
        ...

    def close(self) -> None:
        """End all workers. What is mapped later starts new ones."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class ClosesAtTheEnd(ABC):
    """What can be used in a `with`, whose end closes it."""

    @abstractmethod
    def close(self) -> None:
        """See `Engine`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
