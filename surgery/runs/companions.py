"""Rows of a batch, and the clean run of each of their cases behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from surgery.runs.base import Case, Row


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows, then one clean run for each case that needs one.

    Args:
        cases: of every row of the batch, the clean runs last.
        companion: row -> the place of its case's clean run.
    """

    rows: tuple[Row, ...]
    cases: tuple[Case, ...]
    companion: Mapping[int, int]

    def corrupted(self, is_clean: Callable[[Row], bool]) -> tuple[Case | None, ...]:
        """The case of each row that is corrupted, None for one that is clean."""
        own = tuple(None if is_clean(row) else row.case for row in self.rows)
        return own + (None,) * (len(self.cases) - len(self.rows))


def with_companions(rows: Sequence[Row], needs_one: Callable[[Row], bool]) -> Batch:
    """Put a clean run behind the rows for each case that any row is restored from."""
    needed = dict.fromkeys(row.case for row in rows if needs_one(row))
    place = {case: len(rows) + number for number, case in enumerate(needed)}
    companion = {n: place[row.case] for n, row in enumerate(rows) if row.case in place}
    return Batch(tuple(rows), (*(row.case for row in rows), *needed), companion)
