"""The ways to run a row, by the kind of intervention."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from surgery.model import Model
from surgery.probes.base import Way
from surgery.runs.base import Row, Run
from surgery.runs.restoration import restored
from surgery.runs.substitution import substituted
from surgery.runs.text_restoration import has_places, text_restored


@dataclass(frozen=True, slots=True)
class Runner:
    """How rows of one way are run, and which rows there are."""

    run: Run
    exists: Callable[[Model, Row], bool] = lambda model, row: True


RUNNERS: Mapping[Way, Runner] = {
    "substitute": Runner(substituted),
    "restore": Runner(restored),
    "restore text": Runner(text_restored, has_places),
}
