"""Whether a model is the one that a patch is for, or the one that it made. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Literal

from surgery.errors import CheckpointError
from surgery.patches.stored import PatchFile, StoredTensor
from surgery.store.checkpoint import Checkpoint
from surgery.store.text import listed, nearest, quoted, visible

Direction = Literal["apply", "undo"]


def check_structure(patch: PatchFile, checkpoint: Checkpoint) -> None:
    """Raise CheckpointError unless the model has every tensor of the patch; from headers alone."""
    problems = [problem for each in patch.tensors if (problem := _unlike(each, checkpoint))]
    if problems:
        raise _wrong(patch, checkpoint, problems)


def check_values(patch: PatchFile, checkpoint: Checkpoint, direction: Direction) -> None:
    """Raise CheckpointError unless every tensor of the patch has the value it starts from."""
    digests = {
        each.name: sha256(checkpoint[each.name].read()).hexdigest() for each in patch.tensors
    }
    wrong = [each for each in patch.tensors if digests[each.name] != _source(each, direction)]
    if not wrong:
        return
    if all(digests[each.name] == _target(each, direction) for each in patch.tensors):
        raise _there_already(checkpoint, direction)
    raise _wrong(patch, checkpoint, _other_values(patch, wrong, digests, direction))


def _source(tensor: StoredTensor, direction: Direction) -> str:
    return tensor.before if direction == "apply" else tensor.after


def _target(tensor: StoredTensor, direction: Direction) -> str:
    return tensor.after if direction == "apply" else tensor.before


def _unlike(tensor: StoredTensor, checkpoint: Checkpoint) -> str:
    ref = checkpoint.get(tensor.name)
    if ref is None:
        close = nearest(tensor.name, checkpoint)
        like = f" (the nearest is {quoted(close)})" if close else ""
        return f"{quoted(tensor.name)} is missing{like}"
    if (ref.dtype, ref.shape) == (tensor.dtype, tensor.shape):
        return ""
    wanted = f"not {tensor.dtype} {list(tensor.shape)}"
    return f"{quoted(tensor.name)} is {ref.dtype} {list(ref.shape)}, {wanted}"


def _other_values(
    patch: PatchFile, wrong: Sequence[StoredTensor], digests: dict[str, str], direction: Direction
) -> list[str]:
    moved = [each for each in wrong if digests[each.name] == _target(each, direction)]
    state = "patched already" if direction == "apply" else "not patched"
    return [
        f"{quoted(each.name)} {f'is {state}' if each in moved else 'holds other values'}"
        for each in wrong
    ]


def _there_already(checkpoint: Checkpoint, direction: Direction) -> CheckpointError:
    where = visible(checkpoint.address)
    if direction == "apply":
        hint = "`surgery patch undo` gives the model from before"
        return CheckpointError("this is the patched model already", where=where, hint=hint)
    hint = "`surgery patch apply` makes the patched one"
    return CheckpointError("this model is not patched: it is the base", where=where, hint=hint)


def _wrong(patch: PatchFile, checkpoint: Checkpoint, problems: Sequence[str]) -> CheckpointError:
    count = f"{len(problems)} of {len(patch.tensors)} tensors differ"
    return CheckpointError(
        f"the patch is for another model; {count}: {listed(problems)}",
        where=visible(checkpoint.address),
        hint="give the model that it was made from, or apply the recipe anew",
    )
