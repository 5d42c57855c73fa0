"""Gives items to workers and takes up what they make; who dies is replaced. Starts no process."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from surgery.errors import ResourceError

DEATHS = 3
"""So many workers may be lost over one item, or before they begin."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker has started."""


@dataclass(frozen=True, slots=True)
class Done:
    """An item's result."""

    made: object


@dataclass(frozen=True, slots=True)
class Failed:
    """What the function raised."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class Died:
    """A worker is gone, with what it was doing."""

    why: str


News: TypeAlias = Ready | Done | Failed | Died


class Crew(Protocol):
    """Workers by number, each with one item at a time."""

    def hire(self) -> int:
        """Have a worker start; `Ready` will say when it has."""
        ...

    def give(self, worker: int, function: Callable[..., object], item: object) -> None:
        """Have a worker call the function; one that has died meanwhile says so later."""
        ...

    def news(self) -> list[tuple[int, News]]:
        """Wait until any worker has something to say."""
        ...


@dataclass(slots=True)
class Dispatcher:
    """Keeps a crew busy, from one list of items to the next.

    Args:
        workers: how many there may be at a time.
    """

    crew: Crew
    workers: int
    _idle: list[int] = field(default_factory=list)
    _starting: set[int] = field(default_factory=set)
    _stillborn: int = 0

    def run(
        self,
        function: Callable[..., object],
        items: Sequence[object],
        on_done: Callable[..., None],
    ) -> list[object]:
        """See `Engine.map`. After an exception the crew may be anywhere: let it go."""
        work = _Work(deque(range(len(items))))
        while len(work.made) < len(items):
            self._hire(work)
            heard = self._news(work)
            # Before anybody looks at what was made, who made it goes on.
            self._give(work, function, items)
            for number in heard:
                on_done(number, work.made[number])
        return [work.made[number] for number in range(len(items))]

    def _give(self, work: _Work, function: Callable[..., object], items: Sequence[object]) -> None:
        while work.open and self._idle:
            worker, number = self._idle.pop(0), work.open.popleft()
            work.held[worker] = number
            self.crew.give(worker, function, items[number])

    def _news(self, work: _Work) -> list[int]:
        """Wait for workers, unless one has nothing to do; the items that were done."""
        if work.open and self._idle:
            return []
        heard = [self._hear(work, worker, what) for worker, what in self.crew.news()]
        return [number for number in heard if number is not None]

    def _hire(self, work: _Work) -> None:
        there = len(self._idle) + len(self._starting)
        free = self.workers - there - len(work.held)
        for _ in range(min(free, len(work.open) - there)):
            self._starting.add(self.crew.hire())

    def _hear(self, work: _Work, worker: int, what: News) -> int | None:
        match what:
            case Ready():
                self._starting.discard(worker)
                self._idle.append(worker)
                self._stillborn = 0
            case Failed(error):
                raise error
            case Died(why):
                self._bury(work, worker, why)
            case Done(made):
                number = work.held.pop(worker)
                self._idle.append(worker)
                work.made[number] = made
                return number
        return None

    def _bury(self, work: _Work, worker: int, why: str) -> None:
        if worker in work.held:
            number = work.held.pop(worker)
            work.deaths[number] += 1
            work.open.appendleft(number)
            if work.deaths[number] >= DEATHS:
                raise _lost(f"{DEATHS} workers died over the same work, the last one {why}")
        elif worker in self._starting:
            self._starting.discard(worker)
            self._stillborn += 1
            if self._stillborn >= DEATHS:
                raise _lost(f"{DEATHS} workers died before they began, the last one {why}")
        else:
            self._idle.remove(worker)


@dataclass(slots=True)
class _Work:
    """How far one list of items is.

    Args:
        open: items that nobody has.
        held: worker -> the item that it has.
    """

    open: deque[int]
    held: dict[int, int] = field(default_factory=dict)
    made: dict[int, object] = field(default_factory=dict)
    deaths: Counter[int] = field(default_factory=Counter)


def _lost(what: str) -> ResourceError:
    return ResourceError(
        what, hint="it may be out of memory: take fewer --workers or a smaller --batch"
    )
