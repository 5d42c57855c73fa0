"""What is to change in a copy: which tensors of which file, and what makes their new bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from surgery.errors import EditError, OutputError
from surgery.store.contents import Checkpoint, TensorRef
from surgery.store.text import nearest, quoted, visible

Make = Callable[[], bytes]
Changes = Mapping[str, Make]
Edits = tuple[tuple[TensorRef, Make], ...]
OnBytes = Callable[[int], None] | None
MakeRecord = Callable[[], str | None]


def by_file(checkpoint: Checkpoint, changes: Changes) -> dict[Path, Edits]:
    """Return the changes of each file, in the order of their places in it.

    What makes a new value raises EditError where that has another length than the old one.

    Raises:
        EditError: a change for a tensor that is not there.
    """
    edits: dict[Path, list[tuple[TensorRef, Make]]] = {}
    for name, make in changes.items():
        if name not in checkpoint:
            close = nearest(name, checkpoint)
            hint = f"the nearest is {quoted(close)}" if close else "nothing there is like it"
            raise EditError(f"no tensor {quoted(name)} in the checkpoint", hint=hint)
        ref = checkpoint[name]
        edits.setdefault(ref.file, []).append((ref, partial(_made, ref, make)))
    return {
        file: tuple(sorted(own, key=lambda edit: (edit[0].start, edit[0].nbytes)))
        for file, own in edits.items()
    }


def not_read_back(target: Path) -> OutputError:
    """Return the error for an output that is not what was written."""
    return OutputError(
        "what was written does not read back",
        where=visible(str(target)),
        hint="the disk may be failing; nothing was published",
    )


def _made(ref: TensorRef, make: Make) -> bytes:
    data = make()
    if len(data) != ref.nbytes:
        raise EditError(
            f"the new value has {len(data)} bytes, the old one {ref.nbytes}",
            where=f"{visible(str(ref.file))}:{visible(ref.name)}",
            hint="an edit must keep shape and dtype",
        )
    return data
