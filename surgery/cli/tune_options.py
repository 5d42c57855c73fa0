"""The options of `surgery tune` that no other command has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

# What `surgery.tune.points` calls so; --help does not wait for numpy.
LeakFigure: TypeAlias = Literal[
    "prompts-median", "prompts-p95", "prompts-max",
    "own-median", "own-p95", "own-max",
    "wordings-median", "wordings-p95", "wordings-max",
]  # fmt: skip
DriftFigure: TypeAlias = Literal[
    "neutral-median", "neutral-p95", "neutral-max", "held-median", "held-p95", "held-max"
]

EditOption = Annotated[
    int | None, typer.Option("--edit", metavar="N", help="Which of several edits, from 0.")
]
GridOption = Annotated[
    list[str] | None,
    typer.Option(
        "--grid",
        metavar="KEY=VALUES",
        help="A setting and what to try, as in ridge=0.001,0.01; again for another. Left out:"
        " strength, ridge, preserve_scale and positions.",
    ),
]
LeakOption = Annotated[
    LeakFigure,
    typer.Option(
        "--leak",
        help="Which figure says what is left: of the edit's prompts, at every place that any"
        " point edits; at its own places alone; or of other wordings.",
    ),
]
DriftOption = Annotated[
    DriftFigure, typer.Option("--drift", help="Which figure says what else moves.")
]
ChooseOption = Annotated[
    str,
    typer.Option(
        "--choose",
        metavar="POINT",
        help="knee: farthest below the line through the front's ends, both axes scaled to them;"
        " leak or drift: the least; or a number from the table.",
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FILE", help="Write the tuned recipe here."),
]
WriteOption = Annotated[
    bool, typer.Option("--write", help="Write the chosen settings into the recipe itself.")
]
PngOption = Annotated[
    Path | None, typer.Option("--png", metavar="FILE", help="Also draw the points.")
]
