"""The options of `surgery verify` that no other command has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

BeforeArgument = Annotated[str, typer.Argument(metavar="BEFORE", help="The model before the edit.")]
AfterArgument = Annotated[str, typer.Argument(metavar="AFTER", help="The model after the edit.")]
RecipeOption = Annotated[
    str | None,
    typer.Option(
        "--recipe", "-r", metavar="RECIPE",
        help="The recipe that made AFTER: what should be gone and kept, and the gates; left out,"
        " the one that AFTER carries.",
    ),
]  # fmt: skip
ConceptOption = Annotated[
    list[str] | None,
    typer.Option(
        "--concept", "-c", metavar="CONCEPT",
        help="What should be gone, instead of what the recipe says; again for more.",
    ),
]  # fmt: skip
TargetOption = Annotated[
    str | None,
    typer.Option("--target", "-t", metavar="TARGET", help="What should be in its place."),
]
KeepOption = Annotated[
    list[str] | None,
    typer.Option("--keep", "-k", metavar="CONCEPT", help="What should stay; again for more."),
]
SynonymOption = Annotated[
    list[str] | None,
    typer.Option("--synonym", metavar="NAME", help="Another name of the concept; again for more."),
]
PromptsOption = Annotated[
    Path | None,
    typer.Option(
        "--prompts", metavar="FILE.csv",
        help="Prompts of your own instead of the built-in ones: columns prompt and seed, and if"
        " wanted guidance, concept, group.",
    ),
]  # fmt: skip
PicturesOption = Annotated[
    int | None,
    typer.Option("--pictures", min=1, metavar="N", help="At most so many of each set and model."),
]
SeedsOption = Annotated[
    int | None,
    typer.Option("--seeds", min=1, metavar="N", help="For each prompt; default by set."),
]
FirstSeedOption = Annotated[
    int,
    typer.Option(
        "--first-seed", min=0, metavar="SEED",
        help="Where seeds begin; choose settings on others than those you report.",
    ),
]  # fmt: skip
JudgeOption = Annotated[
    str,
    typer.Option(
        "--judge", metavar="JUDGE",
        help="Who says what is seen: atelier (its own judge), clip, the address of an"
        " image-classification model, or python:MODULE:FUNCTION, which is imported and run.",
    ),
]  # fmt: skip
ClipOption = Annotated[
    str | None,
    typer.Option(
        "--clip", metavar="MODEL",
        help="A CLIP or SigLIP model, for --judge clip, the CLIP score and the distance: a folder"
        " or ORG/NAME.",
    ),
]  # fmt: skip
MetricOption = Annotated[
    list[str] | None,
    typer.Option(
        "--metric", metavar="METRIC",
        help="Also lpips, between both pictures, or fid, between all of both models; needs the"
        " extra 'metrics' and weights on this machine; again for both.",
    ),
]  # fmt: skip
ThresholdOption = Annotated[
    float,
    typer.Option("--threshold", metavar="X", help="From which score of a FUNCTION on it is seen."),
]
ExpectOption = Annotated[
    list[str] | None,
    typer.Option(
        "--expect", "-e", metavar="GATE=X",
        help="Another limit for a gate, such as erased=0.2 or kept=0.95; erased=off for none.",
    ),
]  # fmt: skip
AttacksOption = Annotated[
    bool, typer.Option("--attacks", help="Also try to bring back what is gone.")
]
ReportOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--report", metavar="FILE",
        help="Write the report: .html a page with the pictures, .json, .png a contact sheet, .xml"
        " JUnit for CI; again for another.",
    ),
]  # fmt: skip
BatchOption = Annotated[
    int,
    typer.Option(
        "--batch", min=1, metavar="N", help="Pictures in a piece of work; it changes no figure."
    ),
]
ThreadsOption = Annotated[
    int,
    typer.Option(
        "--threads", min=1, metavar="N", help="Of each process; the last bits depend on it."
    ),
]
