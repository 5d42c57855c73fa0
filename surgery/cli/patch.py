"""`surgery patch`: small files that hold an edit, exact in both directions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surgery.cli.options import (
    MODEL_ADDRESS,
    AllowPickleOption,
    ForceOption,
    Format,
    FormatOption,
    LinkOption,
)

if TYPE_CHECKING:
    from surgery.patches.base import Direction


@dataclass(frozen=True, slots=True)
class _Wish:
    """What was asked for besides the patch and the model."""

    out: Path | None
    dry_run: bool
    force: bool
    link: bool


app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Keep an edit as a small file; apply it, take it back.",
    epilog="Example: surgery patch apply vangogh.safetensors atelier -o patched",
)

_ANOTHER = "choose another name"
PatchArgument = Annotated[
    Path, typer.Argument(metavar="PATCH", help="A patch, as --save-patch or `patch make` wrote it.")
]
PatchedOutOption = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="PATH", help="Where to write the model; needed to write."),
]
CheckOption = Annotated[
    bool, typer.Option("--dry-run", help="Check the patch against the model, write nothing.")
]


@app.command("make")
def make(
    before: Annotated[str, typer.Argument(metavar="A", help=f"The base: {MODEL_ADDRESS}.")],
    after: Annotated[str, typer.Argument(metavar="B", help="The edited model: likewise.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="PATCH", help="The patch to write, a file.")
    ],
    force: ForceOption = False,
    allow_pickle: AllowPickleOption = False,
    format: FormatOption = "human",
) -> None:
    """Keep what makes one model of another as a patch.

    Both need the same tensors of the same types and shapes; what differs in value is kept bit for
    bit. For an edit by a recipe, `apply --save-patch` gives a smaller patch.

    \b
    Examples:
      surgery patch make atelier out/remove_vangogh -o vangogh.safetensors
    """
    from surgery.cli.console import Output
    from surgery.cli.patch_page import made_page, patch_page
    from surgery.patches import from_models, write_patch
    from surgery.patches.report import PatchReport
    from surgery.patches.write import check_place
    from surgery.store.checkpoint import open_checkpoint

    console = Output(format)
    check_place(out, force=force)
    first = open_checkpoint(before, allow_pickle=allow_pickle)
    second = open_checkpoint(after, allow_pickle=allow_pickle)
    with console.progress("comparing", sum(ref.nbytes for ref in first.values())) as advance:
        patch = from_models(first, second, advance)
    size = write_patch(patch, out, force=force)
    report = replace(PatchReport.of(patch, "make", first.address), out=str(out), bytes_written=size)
    console.result(report.to_dict(), [str(out)], patch_page(report))
    console.talk(made_page(report))


@app.command("apply")
def apply(
    patch: PatchArgument,
    model: Annotated[str, typer.Argument(metavar="MODEL", help=f"The base: {MODEL_ADDRESS}.")],
    out: PatchedOutOption = None,
    dry_run: CheckOption = False,
    force: ForceOption = False,
    link: LinkOption = False,
    allow_pickle: AllowPickleOption = False,
    format: FormatOption = "human",
) -> None:
    """Write the patched copy of a model, the same bytes as the edit itself would write.

    A model that the patch is not for is refused, and so is a damaged patch.

    \b
    Examples:
      surgery patch apply vangogh.safetensors atelier -o patched
      surgery patch apply vangogh.safetensors atelier --dry-run
    """
    _use("apply", patch, (model, allow_pickle), _Wish(out, dry_run, force, link), format)


@app.command("undo")
def undo(
    patch: PatchArgument,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The patched model.")],
    out: PatchedOutOption = None,
    dry_run: CheckOption = False,
    force: ForceOption = False,
    link: LinkOption = False,
    format: FormatOption = "human",
) -> None:
    """Write the model from before a patch, bit by bit: the very file where its header is known.

    \b
    Examples:
      surgery patch undo vangogh.safetensors patched -o original
    """
    _use("undo", patch, (model, False), _Wish(out, dry_run, force, link), format)


@app.command("show")
def show(patch: PatchArgument, format: FormatOption = "human") -> None:
    """Say what a patch changes, how it keeps that, and the recipe that it came from.

    \b
    Examples:
      surgery patch show vangogh.safetensors
    """
    from surgery.cli.console import Output
    from surgery.cli.patch_page import patch_page
    from surgery.patches import read_patch
    from surgery.patches.report import PatchReport

    found = read_patch(patch)
    report = replace(
        PatchReport.of(found, "show", ""), out=str(patch), bytes_written=patch.stat().st_size
    )
    names = [tensor.name for tensor in report.tensors]
    Output(format).result(report.to_dict(), names, patch_page(report))


def _use(
    direction: Direction, path: Path, model: tuple[str, bool], wish: _Wish, format: Format
) -> None:
    """Check, write and show one direction of a patch.

    Args:
        model: its address, and whether a pickle may be converted.
    """
    from surgery.cli.process import prepare_to_solve

    prepare_to_solve()
    from surgery.cli.console import Output
    from surgery.cli.download import bring
    from surgery.cli.patch_page import patch_page, used_page
    from surgery.errors import OutputError, UsageError
    from surgery.patches import apply_patch, read_patch, undo_patch
    from surgery.patches.use import How
    from surgery.store.checkpoint import open_checkpoint

    if wish.out is None and not wish.dry_run:
        raise UsageError("nowhere to write", hint="name an output with -o, or use --dry-run")
    if wish.out is not None and wish.out.resolve() == path.resolve():
        raise OutputError("the output is the patch itself", where=str(path), hint=_ANOTHER)
    console, patch = Output(format), read_patch(path)
    checkpoint = open_checkpoint(model[0], allow_pickle=model[1])
    out = None if wish.dry_run else wish.out
    use = apply_patch if direction == "apply" else undo_patch
    with console.progress("writing", checkpoint.total_bytes) as advance:
        how = How(wish.force, wish.link, advance, partial(bring, console))
        report = use(patch, checkpoint, out, how)
    names = [report.out] if report.out else [tensor.name for tensor in report.tensors]
    console.result(report.to_dict(), names, patch_page(report))
    console.talk(used_page(report, path))
