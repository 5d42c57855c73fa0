"""What `apply` did, for reading, and what to do next."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from surgery.cli.download import fetched_lines
from surgery.cli.gates import gate_lines
from surgery.cli.page import Line, Page, Table, number, percent, plural
from surgery.store.text import size

if TYPE_CHECKING:
    from surgery.apply import ApplyReport
    from surgery.report import Drift, EditedTensor, Leak, Spread
    from surgery.store.checkpoint import Checkpoint

# Drift is measured on hundreds of prompts; those that moved most are the ones to look at.
MOST_MOVED = 5
# The one model whose pictures the built-in judge can read.
JUDGED = "atelier"


def apply_page(report: ApplyReport) -> Page:
    """What changed, how much of the concept is left, what else moved, and whether that passes."""
    page: list[Line | Table] = [Line(f"Warning: {text}", "warn") for text in report.warnings]
    if report.tensors:
        page.append(_tensors(report.tensors))
    page.append(Line(_untouched(report), "good"))
    page.extend(fetched_lines(report))
    if report.leaks:
        page.append(_leaks(report.leaks))
    if report.drifts:
        page.append(_drifts(report.drifts))
    page.extend(gate_lines(report.gates))
    return page


def next_steps(report: ApplyReport, checkpoint: Checkpoint, picture: Path | None) -> Page:
    """Where the output is, and commands that look at it."""
    if report.out is None:
        return [Line("dry run: nothing was written", "quiet")]
    took = sum(report.seconds.values())
    linked = f", {plural(report.linked, 'file')} linked" if report.linked else ""
    wrote = f"wrote {report.out} ({size(report.bytes_written)}{linked}) in {took:.2f} s"
    page = [Line(wrote, "title")]
    if picture is not None:
        page.append(Line(f"wrote {picture}", "title"))
    steps = [shlex.join(["surgery", "diff", checkpoint.address, report.out])]
    concepts = dict.fromkeys(leak.concept for leak in report.leaks)
    if checkpoint.address == JUDGED and concepts:
        named = [word for concept in concepts for word in ("--concept", concept)]
        steps.append(shlex.join(["surgery", "verify", JUDGED, report.out, *named]))
    page += [Line("next:", "quiet"), *(Line(f"  {step}", "command") for step in steps)]
    if checkpoint.json("model_index.json") is not None:
        page += [
            Line("in Python:", "quiet"),
            *(Line(f"  {line}", "command") for line in _python(report.out)),
        ]
    return page


def _python(out: str) -> tuple[str, str]:
    return (
        "from diffusers import StableDiffusionPipeline",
        f"pipeline = StableDiffusionPipeline.from_pretrained({json.dumps(out)})",
    )


def _tensors(tensors: tuple[EditedTensor, ...]) -> Table:
    rows = tuple(
        (
            tensor.name,
            f"{tensor.dtype} {list(tensor.shape)}",
            "-" if tensor.rank is None else str(tensor.rank),
            percent(tensor.relative_norm),
            percent(tensor.changed),
            percent(tensor.lost),
        )
        for tensor in tensors
    )
    weights = ("changed tensor", "stored as", "rank", "|change| / |weights|", "entries changed")
    columns = (*weights, "lost in rounding")
    return Table("What changed", columns, rows, right=frozenset({2, 3, 4, 5}))


def _untouched(report: ApplyReport) -> str:
    plan = report.plan
    kept = f"{report.identical:,} of {plural(plan.tensors, 'tensor')} bit-identical"
    return f"{kept}; {size(plan.bytes_changed)} of {size(plan.bytes_total)} in changed tensors"


def _leaks(leaks: tuple[Leak, ...]) -> Table:
    rows = tuple(
        (leak.concept, leak.target, *_figures(leak.before), *_figures(leak.after)) for leak in leaks
    )
    columns = ("concept", "becomes", "before", "at most", "after", "at most")
    title = "Leak: how far the concept is from its target (0 is there)"
    return Table(title, columns, rows, right=frozenset({2, 3, 4, 5}))


def _drifts(drifts: tuple[Drift, ...]) -> Table:
    worst = sorted(drifts, key=lambda drift: -drift.figure.max)
    rows = [(drift.prompt, *_figures(drift.figure)) for drift in worst[:MOST_MOVED]]
    left = len(drifts) - len(rows)
    if left > 0:
        middle = sorted(drift.figure.median for drift in drifts)[len(drifts) // 2]
        rows.append((f"{left:,} more; median of all", number(middle), ""))
    title = "Drift: how far kept prompts moved (0 is not at all)"
    columns = ("moved most", "median", "at most")
    return Table(title, columns, tuple(rows), right=frozenset({1, 2}))


def _figures(spread: Spread) -> tuple[str, str]:
    return number(spread.median), number(spread.max)
