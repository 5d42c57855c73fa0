"""The ways to run a row, by the kind of intervention."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from surgery.model import Model
from surgery.probes.base import Way
from surgery.runs.base import Row, Run, Sampling
from surgery.runs.glance import STEPS, glanced
from surgery.runs.restoration import restored
from surgery.runs.substitution import substituted
from surgery.runs.text_restoration import has_places, text_restored


@dataclass(frozen=True, slots=True)
class Runner:
    """How rows of one way are run, in how many steps, and which rows there are."""

    run: Run
    steps: Callable[[Sampling], int] = lambda sampling: sampling.steps
    exists: Callable[[Model, Row], bool] = lambda model, row: True


RUNNERS: Mapping[Way, Runner] = {
    "substitute": Runner(substituted),
    "glance": Runner(glanced, lambda sampling: STEPS),
    "restore": Runner(restored),
    "restore text": Runner(text_restored, exists=has_places),
}
