"""Trying again: how often, how long, and when to stop. Knows no protocol but its waiting times."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TypeVar

from surgery.errors import HubError

_LOG = logging.getLogger("surgery")
_Answer = TypeVar("_Answer")


class AgainError(Exception):
    """A failure that may pass.

    Args:
        reason: one clause for the user.
        wait: seconds the server asks for, None where it does not say.
    """

    def __init__(self, reason: str, wait: float | None = None) -> None:
        self.reason, self.wait = reason, wait
        super().__init__(reason)


class NoAnswerError(AgainError):
    """Nobody was there, or said nothing in time."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a failure is borne.

    Args:
        pauses: seconds before the second, third, ... try where the server asks for none.
        longest: seconds; a server that asks for more is not waited for.
    """

    pauses: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0)
    longest: float = 120.0

    def call(self, work: Callable[[], _Answer], where: str) -> _Answer:
        """Return what `work` returns, trying again after an AgainError.

        Raises:
            HubError: it failed at every try, or the server asks for too long a wait.
        """
        tries = len(self.pauses) + 1
        for pause in (*self.pauses, None):
            try:
                return work()
            except AgainError as error:
                wait = pause if error.wait is None else error.wait
                if pause is None or wait is None:
                    problem = f"{error.reason}, at each of {tries} tries"
                    raise HubError(problem, where=where, hint="try again later") from error
                if wait > self.longest:
                    problem = f"{error.reason}, and asks to wait {wait:g} s"
                    raise HubError(problem, where=where, hint="try again then") from error
                _LOG.warning("%s: %s; trying again in %g s", where, error.reason, wait)
                time.sleep(wait)
        raise AssertionError("unreachable")


PATIENCE = Patience()


def retry_after(value: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for, None where it says nothing of use."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return None
