"""`surgery verify`: the same pictures by two models, judged."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from surgery.cli import probe_options as shared
from surgery.cli import verify_options as own
from surgery.cli.options import (
    AddressOption,
    DryRunOption,
    EngineName,
    EngineOption,
    ForceOption,
    FormatOption,
    TokenizerOption,
    WorkersOption,
)
from surgery.cli.verify_files import WITH_PICTURES, checked, write_reports

if TYPE_CHECKING:
    from collections.abc import Mapping

    from surgery.cli.console import Output
    from surgery.engine import Engine
    from surgery.report import Attack, VerifyReport
    from surgery.verify.bench import Bench
    from surgery.verify.plan import Plan
    from surgery.verify.run import Attacking, OnStep

FIRST_SEED = 9_000_000


def command(
    before: own.BeforeArgument, after: own.AfterArgument,
    recipe: own.RecipeOption = None,
    concept: own.ConceptOption = None, target: own.TargetOption = None,
    kind: shared.KindOption = None, keep: own.KeepOption = None,
    synonym: own.SynonymOption = None, prompts: own.PromptsOption = None,
    pictures: own.PicturesOption = None,
    seeds: own.SeedsOption = None, first_seed: own.FirstSeedOption = FIRST_SEED,
    steps: shared.StepsOption = None, guidance: shared.GuidanceOption = None,
    judge: own.JudgeOption = "auto", clip: own.ClipOption = None,
    metric: own.MetricOption = None, threshold: own.ThresholdOption = 0.5,
    expect: own.ExpectOption = None, attacks: own.AttacksOption = False,
    report: own.ReportOption = None,
    engine: EngineOption = "local", workers: WorkersOption = None,
    address: AddressOption = None, threads: own.ThreadsOption = 1,
    batch: own.BatchOption = 16, device: shared.DeviceOption = "cpu",
    dtype: shared.DtypeOption = "float32", resolution: shared.ResolutionOption = None,
    config: shared.ConfigOption = None, tokenizer: TokenizerOption = None,
    dry_run: DryRunOption = False, force: ForceOption = False, format: FormatOption = "human",
) -> None:  # fmt: skip
    """Show whether a concept is gone and the rest is intact.

    Both models paint the same prompts from the same noise, and a judge says what is seen. Gates
    are decided on the bad end of each interval; exits with 3 if one is missed.

    \b
    Examples:
      surgery verify atelier out/remove_vangogh --pictures 1 --workers 1
      surgery verify atelier out/remove_vangogh -c "van gogh" --expect kept=0.95 --dry-run
    """
    from surgery.cli.console import Output
    from surgery.cli.verify_wish import about, limits_of, recipe_of
    from surgery.verify import Circumstance, Wish, plan

    places, out = checked(report or (), force), Output(format)
    shown = 2 if any(one.suffix in WITH_PICTURES for one in places) else 0
    plain = Wish(
        tuple(concept or ()), tuple(keep or ()), recipe_of(recipe), judge=judge, clip=clip,
        metrics=tuple(metric or ()), threshold=threshold, seeds=seeds, first_seed=first_seed,
        pictures=pictures, steps=steps, guidance=guidance, limits=limits_of(expect or ()),
        kept_pictures=shown,
    )  # fmt: skip
    where = Circumstance(device, dtype, batch, threads, resolution, _text(config), _text(tokenizer))
    made = plan(before, after, about(plain, kind, target, synonym or (), prompts), where)
    if dry_run:
        return _show_plan(made, out)
    _carry_out(made, _engine(made, engine, workers, address), attacks, places, out)


def _carry_out(
    made: Plan,
    engine: Engine,
    attacks: bool,
    places: tuple[Path, ...],
    out: Output,
) -> None:
    """Verify, write the reports whatever the gates say, and then let them speak."""
    from surgery.cli.gates import check_gates

    with engine as painter:
        found = _verify(made, painter, attacks, out)
    write_reports(found, places, out)
    check_gates(found.gates)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path.absolute())


def _engine(made: Plan, name: EngineName, workers: int | None, address: str | None) -> Engine:
    """Where to paint; a process holds both models, so of large ones there is one by default."""
    from surgery.engine import engine_for

    small = made.vocabulary == "atelier" and made.where.device == "cpu"
    if name == "local" and (workers == 1 or (workers is None and not small)):
        return engine_for("serial")
    many = min(workers or os.cpu_count() or 1, len(made.items())) if name == "local" else workers
    return engine_for(name, many, address, threads=made.where.threads, device=made.where.device)


def _verify(made: Plan, engine: Engine, attacks: bool, out: Output) -> VerifyReport:
    from surgery.cli.hush import hush
    from surgery.cli.verify_page import verify_page
    from surgery.verify.run import run

    hush()
    with ExitStack() as bars:
        advance = bars.enter_context(out.progress("painting", made.pictures, "pictures"))
        found = run(made, engine, _attack(bars, out) if attacks else None, advance)
    missed = [gate.name for gate in found.missed]
    out.result(found.to_dict(), missed, verify_page(found) if out.format == "human" else [])
    return found


def _attack(bars: ExitStack, out: Output) -> Attacking:
    """Attacks with a bar of their own, once the one of the pictures is done."""

    def attack(made: Plan, judges: Bench, on_step: OnStep) -> tuple[Attack, ...]:
        from surgery.verify.attacks import attacks, most

        bars.close()
        with out.progress("attacking", most(made), "steps") as advance:

            def step(label: str, done: int) -> None:
                on_step(label, done)
                advance(done)

            return attacks(made, judges, step)

    return attack


def _show_plan(made: Plan, out: Output) -> None:
    from surgery.cli.verify_page import plan_page
    from surgery.verify.plan import kinds

    groups = [
        {"group": group, "sets": sets, "pictures": 2 * count} for group, sets, count in kinds(made)
    ]
    document: Mapping[str, object] = {
        "kind": "verify plan",
        "version": 1,
        "concepts": list(made.concepts),
        "pictures": made.pictures,
        "groups": groups,
        "gates": dict(made.limits),
        "notes": list(made.notes),
    }
    out.result(document, list(made.concepts), plan_page(made))
