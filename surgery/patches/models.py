"""Makes a PatchFile of two models that have the same tensors with other values. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from surgery.errors import CheckpointError
from surgery.patches.encode import by_value
from surgery.patches.headers import changed_files, header_change
from surgery.patches.stored import HeaderChange, PatchFile, StoredTensor
from surgery.store.checkpoint import Checkpoint
from surgery.store.compare import same_bytes
from surgery.store.header import Header
from surgery.store.text import listed, quoted, visible


def from_models(
    before: Checkpoint, after: Checkpoint, on_bytes: Callable[[int], None] | None = None
) -> PatchFile:
    """Return the patch that makes `after` of `before`, tensor by tensor, by value.

    Args:
        on_bytes: called with the number of bytes of each tensor that was compared.

    Raises:
        CheckpointError: the two have other tensors, or every value is equal.
    """
    check_comparable(before, after)
    tensors = tuple(_changed(before, after, on_bytes))
    if not tensors:
        raise CheckpointError(
            "every tensor has the same bytes in both models: there is nothing to keep",
            where=visible(after.address),
        )
    patch = PatchFile(
        base=before.fingerprint,
        metadata={},
        tensors=tensors,
        headers=tuple(_headers(before, after, {tensor.name: None for tensor in tensors})),
    )
    return patch.with_records(before.record(), after.record())


def check_comparable(before: Checkpoint, after: Checkpoint) -> None:
    """Raise CheckpointError unless both models have the same tensors of the same types and shapes.

    Told from headers alone.
    """
    problems = [
        *(f"{quoted(name)} is only in the first" for name in before if name not in after),
        *(f"{quoted(name)} is only in the second" for name in after if name not in before),
        *(_unlike(before, after, name) for name in before if not _alike(before, after, name)),
    ]
    if problems:
        raise CheckpointError(
            f"the two models have other tensors: {listed(problems)}",
            where=visible(after.address),
            hint="a patch changes values only; `surgery diff` shows all that differs",
        )


def _alike(before: Checkpoint, after: Checkpoint, name: str) -> bool:
    a, b = before[name], after.get(name)
    return b is None or (a.dtype, a.shape) == (b.dtype, b.shape)


def _unlike(before: Checkpoint, after: Checkpoint, name: str) -> str:
    a, b = before[name], after[name]
    return f"{quoted(name)} is {a.dtype} {list(a.shape)} and {b.dtype} {list(b.shape)}"


def _changed(
    before: Checkpoint, after: Checkpoint, on_bytes: Callable[[int], None] | None
) -> Iterator[StoredTensor]:
    for name, ref in before.items():
        if not same_bytes(ref, after[name]):
            yield by_value(ref, ref.read(), after[name].read())
        if on_bytes:
            on_bytes(ref.nbytes)


def _headers(
    before: Checkpoint, after: Checkpoint, changed: Mapping[str, object]
) -> Iterator[HeaderChange]:
    """The headers of the changed files, where both models lay their tensors out alike."""
    for name in changed_files(before, changed):
        single = before.kind == after.kind == "file"
        header = before.headers[name]
        other = next(iter(after.headers.values())) if single else after.headers.get(name)
        if other is not None and _layout(header) == _layout(other):
            yield header_change("" if single else name, header.raw, other.raw)


def _layout(header: Header) -> list[tuple[str, int]]:
    return [(entry.name, entry.begin) for entry in header.entries]
