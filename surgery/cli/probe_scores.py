"""`surgery probe` by the methods that score components: run, show, write."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from surgery.cli.page import Line, Page, Table, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from surgery.cli.console import Output
    from surgery.cli.probe_files import Files
    from surgery.edits.scores import Scores
    from surgery.localise.wish import Circumstance, Wish
    from surgery.report import Component, ComponentReport
    from surgery.store.checkpoint import Checkpoint

SCORED = ("attribution", "neurons", "conceptprune")
"""Methods that score components, and try no places."""
FEW = 8
"""Components on either side that are shown in a terminal."""


def score(
    checkpoint: Checkpoint, wish: Wish, where: Circumstance, files: Files, out: Output
) -> None:
    """Score the components, show what stands out, and write what was asked for."""
    from surgery.cli.hush import hush
    from surgery.cli.probe_files import write_files
    from surgery.score_file import write_scores

    hush()
    recipe = _recipe(checkpoint, wish, where.device, files)
    progress = progress_file(checkpoint, wish, where, files)
    found, scores = _scored(checkpoint, wish, where, (progress, out))
    if files.scores is not None:
        write_scores(scores, files.scores, force=files.force)
        found = replace(found, scores=str(files.scores))
    names = [one.name for one in found.positive]
    out.result(found.to_dict(), names, score_page(found))
    if files.scores is not None:
        out.talk([Line(f"wrote {files.scores}", "title")])
    write_files(found, files, lambda: recipe, out)
    if progress is not None:
        progress.unlink(missing_ok=True)


def _recipe(checkpoint: Checkpoint, wish: Wish, device: str, files: Files) -> str:
    """Its text, if one is asked for: what cannot be drafted is refused before anything is run."""
    from surgery.localise.components import what_to_score
    from surgery.localise.drafted import drafted_mask

    if files.recipe is None:
        return ""
    question, _ = what_to_score(checkpoint, wish, device)
    return drafted_mask(question, wish, checkpoint, files.scores, files.recipe)


def progress_file(
    checkpoint: Checkpoint, wish: Wish, where: Circumstance, files: Files
) -> Path | None:
    """Where attribution keeps how far it has come: one for everything its bits depend on."""
    from surgery.cli.probe_files import cache
    from surgery.localise.components import ATTRIBUTION, what_to_score
    from surgery.localise.journal import key_of
    from surgery.scores.progress import is_progress

    if wish.method != ATTRIBUTION:
        return None
    _, wanted = what_to_score(checkpoint, wish, where.device)
    there = {name: str(value) for name, value in asdict(where).items() if name != "checkpointing"}
    key = key_of({"fingerprint": checkpoint.fingerprint, "wanted": repr(wanted), **there})
    place = files.journal or cache() / "probes" / f"{key}.safetensors"
    if files.fresh and is_progress(place):
        place.unlink(missing_ok=True)
    return place


def _scored(
    checkpoint: Checkpoint, wish: Wish, where: Circumstance, by: tuple[Path | None, Output]
) -> tuple[ComponentReport, Scores]:
    from surgery.localise.components import score_components

    progress, out = by
    try:
        return score_components(
            checkpoint,
            wish,
            where,
            lambda label, total: out.progress(label, total, "steps"),
            progress,
        )
    except BaseException:
        if progress is not None and progress.exists():
            said = f"the steps that were done are kept in {progress}: asked again, it goes on"
            out.talk([Line(said, "quiet")])
        raise


def show_wanted(checkpoint: Checkpoint, wish: Wish, device: str, out: Output) -> None:
    """What would be scored, from the headers alone."""
    from surgery.localise.components import what_to_score

    question, wanted = what_to_score(checkpoint, wish, device)
    facts = {
        "concept": question.concept,
        "weights": len(wanted.sites),
        "prompts": len(wanted.pairs),
        "held prompts": len(wanted.held),
        "seeds": len(wanted.seeds),
        "steps": wanted.steps,
    }
    rows = (tuple(str(value) for value in facts.values()),)
    table = Table(f"{wish.method} on {checkpoint.address}", tuple(facts), rows)
    document = {"kind": "forecast", "version": 1, "method": wish.method, **facts}
    out.result(document, list(wanted.sites), [table, Line("nothing was run", "quiet")])


def score_page(report: ComponentReport) -> Page:
    """Layers with what speaks for the concept and against it, and the strongest components."""
    page: list[Line | Table] = [_layers(report), _strongest(report)]
    if (found := report.linearity) is not None:
        said = f"foretold and true change over {found.count} random masks: r = {found.r:.2f}"
        page.append(Line(f"{said} ({found.low:.2f} to {found.high:.2f})"))
    page += [Line(note, "quiet") for note in report.notes]
    if (cost := report.cost) is not None:
        spent = f"{cost.evaluations:,} denoiser evaluations, {cost.seconds:.1f} s"
        page.append(Line(f"{spent}, {cost.peak_mb:,.0f} MB at most", "quiet"))
    return page


def _layers(report: ComponentReport) -> Table:
    from surgery.cli.probe_page import bar

    most = max((max(one.towards, -one.against) for one in report.sites), default=0) or 1
    rows = tuple(
        (
            one.site,
            f"{one.count:,}",
            f"{one.positive / one.count:.0%}",
            _share(one.towards, report.towards),
            bar(one.towards / most),
            _share(one.against, report.against),
            bar(-one.against / most),
        )
        for one in report.sites
    )
    columns = ("weight", "components", "speak for it", "of all for it", "", "of all against it", "")
    title = f"{report.concept} ({report.sort}) in {report.model}, {report.method}"
    return Table(title, columns, rows, frozenset({1, 2, 3, 5}))


def _strongest(report: ComponentReport) -> Table:
    """Both sides, one beside the other."""
    count = max(len(report.positive[:FEW]), len(report.negative[:FEW]))
    rows = tuple(
        (*_shown(report.positive, place), *_shown(report.negative, place)) for place in range(count)
    )
    columns = ("for it", "score", "against it", "score")
    return Table(f"The {report.unit}s that stand out", columns, rows, frozenset({1, 3}))


def _shown(side: Sequence[Component], place: int) -> tuple[str, str]:
    if place >= len(side):
        return "", ""
    return side[place].name, f"{side[place].score:.3g}"


def _share(part: float, whole: float) -> str:
    return percent(part / whole) if whole else "-"
