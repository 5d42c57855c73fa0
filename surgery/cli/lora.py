"""`surgery lora`: an edit as a LoRA file, for those who load it beside their model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from surgery.cli.options import (
    AllowPickleOption,
    AllowWeakOption,
    DryRunOption,
    ForceOption,
    FormatOption,
    ModelOption,
    TokenizerOption,
)

if TYPE_CHECKING:
    from surgery.patch import Patch
    from surgery.patches import PatchFile
    from surgery.recipe import Recipe
    from surgery.report import Gate
    from surgery.store.checkpoint import Checkpoint

# What `surgery.lora.formats` and `surgery.lora.export` call so; --help does not wait for numpy.
LoraFormat: TypeAlias = Literal["diffusers", "kohya", "peft"]
Dtype: TypeAlias = Literal["f32", "f16"]

EditArgument = Annotated[
    str,
    typer.Argument(
        metavar="RECIPE|PATCH", help="A recipe, its name on the shelf, or a patch file."
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out", "-o", metavar="PATH", help="Where to write: a .safetensors, for peft a folder."
    ),
]
LoraFormatOption = Annotated[
    LoraFormat, typer.Option("--lora-format", help="kohya is what A1111, Forge and ComfyUI list.")
]


def command(
    edit: EditArgument,
    model: ModelOption = None,
    out: OutOption = None,
    lora_format: LoraFormatOption = "diffusers",
    dtype: Annotated[
        Dtype, typer.Option("--dtype", help="What the factors are stored as.")
    ] = "f32",
    dry_run: DryRunOption = False,
    force: ForceOption = False,
    tokenizer: TokenizerOption = None,
    allow_weak: AllowWeakOption = False,
    allow_pickle: AllowPickleOption = False,
    format: FormatOption = "human",
) -> None:
    """Write an edit as a LoRA of exactly its rank, to be loaded with strength 1 over the base.

    The factors are checked as stored: added to the base they must give the edited weights, to
    within what their type rounds away, or nothing is written and the command exits with 3.

    \b
    Examples:
      surgery lora remove_vangogh -o vangogh.safetensors
      surgery lora remove_vangogh --lora-format kohya --dtype f16 -o vangogh.safetensors --force
    """
    from surgery.cli.process import prepare_to_solve
    from surgery.cli.shelf import find_recipe
    from surgery.errors import UsageError

    if out is None and not dry_run:
        raise UsageError("nowhere to write", hint="name a file with -o, or make it a --dry-run")
    path = find_recipe(edit)
    prepare_to_solve(path)
    from surgery.cli.console import Output
    from surgery.cli.gates import check_gates
    from surgery.cli.lora_page import lora_page, next_steps
    from surgery.lora.export import LoraWish, export, place
    from surgery.store.checkpoint import open_checkpoint

    console = Output(format)
    asked = _asked(path)
    checkpoint = open_checkpoint(_address(asked, model), allow_pickle=allow_pickle)
    wish = LoraWish(lora_format, out, dtype, force, dry_run)
    place(checkpoint, wish)
    patch, gates = _patch(asked, checkpoint, tokenizer)
    if not allow_weak:
        check_gates(gates)
    report = export(patch, checkpoint, wish)
    names = [report.out] if report.out else list(report.modules)
    console.result(report.to_dict(), names, lora_page(report))
    console.talk(next_steps(report))
    check_gates(gates)


def _asked(path: Path) -> Recipe | PatchFile:
    if path.suffix == ".safetensors" and path.is_file():
        from surgery.patches import read_patch

        return read_patch(path)
    from surgery.recipe import load_recipe

    return load_recipe(path)


def _address(asked: Recipe | PatchFile, model: str | None) -> str:
    from surgery.cli.address import chosen_address
    from surgery.recipe import Recipe, load_recipe

    if model is None and not isinstance(asked, Recipe) and asked.recipe:
        # One line of JSON; without a line break it would be taken for the name of a file.
        asked = load_recipe(f"{asked.recipe}\n")
    return chosen_address(model, asked.model if isinstance(asked, Recipe) else None)


def _patch(
    asked: Recipe | PatchFile, checkpoint: Checkpoint, tokenizer: Path | None
) -> tuple[Patch, tuple[Gate, ...]]:
    """The changes, solved for the model or read for it, and what the recipe expects of them.

    Raises:
        CheckpointError: the patch file is for another model.
    """
    from surgery.recipe import Recipe

    if isinstance(asked, Recipe):
        return _solved(asked, checkpoint, tokenizer)
    from surgery.patches.base import check_structure, check_values

    check_structure(asked, checkpoint)
    checkpoint.prepare(tensor.name for tensor in asked.tensors)
    check_values(asked, checkpoint, "apply")
    return asked.as_patch(), ()


def _solved(
    recipe: Recipe, checkpoint: Checkpoint, tokenizer: Path | None
) -> tuple[Patch, tuple[Gate, ...]]:
    """Measured as `apply` would store it, if the recipe has limits; a LoRA alone rounds nothing."""
    from surgery.gates import gates
    from surgery.rounding import round_once
    from surgery.solve import solve

    patch, solved = solve(recipe, checkpoint, tokenizer)
    if not recipe.expect.measures_weights:
        return patch, ()
    result = round_once(patch, solved, checkpoint)
    return result.patch, gates(recipe.expect, result.leaks, result.drifts)
