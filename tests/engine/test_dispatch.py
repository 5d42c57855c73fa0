"""Which worker gets what, with a crew that says what it is told to say."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from surgery.engine.dispatch import DEATHS, Died, Dispatcher, Done, Failed, News, Ready
from surgery.errors import ResourceError


@dataclass
class Script:
    """A crew in which the longest waiting worker speaks.

    Args:
        fates: what comes of each item given, in turn; at the end of them, its result.
        begin: what the workers say first, in turn; at the end of them, that they are ready.
    """

    fates: deque[News] = field(default_factory=deque)
    begin: deque[News] = field(default_factory=deque)
    hired: int = 0
    given: list[tuple[int, object]] = field(default_factory=list)
    waiting: deque[tuple[int, News]] = field(default_factory=deque)

    def hire(self) -> int:
        self.hired += 1
        self.waiting.append((self.hired, self.begin.popleft() if self.begin else Ready()))
        return self.hired

    def give(self, worker: int, function: Callable[..., object], item: object) -> None:
        self.given.append((worker, item))
        self.waiting.append((worker, self.fates.popleft() if self.fates else Done(function(item))))

    def news(self) -> list[tuple[int, News]]:
        return [self.waiting.popleft()]


def double(number: int) -> int:
    return 2 * number


def run(script: Script, workers: int, items: int) -> list[object]:
    told: dict[int, int] = {}
    made = Dispatcher(script, workers).run(double, range(items), told.__setitem__)
    assert told == dict(enumerate(made))
    return made


@pytest.mark.parametrize("workers", [1, 2, 9])
def test_every_item_is_done_once_and_nobody_is_hired_for_nothing(workers: int) -> None:
    script = Script()
    assert run(script, workers, 5) == [0, 2, 4, 6, 8]
    assert sorted(item for _, item in script.given) == [0, 1, 2, 3, 4]  # type: ignore[type-var]
    assert script.hired <= min(workers, 5)


def test_who_is_done_goes_on_before_the_result_is_looked_at() -> None:
    script, seen = Script(), []
    Dispatcher(script, 1).run(double, range(3), lambda n, made: seen.append(len(script.given)))
    assert seen == [2, 3, 3]


def test_a_dead_workers_item_goes_to_another_and_only_that() -> None:
    script = Script(deque([Died("of cold")]))
    assert run(script, 1, 3) == [0, 2, 4]
    assert script.given == [(1, 0), (2, 0), (2, 1), (2, 2)]


def test_one_that_dies_idle_takes_nothing_with_it() -> None:
    script = Script()
    dispatcher = Dispatcher(script, 2)
    dispatcher.run(double, range(2), lambda n, made: None)
    script.waiting.append((script.hired, Died("of cold")))
    assert dispatcher.run(double, range(1), lambda n, made: None) == [0]
    assert dispatcher.run(double, range(3), lambda n, made: None) == [0, 2, 4]
    assert (script.hired, script.hired in {worker for worker, _ in script.given}) == (3, True)


def test_the_crew_stays_for_the_next_items() -> None:
    script = Script()
    dispatcher = Dispatcher(script, 2)
    for _ in range(3):
        assert dispatcher.run(double, range(4), lambda n, made: None) == [0, 2, 4, 6]
    assert script.hired <= 2


def test_an_exception_is_raised_as_it_came() -> None:
    error = KeyError("no")
    with pytest.raises(KeyError) as raised:
        run(Script(deque([Failed(error)])), 1, 2)
    assert raised.value is error


def test_three_deaths_over_one_item_end_it() -> None:
    deaths = deque([Died("of cold")] * DEATHS)
    script = Script(deaths)
    with pytest.raises(ResourceError, match="died over the same work, the last one of cold"):
        run(script, 1, 2)
    assert [item for _, item in script.given] == [0] * DEATHS
    assert len({worker for worker, _ in script.given}) == DEATHS


def test_deaths_over_different_items_do_not() -> None:
    script = Script(deque([Died("of cold"), Died("of cold"), Done(0), Died("of cold")]))
    assert run(script, 1, 3) == [0, 2, 4]
    assert [item for _, item in script.given] == [0, 0, 0, 1, 1, 2]


def test_workers_that_never_begin_end_it() -> None:
    script = Script(begin=deque([Died("of cold")] * DEATHS))
    with pytest.raises(ResourceError, match="died before they began, the last one of cold"):
        run(script, 1, 2)
    assert (script.hired, script.given) == (DEATHS, [])
    # One that does begin in between shows that they can.
    script = Script(begin=deque([Died("of cold")] * (DEATHS - 1)))
    assert run(script, 1, 2) == [0, 2]
