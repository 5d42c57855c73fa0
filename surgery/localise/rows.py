"""Rows, put into batches, given to an engine, and kept: what a probe measures, and what is known.

Which rows make a batch is decided before any is run, so that no engine changes a figure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial

import numpy as np

from surgery.engine import Engine
from surgery.errors import CheckpointError
from surgery.judges import Judge
from surgery.localise.batch import Batch, Latents, Look, Ran, look, run_batch
from surgery.localise.journal import Journal, Measurement, key_of
from surgery.localise.study import Study
from surgery.localise.tools import Facts, Tools
from surgery.model.memory import peak_mb
from surgery.probes.base import RESTORING, Arm, Probe
from surgery.questions import Pair
from surgery.report import Setting
from surgery.runs.base import Case, Row
from surgery.runs.ways import RUNNERS
from surgery.stage import Stage

Found = Mapping[Arm, tuple[Measurement | None, ...]]
Advance = Callable[[int], None]


@dataclass(slots=True)
class Spent:
    """What all processes spent on a probe.

    Args:
        evaluations: of the denoiser on one sample.
        peak_mb: the most memory that one of them held.
    """

    evaluations: int = 0
    peak_mb: float = field(default_factory=peak_mb)


@dataclass(frozen=True, slots=True)
class Bench:
    """What rows are measured with.

    Args:
        facts: about the model of the tools, which may be in other processes only.
        judge: that of the tools.
        threads: see `Batch`.
    """

    tools: Tools
    facts: Facts
    probe: Probe
    judge: Judge
    journal: Journal
    stage: Stage
    engine: Engine
    threads: int = 1
    spent: Spent = field(default_factory=Spent)


@dataclass(slots=True)
class Rows:
    """Measures the arms of a probe over all cases; what the journal knows is not run again.

    Args:
        kept: how many measurements the journal had.
    """

    bench: Bench
    study: Study
    kept: int = 0
    _ends: dict[Row, Latents] = field(default_factory=dict)
    _read: dict[Pair, str] = field(default_factory=dict)
    _exist: dict[Row, bool] = field(default_factory=dict)
    _cases: tuple[Case, ...] = ()
    _anchors: tuple[Arm, ...] = ()

    def __post_init__(self) -> None:
        self._cases = self.study.cases(self.bench.probe.way in RESTORING)
        self._anchors = self.bench.probe.anchors(self.bench.facts.layout)

    def measure(self, arms: Sequence[Arm], label: str) -> Found:
        """Every arm of every case: (cases,) measurements, None where a prompt lacks the place.

        Raises:
            UsageError: the model's numbers overflow in its dtype.
        """
        rows = [Row(case, arm) for case in self._cases for arm in arms]
        self._look(rows)
        asked = [row for row in rows if self._exist[row]]
        missing = [row for row in asked if not self._is_known(row)]
        self.kept += len(asked) - len(missing)
        ends = self._ends_of(missing) if self.bench.judge.anchored else []
        steps = RUNNERS[self.bench.probe.way].steps(self.study.sampling)
        to_run = len(ends) + sum(row not in ends for row in missing)
        with self.bench.stage(label, to_run * steps) as advance:
            self._run([self._batch(some) for some in self._batches(ends)], advance, self._keep_ends)
            judged = [self._judged(some) for some in self._batches(missing)]
            self._run(judged, advance, self._keep)
        return {arm: tuple(self._found(Row(case, arm)) for case in self._cases) for arm in arms}

    def picture(self, arm: Arm) -> str:
        """The small picture of an arm's first case, '' where none was asked for."""
        row = Row(self._cases[0], arm)
        found = self._found(row)
        return found.png if found and self._is_shown(row) else ""

    def _look(self, rows: Sequence[Row]) -> None:
        """Have the tokenizers, which are with the model, say what they make of the prompts."""
        asked = Look(self.bench.tools, self.bench.probe.way, tuple(rows))
        (looked,) = self.bench.engine.map(look, [asked])
        self._read.update(looked.read)
        self._exist.update(zip(rows, looked.exist, strict=True))

    def _is_known(self, row: Row) -> bool:
        found = self.bench.journal.get(self._key(row))
        return found is not None and (bool(found.png) or not self._is_shown(row))

    def _found(self, row: Row) -> Measurement | None:
        return self.bench.journal.get(self._key(row)) if self._exist[row] else None

    def _ends_of(self, rows: Sequence[Row]) -> list[Row]:
        """The anchors whose latents a judge needs beside these rows, and that were not run yet."""
        cases = dict.fromkeys(row.case for row in rows)
        needed = (Row(case, arm) for case in cases for arm in self._anchors)
        return [row for row in needed if row not in self._ends]

    def _batches(self, rows: Sequence[Row]) -> Iterator[tuple[Row, ...]]:
        size = self.study.batch
        return (tuple(rows[first : first + size]) for first in range(0, len(rows), size))

    def _batch(self, rows: tuple[Row, ...], **more: object) -> Batch:
        bench, sampling = self.bench, self.study.sampling
        return Batch(bench.tools, bench.probe.way, rows, sampling, bench.threads, **more)  # type: ignore[arg-type]

    def _judged(self, rows: tuple[Row, ...]) -> Batch:
        """A batch that will be scored, with what the judge needs beside it."""
        known = all(row in self._ends for row in rows)
        return self._batch(
            rows,
            question=self.study.question,
            ends=self._ends_beside(rows) if self.bench.judge.anchored else None,
            latents=np.stack([self._ends[row] for row in rows]) if known else None,
            shown=tuple(number for number, row in enumerate(rows) if self._is_shown(row)),
        )

    def _ends_beside(self, rows: Sequence[Row]) -> tuple[Latents, Latents]:
        source, target = (
            np.stack([self._ends[Row(row.case, anchor)] for row in rows])
            for anchor in self._anchors
        )
        return source, target

    def _run(
        self, batches: Sequence[Batch], advance: Advance, keep: Callable[[Batch, Ran], None]
    ) -> None:
        """Have batches run in any order, and keep what each gives before the next is heard of."""
        engine, steps = self.bench.engine, RUNNERS[self.bench.probe.way].steps(self.study.sampling)

        def done(number: int, ran: Ran) -> None:
            batch = batches[number]
            self._check(ran)
            keep(batch, ran)
            if batch.latents is None and not engine.is_here:
                advance(steps * len(batch.rows))

        # Here steps are told one by one; from elsewhere, batches.
        function = partial(run_batch, on_step=advance) if engine.is_here else run_batch
        engine.map(function, batches, done)

    def _check(self, ran: Ran) -> None:
        """Every worker must have found the same, wherever it is."""
        here, spent = self.bench, self.bench.spent
        if (ran.fingerprint, ran.judge) != (here.facts.fingerprint, here.judge.name):
            what = "model" if ran.fingerprint != here.facts.fingerprint else "judge"
            raise CheckpointError(
                f"a worker found another {what} than the first", hint="is one being changed?"
            )
        spent.evaluations += ran.evaluations
        spent.peak_mb = max(spent.peak_mb, ran.peak_mb)

    def _keep_ends(self, batch: Batch, ran: Ran) -> None:
        assert ran.latents is not None
        self._ends.update(zip(batch.rows, ran.latents, strict=True))

    def _keep(self, batch: Batch, ran: Ran) -> None:
        keys = map(self._key, batch.rows)
        self.bench.journal.add(dict(zip(keys, ran.measured, strict=True)))

    def _is_shown(self, row: Row) -> bool:
        return self.study.thumbnails and row.case == self._cases[0]

    def _key(self, row: Row) -> str:
        """Everything that the row's figure depends on; what runs beside it does not count."""
        study, facts, pair = self.study, self.bench.facts, row.case.pair
        known: dict[str, Setting | None] = {
            "version": 1,
            "model": facts.fingerprint,
            "device": facts.device,
            "dtype": f"torch.{facts.dtype}",
            "side": facts.side,
            "way": self.bench.probe.way,
            "judge": self.bench.judge.name,
            "concept": study.question.concept,
            "aim": study.question.target,
            "sort": study.question.sort,
            "source": pair.source,
            "target": pair.target,
            "subject": pair.subject,
            "read": self._read[pair],
            "seed": row.case.seed,
            "draw": row.case.draw,
            "site": row.arm.site,
            "column": row.arm.column,
            "arm": str(row.arm.intervention),
        }
        return key_of({**known, **asdict(study.sampling)})
