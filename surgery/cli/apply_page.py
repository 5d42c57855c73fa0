"""What `apply` did, for reading, and what to do next."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from surgery.cli.download import fetched_lines
from surgery.cli.gates import gate_lines
from surgery.cli.page import Line, Page, Table, number, percent, plural, steps, surgery
from surgery.cli.patch_page import both_ways
from surgery.store.text import size

if TYPE_CHECKING:
    from surgery.apply import ApplyReport
    from surgery.report import Drift, EditedTensor, Leak, Spread
    from surgery.store.checkpoint import Checkpoint

# An edit of all cross-attention changes a hundred tensors alike.
MOST_CHANGED = 5
# Drift is measured on hundreds of prompts; those that moved most are the ones to look at.
MOST_MOVED = 2
# With more concepts than this, only those are shown of which most is left.
FEW_CONCEPTS = 3
MOST_LEFT = 8
OWN_PROMPTS = "prompts"
# The one model whose pictures the built-in judge can read.
JUDGED = "atelier"


def apply_page(report: ApplyReport) -> Page:
    """What changed, how much of the concept is left, what else moved, and whether that passes."""
    page: list[Line | Table] = [Line(f"Warning: {text}", "warn") for text in report.warnings]
    if report.tensors:
        page.append(_tensors(report.tensors))
    if zeroed := sum(tensor.zeroed for tensor in report.tensors):
        entries = sum(prod(tensor.shape) for tensor in report.tensors)
        page.append(
            Line(f"{zeroed:,} of {entries:,} weights set to zero, {percent(zeroed / entries)}")
        )
    page.append(Line(_untouched(report), "good"))
    page.extend(fetched_lines(report.fetched, report.requests, report.plan.bytes_total))
    if report.leaks:
        page.append(_leaks(report.leaks))
    if report.drifts:
        page.append(_drifts(report.drifts))
    page.extend(gate_lines(report.gates))
    page.extend(Line(line) for line in _checksums(report))
    return page


def _checksums(report: ApplyReport) -> list[str]:
    """As `sha256sum` writes them, so that it can check them."""
    out = Path(report.out or "")
    places = {name: out / name if out.name != name else out for name in report.checksums}
    return [f"{digest}  {places[name]}" for name, digest in report.checksums.items()]


def next_steps(
    report: ApplyReport, checkpoint: Checkpoint, picture: Path | None, *, dry_run: bool = False
) -> Page:
    """Where the output is, and commands that look at it."""
    if report.out is None and report.patch:
        return _kept(report, checkpoint)
    if report.out is None and report.passed:
        return [Line("dry run: nothing was written", "quiet")]
    if report.out is None and dry_run:
        stops = "without --allow-weak a real run would stop here and write nothing"
        return [Line(f"dry run: nothing was written; {stops}", "bad")]
    if report.out is None:
        return [Line("nothing was written; --allow-weak writes it all the same", "bad")]
    took = sum(report.seconds.values())
    linked = f", {plural(report.linked, 'file')} linked" if report.linked else ""
    wrote = f"wrote {report.out} ({size(report.bytes_written)}{linked}) in {took:.2f} s"
    page = [Line(wrote, "title")]
    if picture is not None:
        page.append(Line(f"wrote {picture}", "title"))
    if report.patch:
        page.append(Line(f"wrote {report.patch} ({size(report.patch_bytes)})", "title"))
    leave = ["--allow-pickle"] if checkpoint.origins else []
    then = [surgery("diff", checkpoint.address, report.out, *leave)]
    concepts = dict.fromkeys(leak.concept for leak in report.leaks)
    if checkpoint.address == JUDGED and 0 < len(concepts) <= MOST_LEFT:
        named = [word for concept in concepts for word in ("--concept", concept)]
        then.append(surgery("verify", JUDGED, report.out, *named))
    page += steps("next:", then)
    if checkpoint.json("model_index.json") is not None:
        page += steps("in Python:", _python(report.out))
    return page


def _kept(report: ApplyReport, checkpoint: Checkpoint) -> list[Line]:
    """Where the patch is, and what it is for."""
    took, patch = sum(report.seconds.values()), str(report.patch)
    return [
        Line(f"wrote {patch} ({size(report.patch_bytes)}) in {took:.2f} s", "title"),
        *both_ways(patch, checkpoint.address),
    ]


def _python(out: str) -> tuple[str, str]:
    return (
        "from diffusers import StableDiffusionPipeline",
        f"pipeline = StableDiffusionPipeline.from_pretrained({json.dumps(out)})",
    )


def _tensors(tensors: tuple[EditedTensor, ...]) -> Table:
    """Every changed tensor; of many, those that changed most, and the median of all."""
    shown = sorted(tensors, key=lambda tensor: -tensor.relative_norm)[:MOST_CHANGED]
    rows = [_tensor(tensor) for tensor in (tensors if len(tensors) <= MOST_CHANGED + 1 else shown)]
    if left := len(tensors) - len(rows):
        rest = sorted(tensor.relative_norm for tensor in tensors)
        middle = percent(rest[len(rest) // 2])
        rows.append((f"{left:,} more; median of all", "", "", middle, "", ""))
    columns = ("changed tensor", "stored as", "rank", "change", "entries", "rounding")
    title = "What changed: beside its weights, in how many entries, and lost in rounding"
    return Table(title, columns, tuple(rows), right=frozenset({2, 3, 4, 5}))


def _tensor(tensor: EditedTensor) -> tuple[str, ...]:
    return (
        tensor.name,
        f"{tensor.dtype} {list(tensor.shape)}",
        "-" if tensor.rank is None else str(tensor.rank),
        percent(tensor.relative_norm),
        percent(tensor.changed),
        percent(tensor.lost),
    )


def _untouched(report: ApplyReport) -> str:
    plan = report.plan
    kept = f"{report.identical:,} of {plural(plan.tensors, 'tensor')} bit-identical"
    return f"{kept}; {size(plan.bytes_changed)} of {size(plan.bytes_total)} in changed tensors"


def _leaks(leaks: tuple[Leak, ...]) -> Table:
    """Every wording of a few concepts; of many, the worst ones, and the most left of any."""
    concepts = dict.fromkeys((leak.edit, leak.concept) for leak in leaks)
    few = len(concepts) <= FEW_CONCEPTS
    rows = tuple(
        (
            leak.concept,
            leak.target or "nothing",
            leak.wording,
            *_figures(leak.figure),
            f"{leak.figure.count:,}",
        )
        for leak in (leaks if few else _worst(leaks))
    )
    columns = ("concept", "becomes", "asked for by", "median", "95 %", "at most", "figures")
    title = "Leak: what is left of the concept (0 nothing, 1 all of it)"
    most = () if few else tuple(_most(leaks))
    return Table(title, columns, (*rows, *most), right=frozenset({3, 4, 5, 6}))


def _worst(leaks: tuple[Leak, ...]) -> list[Leak]:
    own = [leak for leak in leaks if leak.wording == OWN_PROMPTS]
    return sorted(own, key=lambda leak: -leak.figure.max)[:MOST_LEFT]


def _most(leaks: tuple[Leak, ...]) -> Iterator[tuple[str, ...]]:
    """One row for each wording, of all concepts that were measured in it together."""
    for wording in dict.fromkeys(leak.wording for leak in leaks):
        alike = [leak for leak in leaks if leak.wording == wording]
        concepts = len({(leak.edit, leak.concept) for leak in alike})
        worst = number(max(leak.figure.max for leak in alike))
        count = sum(leak.figure.count for leak in alike)
        yield f"any of {concepts:,}", "", wording, "", "", worst, f"{count:,}"


def _drifts(drifts: tuple[Drift, ...]) -> Table:
    rows = tuple(
        (
            f"{_whose(drift)}{', ' + drift.path if drift.path else ''}",
            *_figures(drift.figure),
            ", ".join(moved.prompt for moved in drift.most[:MOST_MOVED]),
        )
        for drift in drifts
    )
    title = "Drift: how far other prompts moved (0 is not at all)"
    columns = ("prompts", "median", "95 %", "at most", "moved most")
    return Table(title, columns, rows, right=frozenset({1, 2, 3}))


def _whose(drift: Drift) -> str:
    return f"{drift.prompts:,} {drift.group}" if drift.prompts else drift.group


def _figures(spread: Spread) -> tuple[str, str, str]:
    return number(spread.median), number(spread.p95), number(spread.max)
