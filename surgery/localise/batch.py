"""A batch of rows as an item of work: what it gives depends on itself alone, wherever it is run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from surgery.engine.serial import torch_threads
from surgery.errors import UsageError
from surgery.judges import Seen
from surgery.localise.journal import Measurement
from surgery.localise.tools import Tools
from surgery.model.memory import peak_mb
from surgery.pictures.thumbnail import thumbnail
from surgery.probes.base import Way
from surgery.questions import Pair, Question
from surgery.runs.base import Row, Sampling
from surgery.runs.ways import RUNNERS

Latents: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Rows that are run together, since what runs beside a row may change its last bits.

    Args:
        threads: of the processor, which change last bits too.
        question: what the judge is asked; None leaves the rows unjudged and gives their latents.
        ends: of each row, the latents of the anchors, for a judge that needs them.
        latents: of rows that were run before.
        shown: the rows whose small picture is wanted.
    """

    tools: Tools
    way: Way
    rows: tuple[Row, ...]
    sampling: Sampling
    threads: int
    question: Question | None = None
    ends: tuple[Latents, Latents] | None = None
    latents: Latents | None = None
    shown: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Ran:
    """What came of a batch.

    Args:
        measured: one for each row; nothing where no judge was asked.
        latents: where no judge was asked.
        evaluations: of the denoiser on one sample.
        fingerprint, judge: what it was really measured with.
        peak_mb: the most memory that the process held so far.
    """

    measured: tuple[Measurement, ...]
    latents: Latents | None
    evaluations: int
    fingerprint: str
    judge: str
    peak_mb: float


def run_batch(batch: Batch, on_step: Callable[[int], None] = lambda rows: None) -> Ran:
    """Run the rows, and have them judged.

    Args:
        on_step: told, after each step of the sampler, how many rows took it.

    Raises:
        UsageError: the model's numbers overflow in its dtype, or the judge cannot read them.
    """
    model, judge = batch.tools.model, batch.tools.judge
    with torch_threads(batch.threads):
        before = model.evaluations
        latents = _latents(batch, on_step)
        measured = _measured(batch, latents) if batch.question is not None else ()
    return Ran(
        measured,
        None if batch.question is not None else latents.cpu().numpy(),
        model.evaluations - before,
        model.fingerprint,
        judge.name,
        peak_mb(),
    )


def _latents(batch: Batch, on_step: Callable[[int], None]) -> Tensor:
    model = batch.tools.model
    if batch.latents is not None:
        return torch.from_numpy(batch.latents).to(model.device)
    latents = RUNNERS[batch.way].run(model, batch.rows, batch.sampling, on_step)
    if not torch.isfinite(latents).all():
        dtype = str(model.dtype).removeprefix("torch.")
        raise UsageError(
            f"in {dtype} the model's numbers overflow",
            hint="choose --dtype bfloat16 or float32, or less --guidance or --noise",
        )
    return latents


def _measured(batch: Batch, latents: Tensor) -> tuple[Measurement, ...]:
    model, judge = batch.tools.model, batch.tools.judge
    assert batch.question is not None
    pictures = model.decode(latents) if judge.sees == "pictures" else None
    ends = (None, None) if batch.ends is None else tuple(map(torch.from_numpy, batch.ends))
    seen = Seen(latents, [row.case.pair for row in batch.rows], pictures, *ends)
    marks = judge.marks(batch.question, seen)
    small = dict(zip(batch.shown, _small(batch, latents, pictures), strict=True))
    return tuple(
        Measurement(mark.score, mark.shown, small.get(number, ""))
        for number, mark in enumerate(marks)
    )


def _small(batch: Batch, latents: Tensor, pictures: Tensor | None) -> list[str]:
    if not batch.shown:
        return []
    rows = list(batch.shown)
    whole = batch.tools.model.decode(latents[rows]) if pictures is None else pictures[rows]
    return [thumbnail(one) for one in whole.cpu()]


@dataclass(frozen=True, slots=True)
class Look:
    """Rows that are to be looked at before any is run."""

    tools: Tools
    way: Way
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Looked:
    """What the model's tokenizers, which may be any, say of rows.

    Args:
        exist: whether the prompt of each row has the place that it is about.
        read: how both prompts of each pair are read.
    """

    exist: tuple[bool, ...]
    read: Mapping[Pair, str]


def look(asked: Look) -> Looked:
    """Ask the tokenizers; nothing is run."""
    model, exists = asked.tools.model, RUNNERS[asked.way].exists
    tokens = [model.tokens(role) for role in model.towers]

    def read(prompts: Sequence[str]) -> str:
        return str([one.padded(prompt) for one in tokens for prompt in prompts])

    pairs = dict.fromkeys(row.case.pair for row in asked.rows)
    return Looked(
        tuple(exists(model, row) for row in asked.rows),
        {pair: read((pair.source, pair.target)) for pair in pairs},
    )
