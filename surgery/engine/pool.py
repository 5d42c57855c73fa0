"""What engines with workers share: they start late, last from map to map, and end at once."""

from __future__ import annotations

import pickle
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, Protocol, cast

from surgery.engine.base import ClosesAtTheEnd, Item, Made, OnDone, unheard
from surgery.engine.dispatch import Crew, Dispatcher, Done, Failed
from surgery.errors import UsageError


class Closing(Crew, Protocol):
    """A crew that can be sent home."""

    def close(self) -> None:
        """End all workers at once."""
        ...


class Pool(ClosesAtTheEnd):
    """An engine with a crew, which is there from the first item until it is closed."""

    is_here: ClassVar[bool] = False

    def __init__(self) -> None:
        self._crew: Closing | None = None
        self._dispatcher: Dispatcher | None = None

    @abstractmethod
    def _hired(self) -> tuple[Closing, int]:
        """A crew, and how many workers it may have."""

    def map(
        self,
        function: Callable[[Item], Made],
        items: Sequence[Item],
        on_done: OnDone[Made] = unheard,
    ) -> list[Made]:
        """See `Engine`."""
        if not items:
            return []
        try:
            if self._dispatcher is None:
                self._crew, workers = self._hired()
                self._dispatcher = Dispatcher(self._crew, workers)
            return cast(list[Made], self._dispatcher.run(function, items, on_done))
        except BaseException:
            # Some workers are amid an item that nobody waits for any more.
            self.close()
            raise

    def close(self) -> None:
        """See `Engine`."""
        crew, self._crew, self._dispatcher = self._crew, None, None
        if crew is not None:
            crew.close()


def packed(
    function: Callable[..., object],
    item: object,
    dumps: Callable[[object], bytes] = pickle.dumps,
) -> bytes:
    """Work for another process, as bytes.

    Raises:
        UsageError: it holds what cannot be sent.
    """
    try:
        return dumps((function, item))
    except (AttributeError, TypeError, pickle.PicklingError) as error:
        raise UsageError(
            f"the work cannot be sent to another process: {error}", hint="take --engine serial"
        ) from error


def heard(answer: bytes) -> Done | Failed:
    """What a worker's answer says; its own process packed it."""
    went_well, what = pickle.loads(answer)
    return Done(what) if went_well else Failed(what)
