"""The options of `surgery probe` that no other command has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

Method: TypeAlias = Literal[
    "quick",
    "locogen",
    "trace_unet",
    "trace_text",
    "weights",
    "attribution",
    "conceptprune",
    "neurons",
]
Sort: TypeAlias = Literal["style", "object", "fact"]
Precision: TypeAlias = Literal["float32", "bfloat16", "float16"]

ConceptOption = Annotated[
    str | None,
    typer.Option(
        "--concept",
        "-c",
        metavar="CONCEPT",
        help="What to look for; left out, styles, objects and facts that are built in.",
    ),
]
TargetOption = Annotated[
    str | None,
    typer.Option("--target", "-t", metavar="TARGET", help="What would take its place."),
]
KindOption = Annotated[
    Sort | None, typer.Option("--kind", help="Which prompts suit it; known for built-in concepts.")
]
PromptOption = Annotated[
    list[str] | None,
    typer.Option(
        "--prompt",
        metavar="TEXT",
        help="A prompt of your own with {} for the concept, instead of the built-in ones; again"
        " for more.",
    ),
]
MethodOption = Annotated[
    Method,
    typer.Option(
        "--method",
        help="quick: seconds to a minute; locogen: every window of layers painted anew;"
        " trace_unet and trace_text: causal tracing; weights: a hint from the matrices alone;"
        " attribution and conceptprune: what every single weight counts; neurons: which rows of"
        " keys and values, or of --where, differ.",
    ),
]
JudgeOption = Annotated[
    str,
    typer.Option(
        "--judge",
        metavar="JUDGE",
        help="Who scores: atelier (its own judge), clip, noise (the model's own predictions, no"
        " other model needed); auto takes atelier's where it can, else noise.",
    ),
]
ClipOption = Annotated[
    str | None,
    typer.Option(
        "--clip", metavar="MODEL", help="The CLIP or SigLIP model of --judge clip, with a folder's"
        " path or ORG/NAME.",
    ),
]  # fmt: skip
PromptsOption = Annotated[
    int | None,
    typer.Option("--prompts", min=1, metavar="N", help="How many prompts; 8, or 2 if it is slow."),
]
SeedsOption = Annotated[
    int | None,
    typer.Option("--seeds", min=1, metavar="N", help="How many seeds for each; 2, quick 1."),
]
CheckOption = Annotated[
    int | None,
    typer.Option(
        "--check", min=0, metavar="N",
        help="How many of the windows that quick finds best are painted; 3, or 0 if it is slow.",
    ),
]  # fmt: skip
FirstSeedOption = Annotated[
    int, typer.Option("--first-seed", min=0, metavar="SEED", help="The first of the seeds.")
]
DrawsOption = Annotated[
    int, typer.Option("--draws", min=1, metavar="N", help="How many draws of noise, in tracing.")
]
NoiseOption = Annotated[
    float | None,
    typer.Option(
        "--noise", min=0.0, metavar="X",
        help="Noise on the concept's tokens in tracing, in standard deviations of their embeddings;"
        " default the least that takes the concept from half of the pictures.",
    ),
]  # fmt: skip
StepsOption = Annotated[
    int | None,
    typer.Option("--steps", min=1, metavar="N", help="Steps of the sampler; 20 or 50 by model."),
]
GuidanceOption = Annotated[
    float | None,
    typer.Option("--guidance", metavar="X", help="Classifier-free guidance; 3 or 7.5 by model."),
]
WindowOption = Annotated[
    int | None,
    typer.Option(
        "--window", min=1, metavar="N",
        help="Layers in a window; default by model, else the smallest that suffices.",
    ),
]  # fmt: skip
StrideOption = Annotated[
    int | None, typer.Option("--stride", min=1, metavar="N", help="From one window to the next.")
]
ThresholdOption = Annotated[
    float | None,
    typer.Option(
        "--threshold", min=0.0, max=1.0, metavar="X",
        help="The share of the whole effect from which on a window suffices.",
    ),
]  # fmt: skip
PerSortOption = Annotated[
    int | None,
    typer.Option(
        "--per-kind", min=1, metavar="N",
        help="Concepts of each kind, if none is named; 3, or 1 if it is slow.",
    ),
]  # fmt: skip
BatchOption = Annotated[
    int, typer.Option("--batch", min=1, metavar="N", help="Pictures that are made at a time.")
]
DeviceOption = Annotated[
    str, typer.Option("--device", metavar="DEVICE", help="Where to compute: cpu, cuda, mps.")
]
DtypeOption = Annotated[
    Precision, typer.Option("--dtype", help="In which numbers the networks compute.")
]
ResolutionOption = Annotated[
    int | None,
    typer.Option("--resolution", min=1, metavar="PIXELS", help="Default: what it was made for."),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FOLDER",
        help="A diffusers folder with the configuration of an unusual single file.",
    ),
]  # fmt: skip
RecipeOption = Annotated[
    Path | None,
    typer.Option("--recipe", metavar="FILE", help="Write a recipe that edits what was found."),
]
ReportOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--report", metavar="FILE",
        help="Write the report: .html a page with the pictures, .json, .png; again for another.",
    ),
]  # fmt: skip
JournalOption = Annotated[
    Path | None,
    typer.Option(
        "--journal", metavar="FILE",
        help="Where measurements are kept, so that a stopped probe goes on; default in the cache.",
    ),
]  # fmt: skip
ScoresOption = Annotated[
    Path | None,
    typer.Option(
        "--scores", metavar="FILE",
        help="Keep the scores of components, .safetensors; one file serves masks of every size.",
    ),
]  # fmt: skip
WhereOption = Annotated[
    str | None,
    typer.Option(
        "--where", metavar="SELECTOR",
        help="Which weights are scored, as in ff.{in,out}[2:5]; default by method.",
    ),
]  # fmt: skip
BaseOption = Annotated[
    Literal["target", "empty"] | None,
    typer.Option(
        "--base", help="What attribution holds the concept against; default its target's prompts."
    ),
]
GoalOption = Annotated[
    Literal["erase", "amplify"] | None,
    typer.Option(
        "--goal", help="What the scores of attribution are for; default to erase the concept."
    ),
]
LinearityOption = Annotated[
    int,
    typer.Option(
        "--linearity", min=0, metavar="N",
        help="Try attribution's scores on N random masks: how what they foretell goes with what"
        " the masks do.",
    ),
]  # fmt: skip
CheckpointingOption = Annotated[
    bool,
    typer.Option(
        "--checkpointing", help="Less memory for attribution's gradients, half as much time again."
    ),
]
FreshOption = Annotated[
    bool, typer.Option("--fresh", help="Measure anew what the journal already has.")
]
