"""run_probe: one concept, one probe, one report."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from surgery.engine import Engine, Serial
from surgery.judges import Judge
from surgery.localise.journal import Journal, Measurement
from surgery.localise.notes import doubts, notes
from surgery.localise.rows import Bench, Rows
from surgery.localise.scoring import Anchored, by_arm, score_of
from surgery.localise.study import Study
from surgery.localise.tools import Addresses, Facts, Held, Tools, facts_of, lent
from surgery.model import Model
from surgery.probes.base import RESTORING, Arm, Probe
from surgery.report import Cost, ProbeReport, Score, Setting, Thumbnail
from surgery.report.probes import Best
from surgery.stage import Stage, unwatched


@dataclass(frozen=True, slots=True)
class Means:
    """What questions are answered with.

    Args:
        model: in memory, or where the workers of an engine find it.
        address: of the model, for the report.
        journal: measurements of earlier runs; new ones are added to it at once, so that a run
            which is stopped can go on.
        stage: told how the sampling goes on.
        engine: runs the batches.
        threads: that a batch is computed with.
    """

    model: Model | Addresses
    judge: Judge
    address: str = ""
    journal: Journal = field(default_factory=Journal)
    stage: Stage = unwatched
    engine: Engine = field(default_factory=Serial)
    threads: int = 1

    @property
    def tools(self) -> Tools:
        """Model and judge, as the engine's workers need them."""
        if isinstance(self.model, Addresses):
            return lent(self.model, self.judge)
        return Held(self.model, self.judge)

    def bench(self, probe: Probe) -> Bench:
        """What the rows of a probe are measured with."""
        tools, engine = self.tools, self.engine
        (facts,) = engine.map(facts_of, [tools])
        return Bench(
            tools, facts, probe, self.judge, self.journal, self.stage, engine, self.threads
        )


def run_probe(means: Means, probe: Probe, study: Study) -> ProbeReport:
    """Try every place that the probe names, over all prompts, seeds and draws of the study.

    Raises:
        UsageError: the model's numbers overflow, or the judge cannot read its pictures.
    """
    judge, began = means.judge, time.monotonic()
    bench = means.bench(probe)
    facts, spent = bench.facts, bench.spent
    anchors = probe.anchors(facts.layout)
    # What cannot be tried is said before anything is measured.
    probe.arms(facts.layout, ())
    rows, ends = _anchored(bench, study)
    study = rows.study
    arms, scored = _all_arms(rows, probe, ends, study)
    found, last = probe.found(scored)
    cost = Cost(spent.evaluations, time.monotonic() - began, spent.peak_mb, rows.kept)
    return ProbeReport(
        model=means.address,
        fingerprint=facts.fingerprint,
        method=probe.name,
        concept=study.question.concept,
        target=study.question.target,
        sort=study.question.sort,
        judge=judge.name,
        best=_best(probe, judge, study),
        scores=last,
        anchors=_anchor_scores(anchors, ends, probe, study),
        smaller=tuple(one for one in scored if one not in last),
        found=found,
        prompts=tuple((pair.source, pair.target) for pair in study.question.pairs),
        settings=_settings(facts, probe, study),
        cost=cost,
        notes=(*doubts(probe, ends), *notes(probe, found, study)),
        pictures=_pictures(rows, [*anchors, *arms]),
    )


def _anchored(bench: Bench, study: Study) -> tuple[Rows, Anchored]:
    """The runs with and without; of several amounts of noise the first that takes most away."""
    anchors = bench.probe.anchors(bench.facts.layout)
    for noise in study.noises:
        rows = Rows(bench, replace(study, sampling=replace(study.sampling, noise=noise)))
        ends = _whole(rows.measure(anchors, "with and without"), anchors)
        if bench.probe.way not in RESTORING or _is_mostly_gone(ends.source):
            break
    return rows, ends


def _is_mostly_gone(corrupted: Sequence[Measurement]) -> bool:
    seen = [one.shown for one in corrupted if one.shown is not None]
    return 2 * sum(seen) <= len(seen)


def _all_arms(
    rows: Rows, probe: Probe, ends: Anchored, study: Study
) -> tuple[list[Arm], list[Score]]:
    """What the probe asks for, and then asks for after that, until it asks no more."""
    shape = study.shape(probe.way in RESTORING)
    tried: list[Arm] = []
    scored: list[Score] = []
    while arms := probe.arms(rows.bench.facts.layout, scored):
        label = f"{probe.name}: {len(arms)} places"
        scored += by_arm(arms, rows.measure(arms, label), ends, shape)
        tried += arms
    return tried, scored


def _whole(
    found: Mapping[Arm, tuple[Measurement | None, ...]], anchors: tuple[Arm, Arm]
) -> Anchored:
    source, target = (tuple(one for one in found[arm] if one is not None) for arm in anchors)
    return Anchored(source, target)


def _anchor_scores(
    anchors: tuple[Arm, Arm], ends: Anchored, probe: Probe, study: Study
) -> tuple[Score, ...]:
    shape = study.shape(probe.way in RESTORING)
    sides = (ends.source, ends.target)
    return tuple(score_of(arm, one, ends, shape) for arm, one in zip(anchors, sides, strict=True))


def _best(probe: Probe, judge: Judge, study: Study) -> Best:
    """A place that restores the concept is the better the more of it is seen.

    A judge with anchors scores how near a run is to the second of them, whichever that is.
    """
    best = judge.best(study.question.sort)
    if judge.anchored or probe.way not in RESTORING:
        return best
    return "most" if best == "least" else "least"


def _settings(facts: Facts, probe: Probe, study: Study) -> dict[str, Setting]:
    own = {key: _plain(value) for key, value in asdict(probe).items() if value is not None}  # type: ignore[call-overload]
    drawn = {"noise": study.sampling.noise, "draws": study.draws}
    return {
        **own,
        "steps": study.sampling.steps,
        "guidance": study.sampling.guidance,
        "prompts": len(study.question.pairs),
        "seeds": ", ".join(map(str, study.seeds)),
        **(drawn if probe.way in RESTORING else {}),
        "resolution": facts.resolution,
        "dtype": facts.dtype,
        "device": facts.device,
    }


def _plain(value: object) -> Setting:
    if isinstance(value, str | int | float | bool):
        return value
    return ", ".join(map(str, value)) if isinstance(value, Sequence) else str(value)


def _pictures(rows: Rows, arms: Sequence[Arm]) -> tuple[Thumbnail, ...]:
    made = ((arm, rows.picture(arm)) for arm in arms)
    return tuple(Thumbnail(arm.site, arm.column, png) for arm, png in made if png)
