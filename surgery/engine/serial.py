"""The engine that needs no other process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar

from surgery.engine.base import ClosesAtTheEnd, Item, Made, OnDone, unheard


class Serial(ClosesAtTheEnd):
    """Runs one item after the other in this process, on one thread unless the item takes more."""

    is_here: ClassVar[bool] = True

    def map(
        self,
        function: Callable[[Item], Made],
        items: Sequence[Item],
        on_done: OnDone[Made] = unheard,
    ) -> list[Made]:
        """See `Engine`."""
        made: list[Made] = []
        with torch_threads(1):
            for number, item in enumerate(items):
                made.append(function(item))
                on_done(number, made[-1])
        return made

    def close(self) -> None:
        """Nothing was started."""


@contextmanager
def torch_threads(count: int | None) -> Iterator[None]:
    """Have torch compute with so many threads; None leaves it as it is.

    The last bits of a sum depend on how many threads share it.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
