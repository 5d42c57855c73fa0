"""Rows, run in batches, judged, and kept: the one place where a probe meets a model and a judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import torch
from torch import Tensor

from surgery.errors import UsageError
from surgery.judges import Judge, Seen
from surgery.localise.journal import Journal, Measurement, key_of
from surgery.localise.study import Study
from surgery.model import Model
from surgery.pictures.thumbnail import thumbnail
from surgery.probes.base import RESTORING, Arm, Probe
from surgery.questions import Pair
from surgery.report import Setting
from surgery.runs.base import Case, Row
from surgery.runs.ways import RUNNERS
from surgery.stage import Stage

Found = Mapping[Arm, tuple[Measurement | None, ...]]


@dataclass(frozen=True, slots=True)
class Bench:
    """What rows are measured with."""

    model: Model
    probe: Probe
    judge: Judge
    journal: Journal
    stage: Stage


@dataclass(slots=True)
class Rows:
    """Measures the arms of a probe over all cases; what the journal knows is not run again.

    Args:
        kept: how many measurements the journal had.
    """

    bench: Bench
    study: Study
    kept: int = 0
    _ends: dict[Row, Tensor] = field(default_factory=dict)
    _ids: dict[Pair, str] = field(default_factory=dict)
    _cases: tuple[Case, ...] = ()
    _anchors: tuple[Arm, ...] = ()

    def __post_init__(self) -> None:
        self._cases = self.study.cases(self.bench.probe.way in RESTORING)
        self._anchors = self.bench.probe.anchors(self.bench.model.layout)

    def measure(self, arms: Sequence[Arm], label: str) -> Found:
        """Every arm of every case: (cases,) measurements, None where a prompt lacks the place.

        Raises:
            UsageError: the model's numbers overflow in its dtype.
        """
        rows = [Row(case, arm) for case in self._cases for arm in arms]
        asked = [row for row in rows if self._exists(row)]
        missing = [row for row in asked if not self._is_known(row)]
        self.kept += len(asked) - len(missing)
        ends = self._ends_of(missing) if self.bench.judge.anchored else []
        steps = RUNNERS[self.bench.probe.way].steps(self.study.sampling)
        to_run = len(ends) + sum(row not in ends for row in missing)
        with self.bench.stage(label, to_run * steps) as advance:
            for batch in _batches(ends, self.study.batch):
                self._ends.update(zip(batch, self._run(batch, advance), strict=True))
            for batch in _batches(missing, self.study.batch):
                self._judge(batch, self._latents(batch, advance))
        return {arm: tuple(self._found(Row(case, arm)) for case in self._cases) for arm in arms}

    def picture(self, arm: Arm) -> str:
        """The small picture of an arm's first case, '' where none was asked for."""
        row = Row(self._cases[0], arm)
        found = self._found(row)
        return found.png if found and self._is_shown(row) else ""

    def _exists(self, row: Row) -> bool:
        return RUNNERS[self.bench.probe.way].exists(self.bench.model, row)

    def _is_known(self, row: Row) -> bool:
        found = self.bench.journal.get(self._key(row))
        return found is not None and (bool(found.png) or not self._is_shown(row))

    def _found(self, row: Row) -> Measurement | None:
        return self.bench.journal.get(self._key(row)) if self._exists(row) else None

    def _ends_of(self, rows: Sequence[Row]) -> list[Row]:
        """The anchors whose latents a judge needs beside these rows, and that were not run yet."""
        cases = dict.fromkeys(row.case for row in rows)
        needed = (Row(case, arm) for case in cases for arm in self._anchors)
        return [row for row in needed if row not in self._ends]

    def _latents(self, batch: Sequence[Row], advance: Callable[[int], None]) -> Tensor:
        if all(row in self._ends for row in batch):
            return torch.stack([self._ends[row] for row in batch])
        return self._run(batch, advance)

    def _run(self, batch: Sequence[Row], advance: Callable[[int], None]) -> Tensor:
        run = RUNNERS[self.bench.probe.way].run
        latents = run(self.bench.model, batch, self.study.sampling, advance)
        if not torch.isfinite(latents).all():
            dtype = str(self.bench.model.dtype).removeprefix("torch.")
            raise UsageError(
                f"in {dtype} the model's numbers overflow",
                hint="choose --dtype bfloat16 or float32, or less --guidance or --noise",
            )
        return latents

    def _judge(self, batch: Sequence[Row], latents: Tensor) -> None:
        """Have a batch scored, and keep what was said before the next one is run."""
        shown = [number for number, row in enumerate(batch) if self._is_shown(row)]
        pictures = self.bench.model.decode(latents) if self.bench.judge.sees == "pictures" else None
        marks = self.bench.judge.marks(self.study.question, self._seen(batch, latents, pictures))
        small = dict(zip(shown, self._small(latents, pictures, shown), strict=True))
        self.bench.journal.add(
            {
                self._key(row): Measurement(mark.score, mark.shown, small.get(number, ""))
                for number, (row, mark) in enumerate(zip(batch, marks, strict=True))
            }
        )

    def _seen(self, batch: Sequence[Row], latents: Tensor, pictures: Tensor | None) -> Seen:
        source, target = (self._end(batch, arm) for arm in self._anchors)
        return Seen(latents, [row.case.pair for row in batch], pictures, source, target)

    def _end(self, batch: Sequence[Row], anchor: Arm) -> Tensor | None:
        if not self.bench.judge.anchored:
            return None
        return torch.stack([self._ends[Row(row.case, anchor)] for row in batch])

    def _is_shown(self, row: Row) -> bool:
        return self.study.thumbnails and row.case == self._cases[0]

    def _small(self, latents: Tensor, pictures: Tensor | None, rows: list[int]) -> list[str]:
        if not rows:
            return []
        whole = self.bench.model.decode(latents[rows]) if pictures is None else pictures[rows]
        return [thumbnail(one) for one in whole.cpu()]

    def _key(self, row: Row) -> str:
        """Everything that the row's figure depends on; what runs beside it does not count."""
        study, model, pair = self.study, self.bench.model, row.case.pair
        facts: dict[str, Setting | None] = {
            "version": 1,
            "model": model.fingerprint,
            "device": model.device.type,
            "dtype": str(model.dtype),
            "side": model.side,
            "way": self.bench.probe.way,
            "judge": self.bench.judge.name,
            "concept": study.question.concept,
            "aim": study.question.target,
            "sort": study.question.sort,
            "source": pair.source,
            "target": pair.target,
            "subject": pair.subject,
            "read": self._read(pair),
            "seed": row.case.seed,
            "draw": row.case.draw,
            "site": row.arm.site,
            "column": row.arm.column,
            "arm": str(row.arm.intervention),
        }
        return key_of({**facts, **asdict(study.sampling)})

    def _read(self, pair: Pair) -> str:
        """Both prompts as the model's tokenizers, which may be any, read them."""
        if pair not in self._ids:
            tokens = [self.bench.model.tokens(role) for role in self.bench.model.towers]
            prompts = (pair.source, pair.target)
            self._ids[pair] = str([one.padded(prompt) for one in tokens for prompt in prompts])
        return self._ids[pair]


def _batches(rows: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    return (rows[first : first + size] for first in range(0, len(rows), size))
