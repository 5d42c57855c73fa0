"""verify: paint with both models, judge, sum up, decide."""

from __future__ import annotations

import platform
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

from surgery.diff import diff
from surgery.engine import Engine, Serial
from surgery.errors import UsageError
from surgery.model.memory import peak_mb
from surgery.report import Cost, Gate, ModelFacts, Row, SetFigures, VerifyReport
from surgery.report.probes import Setting
from surgery.report.verify import Attack
from surgery.store.checkpoint import Checkpoint
from surgery.verify.bench import Bench, bench
from surgery.verify.gates import Evidence, gates
from surgery.verify.items import run_item
from surgery.verify.judging import Judging
from surgery.verify.known import leaks_and_drifts
from surgery.verify.notes import notes
from surgery.verify.painting import forget
from surgery.verify.plan import Plan, plan
from surgery.verify.summary import summary
from surgery.verify.tally import set_figures
from surgery.verify.verdict import verdict
from surgery.verify.wish import ALL, HERE, Circumstance, Wish

OnPictures: TypeAlias = Callable[[int], None]
OnStep: TypeAlias = Callable[[str, int], None]
Attacking: TypeAlias = Callable[[Plan, Bench, OnStep], Sequence[Attack]]
"""Tries to bring back what a plan says is gone, seen by its judges, and tells of its steps."""


def verify(
    before: str | Path,
    after: str | Path,
    concepts: Sequence[str] = (),
    *,
    wish: Wish = ALL,
    where: Circumstance = HERE,
    engine: Engine | None = None,
    attack: Attacking | None = None,
    on_pictures: OnPictures = lambda made: None,
) -> VerifyReport:
    """Is it gone, and is the rest intact: the same prompts and seeds through two models.

    Args:
        before, after: addresses of models.
        concepts: what should be gone; left out, what the wish or the recipe says.
        wish: everything else that figures depend on.
        where: device and the like, which should not matter to them.
        engine: where items are run; None for this process.
        attack: tries to bring the concepts back.
        on_pictures: told how many pictures were just made.

    Raises:
        UsageError: a concept, judge or gate that is not known.
        CheckpointError, LayoutError, HubError: a model cannot be read or run.
    """
    wish = replace(wish, concepts=tuple(concepts)) if concepts else wish
    return run(plan(before, after, wish, where), engine, attack, on_pictures)


def run(
    made: Plan,
    engine: Engine | None = None,
    attack: Attacking | None = None,
    on_pictures: OnPictures = lambda made: None,
) -> VerifyReport:
    """Carry a plan out, see `verify`."""
    began, judges = time.monotonic(), bench(made)
    judges.check(made.sets)
    judging, spent = Judging(made, judges, on_pictures), Counter[str]()

    def spend(label: str, done: int) -> None:
        spent[label] += done

    try:
        (engine or Serial()).map(run_item, made.items(), judging.take)
        attacks = tuple(attack(made, judges, spend)) if attack else ()
    finally:
        forget()
    cost = Cost(judging.evaluations + spent.total(), time.monotonic() - began, peak_mb())
    return _report(made, judging, attacks, cost)


def _report(made: Plan, judging: Judging, attacks: tuple[Attack, ...], cost: Cost) -> VerifyReport:
    rows, (leaks, drifts) = judging.rows(), leaks_and_drifts(made.after)
    sets, fid = _sets(made, rows), judging.fid()
    sorts = {(one.group, one.concept): one.sort for one in made.sets}
    found = VerifyReport(
        before=_facts(made.before),
        after=_facts(made.after),
        verdict="",
        concepts=made.concepts,
        judges=judging.judges.facts,
        sets=sets,
        summary=summary(rows, sorts),
        gates=_decided(made, Evidence(sets, rows, attacks)),
        fid=fid,
        rows=rows,
        attacks=attacks,
        pictures=judging.pictures(),
        blocks=diff(made.before, made.after).blocks,
        leaks=leaks,
        drifts=drifts,
        recipe=made.wish.recipe.dump() if made.wish.recipe else "",
        settings=_settings(made),
        environment=_environment(),
        cost=cost,
        notes=(*made.notes, *notes(sets, fid), *_said(attacks)),
    )
    return replace(found, verdict=verdict(found))


def _said(attacks: Sequence[Attack]) -> Iterable[str]:
    """What attacks say of themselves, once."""
    return dict.fromkeys(note for one in attacks for note in one.notes)


def _decided(made: Plan, evidence: Evidence) -> tuple[Gate, ...]:
    if found := gates(made.limits, evidence):
        return found
    raise UsageError(
        "nothing that the judge said decides a gate",
        hint="name what should be gone by --concept, or take another --judge",
    )


def _sets(made: Plan, rows: Sequence[Row]) -> tuple[SetFigures, ...]:
    found, start = [], 0
    for number, asked in enumerate(made.sets):
        count = sum(len(places) for one, places in made.places if one == number)
        found.append(set_figures(asked, rows[start : start + count]))
        start += count
    return tuple(found)


def _facts(opened: Checkpoint) -> ModelFacts:
    revision = opened.address.partition("@")[2].partition("/")[0] if opened.is_remote else ""
    return ModelFacts(opened.address, opened.fingerprint, revision)


def _settings(made: Plan) -> Mapping[str, Setting]:
    return {
        "steps": made.painting.steps,
        "guidance": made.guidance,
        "first seed": made.wish.first_seed,
        "prompts": made.vocabulary,
        "scheduler": "ddim with the first model's settings",
        "resolution": made.painting.resolution or "the model's own",
        "pictures painted together": max(map(len, made.batches)),
        "threads": made.painting.threads,
        "dtype": made.painting.dtype,
        "device": made.painting.device,
    }


def _environment() -> Mapping[str, Setting]:
    names = ("surgery", "torch", "diffusers", "transformers", "numpy")
    found = {name: version(name) for name in names}
    return {**found, "python": platform.python_version(), "machine": platform.machine()}
