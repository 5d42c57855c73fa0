"""Arguments and options that several commands share, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

EngineName: TypeAlias = Literal["serial", "local", "ray"]
Format: TypeAlias = Literal["human", "json", "quiet"]

MODEL_ADDRESS = "atelier, a safetensors file, a model folder, or ORG/NAME on the Hub"

FormatOption = Annotated[
    Format,
    typer.Option(
        "--format",
        help="human: for reading; json: complete, for programs; quiet: one name per line.",
    ),
]
RecipeArgument = Annotated[
    str, typer.Argument(metavar="RECIPE", help="A recipe file, or the name of one on the shelf.")
]
ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help=f"{MODEL_ADDRESS}.")]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model", "-m", metavar="MODEL", help=f"{MODEL_ADDRESS}; overrides the recipe's own."
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="PATH", help="Where to write; default out/<recipe name>."),
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Replace an output that is already there.")
]
TokenizerOption = Annotated[
    Path | None,
    typer.Option(
        "--tokenizer", metavar="PATH", help="The model's tokenizer, where it comes without one."
    ),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show the plan, write nothing.")]
SavePatchOption = Annotated[
    Path | None,
    typer.Option(
        "--save-patch",
        metavar="PATCH",
        help="Keep the edit as a small file that `surgery patch` applies and undoes; without --out"
        " no model is written, and of one on the Hub only what the edit reads is fetched.",
    ),
]
AllowPickleOption = Annotated[
    bool,
    typer.Option(
        "--allow-pickle",
        help="Read a .ckpt, .bin or .pt: weights only, in a process with limits; nothing in it is"
        " run. What is written is safetensors.",
    ),
]
AllowWeakOption = Annotated[
    bool,
    typer.Option("--allow-weak", help="Write the result even where the recipe expects more."),
]
ChecksumOption = Annotated[
    Literal["sha256", "xxh3"] | None,
    typer.Option(
        "--checksum",
        help="Also tell the digest of each file of weights, taken while it is written; xxh3 costs"
        " next to nothing and needs the package xxhash.",
    ),
]
LinkOption = Annotated[
    bool,
    typer.Option(
        "--link",
        help="Give unchanged files of a folder a second name instead of a copy; editing one of"
        " them in place later would change both models.",
    ),
]
InPlaceOption = Annotated[
    bool,
    typer.Option(
        "--in-place",
        help="Edit the model's own file instead of a copy; needs --model and --undo-file.",
    ),
]
UndoFileOption = Annotated[
    Path | None,
    typer.Option("--undo-file", metavar="FILE", help="Where --in-place keeps the old bytes."),
]
EngineOption = Annotated[
    EngineName,
    typer.Option(
        "--engine",
        help="Who runs the batches: serial, this process; local, processes of this machine; ray, a"
        " Ray cluster.",
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        metavar="N",
        help="How many processes of local or ray; default as many as there is room for.",
    ),
]
AddressOption = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="HOST:PORT",
        help="The Ray cluster that is running, auto for this machine's; default starts one here.",
    ),
]
ThreadsOption = Annotated[
    int | None,
    typer.Option(
        "--threads",
        min=1,
        metavar="N",
        help="Processor threads of each process. The last digits depend on it, and on nothing else"
        " of how a command is run; default 1, for a large model in one process all.",
    ),
]
