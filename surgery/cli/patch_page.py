"""A patch for reading: what it changes, how it keeps that, and what was done with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from surgery.cli.page import Line, Page, Table, plural, steps, surgery
from surgery.store.text import size, visible

if TYPE_CHECKING:
    from surgery.patches.report import PatchedTensor, PatchReport

SHOWN = 20


def patch_page(report: PatchReport) -> Page:
    """The tensors that a patch changes, and what it is made of."""
    page: list[Line | Table] = [Line(_title(report), "title")]
    page.append(_tensors(report.tensors[:SHOWN]))
    if hidden := report.tensors[SHOWN:]:
        page.append(Line(f"{len(hidden):,} more; --format json lists them", "quiet"))
    if report.action in {"make", "show"}:
        page.append(Line(_weight(report)))
    return page


def made_page(report: PatchReport) -> Page:
    """Where a new patch is, and what can be done with it."""
    return [
        Line(f"wrote {report.out} ({size(report.bytes_written)})", "title"),
        *_exactness(report),
        *both_ways(str(report.out), report.model),
    ]


def both_ways(patch: str, model: str) -> list[Line]:
    """The commands that a patch is for."""
    apply = surgery("patch", "apply", patch, model, "-o", "PATCHED")
    return steps("next:", [apply, surgery("patch", "undo", patch, "PATCHED", "-o", "ORIGINAL")])


def used_page(report: PatchReport, patch: Path) -> Page:
    """What was written, and the way back."""
    there = "the base of" if report.action == "apply" else "patched by"
    if report.out is None:
        return [
            Line(f"{report.model} is {there} this patch: every changed tensor matches", "good"),
            Line("dry run: nothing was written", "quiet"),
        ]
    linked = f", {plural(report.linked, 'file')} linked" if report.linked else ""
    wrote = f"wrote {report.out} ({size(report.bytes_written)}{linked}) in {report.seconds:.2f} s"
    page = [Line(wrote, "title"), *_exactness(report)]
    if report.action == "apply":
        back = surgery("patch", "undo", str(patch), report.out, "-o", "ORIGINAL")
        page += steps("the way back:", [back])
    return page


def _title(report: PatchReport) -> str:
    count = plural(len(report.tensors), "tensor")
    return f"{_origin(report.recipe)}: changes {count} of the model {report.base[:12]}"


def _origin(recipe: str) -> str:
    if not recipe:
        return "a patch made of two models"
    try:
        return f"a patch of the recipe {visible(str(json.loads(recipe)['name']))}"
    except (ValueError, KeyError, TypeError, RecursionError):
        return "a patch of an unreadable recipe"


def _tensors(tensors: tuple[PatchedTensor, ...]) -> Table:
    rows = tuple(
        (
            tensor.name,
            f"{tensor.dtype} {list(tensor.shape)}",
            "by value" if tensor.rank is None else f"rank {tensor.rank}",
            size(tensor.correction_bytes),
        )
        for tensor in tensors
    )
    columns = ("changed tensor", "stored as", "kept", "packed bits")
    return Table("", columns, rows, right=frozenset({3}))


def _weight(report: PatchReport) -> str:
    packed = sum(tensor.correction_bytes for tensor in report.tensors)
    return (
        f"{size(report.bytes_written)} in all: {size(report.factor_bytes)} of factors,"
        f" {size(packed)} of packed bits"
    )


def _exactness(report: PatchReport) -> Iterator[Line]:
    if report.exact:
        yield Line("every byte is as recorded, headers too", "good")
        return
    if report.action == "make":
        what = "the two lay tensors out differently: these come back exactly, the files do not"
    else:
        what = "tensors are exact; the file around them is not the recorded one byte for byte"
    yield Line(what, "warn")
