"""What a LoRA holds, for reading, and how to load it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from surgery.cli.download import fetched_lines
from surgery.cli.page import Line, Page, Table, number, percent, plural, steps
from surgery.store.text import size

if TYPE_CHECKING:
    from surgery.lora.check import LoraTensor
    from surgery.lora.export import LoraReport

SHOWN = 10


def lora_page(report: LoraReport) -> Page:
    """The layers, and how close the LoRA comes to the edit."""
    count = plural(len(report.modules), "layer")
    page: list[Line | Table] = [
        Line(
            f"{report.recipe} for {report.model} as a LoRA of {count}, rank {report.rank},"
            f" {size(report.bytes_lora)} in {report.dtype}",
            "title",
        ),
        _layers(report.tensors[:SHOWN]),
    ]
    if hidden := len(report.tensors[SHOWN:]):
        page.append(Line(f"{hidden:,} more; --format json lists them", "quiet"))
    page.append(
        Line(
            f"added to the base, it gives the edited weights to within {number(report.max_abs)};"
            f" {number(report.relative)} of the change is the most that {report.dtype} takes",
            "good",
        )
    )
    page.extend(fetched_lines(report.fetched, report.requests, report.bytes_total))
    return page


def next_steps(report: LoraReport) -> Page:
    """Where the LoRA is, and what loads it."""
    if report.out is None:
        return [Line("dry run: nothing was written", "quiet")]
    return [
        Line(f"wrote {report.out} ({size(report.bytes_lora)}) in {report.seconds:.2f} s", "title"),
        *_loading(report, report.out),
    ]


def _layers(tensors: tuple[LoraTensor, ...]) -> Table:
    rows = tuple(
        (
            "\n".join(tensor.modules),
            str(tensor.rank),
            percent(tensor.relative_norm),
            number(tensor.max_abs),
            number(tensor.relative),
            number(tensor.allowed),
        )
        for tensor in tensors
    )
    columns = ("layer", "rank", "change", "off by", "of change", "allowed")
    title = "Size of each change beside its weights, and how far the stored factors are off"
    return Table(title, columns, rows, right=frozenset({1, 2, 3, 4, 5}))


def _loading(report: LoraReport, out: str) -> Page:
    if report.format == "peft":
        lines = ["from peft import PeftModel"]
        for name in report.components:
            place = json.dumps(f"{out}/{name}")
            lines.append(f"pipeline.{name} = PeftModel.from_pretrained(pipeline.{name}, {place})")
    else:
        lines = [f"pipeline.load_lora_weights({json.dumps(out)})"]
    page = steps("in Python:", lines)
    if report.format == "kohya":
        where = "elsewhere: models/Lora of A1111 and Forge, models/loras of ComfyUI; strength 1"
        page.append(Line(where, "quiet"))
    return page
