"""`surgery probe`: which layers of a model keep a concept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from surgery.cli import probe_options as own
from surgery.cli.options import (
    AddressOption,
    AllowPickleOption,
    DryRunOption,
    EngineOption,
    ForceOption,
    FormatOption,
    ModelArgument,
    ThreadsOption,
    TokenizerOption,
    WorkersOption,
)
from surgery.cli.probe_files import Files, checked, open_journal, write_files
from surgery.cli.probe_forecast import show_forecast
from surgery.cli.probe_scores import SCORED, score, show_wanted
from surgery.engine import engine_for
from surgery.errors import UsageError
from surgery.store.checkpoint import open_checkpoint

if TYPE_CHECKING:
    from surgery.cli.console import Output
    from surgery.engine import Engine
    from surgery.localise.journal import Journal
    from surgery.localise.wish import Circumstance, Wish
    from surgery.report import ProbeReport, SurveyReport
    from surgery.stage import Stage
    from surgery.store.checkpoint import Checkpoint


def command(
    model: ModelArgument,
    concept: own.ConceptOption = None, target: own.TargetOption = None,
    kind: own.KindOption = None, prompt: own.PromptOption = None,
    method: own.MethodOption = "quick",
    judge: own.JudgeOption = "auto", clip: own.ClipOption = None,
    recipe: own.RecipeOption = None, report: own.ReportOption = None,
    prompts: own.PromptsOption = None, seeds: own.SeedsOption = None,
    check: own.CheckOption = None, first_seed: own.FirstSeedOption = 0,
    draws: own.DrawsOption = 3, noise: own.NoiseOption = None,
    steps: own.StepsOption = None, guidance: own.GuidanceOption = None,
    window: own.WindowOption = None, stride: own.StrideOption = None,
    threshold: own.ThresholdOption = None, per_kind: own.PerSortOption = None,
    batch: own.BatchOption = 8, resolution: own.ResolutionOption = None,
    device: own.DeviceOption = "cpu", dtype: own.DtypeOption = "float32",
    config: own.ConfigOption = None, tokenizer: TokenizerOption = None,
    scores: own.ScoresOption = None, where: own.WhereOption = None,
    base: own.BaseOption = None, goal: own.GoalOption = None,
    linearity: own.LinearityOption = 0, checkpointing: own.CheckpointingOption = False,
    engine: EngineOption = "serial", workers: WorkersOption = None,
    address: AddressOption = None, threads: ThreadsOption = None,
    journal: own.JournalOption = None, fresh: own.FreshOption = False,
    dry_run: DryRunOption = False, force: ForceOption = False,
    allow_pickle: AllowPickleOption = False,
    format: FormatOption = "human",
) -> None:  # fmt: skip
    """Find out which layers of a model keep a concept, or which of its weights.

    Nothing of the model is changed. What is measured is kept at once, so that a probe which is
    stopped goes on where it was when it is asked again.

    \b
    Examples:
      surgery probe atelier --concept "van gogh" --prompts 2 --seeds 1 --recipe found.yaml
      surgery probe atelier --concept monet --prompts 2 --engine local --workers 2
      surgery probe my_model/ --concept "greg rutkowski" --kind style --report found.html
      surgery probe model.safetensors --method locogen --judge clip --clip my_clip/ --dry-run
      surgery probe atelier -c "van gogh" --method conceptprune --prompts 1 --seeds 1 --steps 4
    """
    from surgery.cli.console import Output
    from surgery.localise.room import room_for
    from surgery.localise.wish import Circumstance, Wish

    wish = Wish(
        concept, target, kind, tuple(prompt or ()), method, judge, clip, prompts, seeds, first_seed,
        check, draws, steps, guidance, noise, window, stride, threshold, batch, per_kind,
        where=where, base=base, goal=goal, linearity=linearity,
    )  # fmt: skip
    files = checked(Files(recipe, tuple(report or ()), journal, fresh, force, scores), wish)
    out, checkpoint = Output(format), open_checkpoint(model, allow_pickle=allow_pickle)
    if dry_run:
        show = show_wanted if method in SCORED else show_forecast
        return show(checkpoint, wish, device, out)
    wish = replace(wish, thumbnails=files.has_page)
    place = Circumstance(device, dtype, resolution, config, tokenizer, threads, checkpointing)
    needs = {"threads": threads or 1, "memory": room_for(checkpoint, dtype)}
    with engine_for(engine, workers, address, device=device, **needs) as started:
        if method in SCORED:
            return score(checkpoint, wish, _here(place, started), files, out)
        _probe(checkpoint, wish, place, files, (started, out))


def _here(place: Circumstance, engine: Engine) -> Circumstance:
    """Where components are scored: from step to step, so that there are no batches to give away."""
    if not engine.is_here:
        what = "components are scored in this process alone"
        raise UsageError(what, where="--engine", hint="leave it out")
    return place


def _probe(
    checkpoint: Checkpoint, wish: Wish, where: Circumstance, files: Files, by: tuple[Engine, Output]
) -> None:
    from surgery.cli.hush import hush
    from surgery.cli.probe_page import probe_page

    hush()
    out = by[1]
    found = _run(checkpoint, wish, where, open_journal(files, checkpoint), by)
    page = probe_page(found) if out.format == "human" else []
    out.result(found.to_dict(), _names(found), page)
    write_files(found, files, lambda: _recipe(checkpoint, found, wish), out)


def _recipe(checkpoint: Checkpoint, found: ProbeReport | SurveyReport, wish: Wish) -> str:
    from surgery.layout import detect
    from surgery.localise.drafted import drafted
    from surgery.probes.windows import depth
    from surgery.questions import vocabulary_of
    from surgery.report import ProbeReport

    assert isinstance(found, ProbeReport)
    layers = depth(detect(checkpoint))
    return drafted(found, vocabulary_of(checkpoint), layers, wish.own_prompts)


def _run(
    checkpoint: Checkpoint,
    wish: Wish,
    where: Circumstance,
    kept: Journal,
    by: tuple[Engine, Output],
) -> ProbeReport | SurveyReport:
    from surgery.cli.page import Line
    from surgery.localise.probe import answer

    engine, out = by
    try:
        return answer(checkpoint, wish, where, kept, _stage(out), engine=engine)
    except BaseException:
        if kept.file is not None and kept.added:
            said = f"{kept.added} measurements are kept in {kept.file}: asked again, it goes on"
            out.talk([Line(said, "quiet")])
        raise


def _stage(out: Output) -> Stage:
    return lambda label, total: out.progress(label, total, "steps")


def _names(found: ProbeReport | SurveyReport) -> list[str]:
    """What the quiet format shows: the places to edit."""
    from surgery.report import ProbeReport

    places = [found.found] if isinstance(found, ProbeReport) else [one.site for one in found.sorts]
    return [one for one in places if one]
