"""verify: paint with both models, judge, sum up, decide."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from surgery.diff import diff
from surgery.errors import UsageError
from surgery.report.probes import Cost, Setting
from surgery.report.verify import (
    Attack,
    ModelFacts,
    PicturePair,
    Row,
    SetFigures,
    VerifyReport,
)
from surgery.store.checkpoint import Checkpoint
from surgery.verify.bench import Bench, bench
from surgery.verify.gates import Evidence, gates
from surgery.verify.items import SERIAL, Engine, ItemResult, Pixels, run_item
from surgery.verify.notes import notes
from surgery.verify.plan import Plan, plan
from surgery.verify.samples import Samples
from surgery.verify.summary import summary
from surgery.verify.tally import set_figures
from surgery.verify.verdict import verdict
from surgery.verify.wish import ALL, HERE, Circumstance, Wish

OnPictures = Callable[[int], None]


def verify(
    before: str | Path,
    after: str | Path,
    concepts: Sequence[str] = (),
    *,
    wish: Wish = ALL,
    where: Circumstance = HERE,
    engine: Engine = SERIAL,
    attack: Callable[[Plan, Bench], Sequence[Attack]] | None = None,
    on_pictures: OnPictures = lambda made: None,
) -> VerifyReport:
    """Is it gone, and is the rest intact: the same prompts and seeds through two models.

    Args:
        before, after: addresses of models.
        concepts: what should be gone; left out, what the wish or the recipe says.
        wish: everything else that figures depend on.
        where: device and the like, which should not matter to them.
        engine: where items are run.
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
    engine: Engine = SERIAL,
    attack: Callable[[Plan, Bench], Sequence[Attack]] | None = None,
    on_pictures: OnPictures = lambda made: None,
) -> VerifyReport:
    """Carry a plan out, see `verify`."""
    from surgery.verify.painting import forget, threads

    began, judges = time.monotonic(), bench(made)
    judges.check(made.sets)
    samples = Samples(made.wish.kept_pictures)
    counted = _Counted(engine.map(run_item, made.items()), on_pictures)
    try:
        with threads(made.painting):
            rows = list(_rows(made, judges, _batches(counted), samples))
        attacks = tuple(attack(made, judges)) if attack else ()
    finally:
        forget()
    cost = _cost(counted.evaluations, time.monotonic() - began)
    return _report(made, judges, rows, samples.pairs(), attacks, cost)


@dataclass(slots=True)
class _Counted:
    """Results as they come, counted."""

    results: Iterable[ItemResult]
    on_pictures: OnPictures
    evaluations: int = 0

    def __iter__(self) -> Iterator[ItemResult]:
        for one in self.results:
            self.evaluations += one.evaluations
            self.on_pictures(len(one.pictures))
            yield one


def _batches(results: Iterable[ItemResult]) -> Iterator[tuple[Pixels, Pixels]]:
    """Both models' pictures of the same item."""
    waiting = iter(results)
    for before in waiting:
        after = next(waiting)
        assert (before.arm, after.arm) == ("before", "after")
        yield before.pictures, after.pictures


def _rows(
    made: Plan, judges: Bench, items: Iterable[tuple[Pixels, Pixels]], samples: Samples
) -> Iterator[Row]:
    """Judge batch by batch, as they were painted."""
    waiting = iter(made.places)
    for before, after in items:
        start = 0
        while start < len(before):
            number, places = next(waiting)
            some = slice(start, start + len(places))
            start += len(places)
            asked = made.sets[number]
            asks = [asked.asks[place] for place in places]
            marks = judges.marks(asked, asks, before[some], after[some])
            for one in zip(asks, marks, before[some], after[some], strict=True):
                row = Row(asked.group, asked.concept, one[0].prompt, one[0].seed, one[1])
                samples.add(asked, row, one[2], one[3])
                yield row


def _report(
    made: Plan,
    judges: Bench,
    rows: Sequence[Row],
    pictures: tuple[PicturePair, ...],
    attacks: tuple[Attack, ...],
    cost: Cost,
) -> VerifyReport:
    sets = _sets(made, rows)
    sorts = {(one.group, one.concept): one.sort for one in made.sets}
    decided = gates(made.limits, Evidence(sets, rows, attacks))
    if not decided:
        raise UsageError(
            "nothing that was painted decides a gate",
            hint="name a concept, or leave a gate on",
        )
    found = VerifyReport(
        before=_facts(made.before),
        after=_facts(made.after),
        verdict="",
        concepts=made.concepts,
        judges=judges.facts,
        sets=sets,
        summary=summary(rows, sorts),
        gates=decided,
        rows=tuple(rows),
        attacks=attacks,
        pictures=pictures,
        blocks=diff(made.before, made.after).blocks,
        recipe=made.wish.recipe.dump() if made.wish.recipe else "",
        settings=_settings(made),
        environment=_environment(made),
        cost=cost,
        notes=(*made.notes, *notes(sets)),
    )
    return replace(found, verdict=verdict(found))


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


def _environment(made: Plan) -> Mapping[str, Setting]:
    from importlib.metadata import version

    names = ("surgery", "torch", "diffusers", "transformers", "numpy")
    found = {name: version(name) for name in names}
    return {**found, "python": platform.python_version(), "machine": platform.machine()}


def _cost(evaluations: int, seconds: float) -> Cost:
    from surgery.model.memory import peak_mb

    return Cost(evaluations, seconds, peak_mb())
