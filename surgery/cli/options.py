"""Arguments and options that several commands share, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

Format: TypeAlias = Literal["human", "json", "quiet"]

MODEL_ADDRESS = "atelier, a safetensors file, or a model folder"

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
