"""diff: what differs between two checkpoints, tensor by tensor. Streams; holds one tensor at most.

Bytes are compared first, so only what differs is decoded. Names are taken as they are: a single
file and a folder of the same model have no name in common.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from surgery.blocks import by_block
from surgery.errors import LayoutError
from surgery.layout import Site, detect
from surgery.report import DiffReport, SiteChange, TensorChange
from surgery.store.checkpoint import Checkpoint, TensorRef
from surgery.store.compare import rows_of, same_bytes
from surgery.store.dduf import DdufCheckpoint
from surgery.store.files import check_unchanged
from surgery.tensor_diff import another_type, entries, other_values, spoken
from surgery.verdict import sameness, verdict


def diff(
    before: Checkpoint,
    after: Checkpoint,
    *,
    progress: Callable[[int], None] | None = None,
) -> DiffReport:
    """Compare two checkpoints.

    Args:
        progress: called with the number of bytes just compared.

    Raises:
        CheckpointError: a file changed, went away or got shorter meanwhile.
    """
    changes: list[TensorChange] = []
    for name in (*before, *(name for name in after if name not in before)):
        change = _compare(before.get(name), after.get(name))
        if change:
            changes.append(change)
        if progress:
            progress((before.get(name) or after[name]).nbytes)
    for checkpoint in (before, after):
        _check_still_there(checkpoint)
    total = len(before.keys() | after.keys())
    common = [name for name in before if name in after]
    reordered = common != [name for name in after if name in before]
    files, metadata = _side_files(before, after), _metadata(before, after)
    beside = sameness(reordered=reordered, metadata=bool(metadata), files=bool(files))
    return DiffReport(
        before=before.address,
        after=after.address,
        verdict=verdict(changes, before) if changes else beside,
        tensors=total,
        identical=total - len(changes),
        changes=_sited(changes, before, after),
        side_files=files,
        metadata=metadata,
        blocks=by_block(changes, common),
        reordered=reordered,
    )


def _check_still_there(checkpoint: Checkpoint) -> None:
    """A file replaced halfway would have been compared half old, half new."""
    if not checkpoint.is_remote:
        for path, stamp in checkpoint.inputs.items():
            check_unchanged(path, stamp)


def _sited(
    changes: Sequence[TensorChange], before: Checkpoint, after: Checkpoint
) -> tuple[TensorChange, ...]:
    """The changes by the names that the layout has for them, where there is a layout."""
    if not changes:
        return ()
    try:
        layout = detect(before)
    except LayoutError:
        return tuple(changes)
    sites: dict[str, list[Site]] = {}
    for site in layout.sites:
        sites.setdefault(site.tensor, []).append(site)
    return tuple(
        replace(
            change,
            sites=tuple(
                found
                for site in sites.get(change.name, ())
                if (found := _site_change(site, change, before, after))
            ),
        )
        for change in changes
    )


def _site_change(
    site: Site, change: TensorChange, before: Checkpoint, after: Checkpoint
) -> SiteChange | None:
    """The figures of one site; None for rows of a shared tensor that are as they were."""
    if site.rows and change.change in ("values", "dtype"):
        a, b = (rows_of(checkpoint[site.tensor], *site.rows) for checkpoint in (before, after))
        if same_bytes(a, b):
            return None
        change = another_type(a, b) if change.change == "dtype" else other_values(a, b)
    return SiteChange(str(site), change.relative_norm, change.max_abs, change.rank)


def _compare(a: TensorRef | None, b: TensorRef | None) -> TensorChange | None:
    if a is None or b is None:
        ref = a or b
        assert ref is not None
        shown = spoken(ref)
        if a is None:
            return TensorChange(ref.name, "added", "", shown, ref.nbytes, entries(ref))
        return TensorChange(ref.name, "removed", shown, "", ref.nbytes, entries(ref))
    if a.shape != b.shape:
        return TensorChange(a.name, "shape", spoken(a), spoken(b), b.nbytes, entries(b))
    if a.dtype != b.dtype:
        return another_type(a, b)
    if same_bytes(a, b):
        return None
    return other_values(a, b)


def _side_files(before: Checkpoint, after: Checkpoint) -> tuple[str, ...]:
    """Names of the files beside the weights that are in one only or differ."""
    old, new = _beside(before), _beside(after)
    alike = {name for name in old.keys() & new.keys() if old[name][1] == new[name][1]}
    same = {name for name in alike if same_bytes(_rows(before, name), _rows(after, name))}
    return tuple(sorted((old.keys() | new.keys()) - same))


def _beside(checkpoint: Checkpoint) -> Mapping[str, tuple[int, int]]:
    """Where each file beside the weights begins, and its size; in a DDUF file it is a record."""
    whole = {name: (0, stamp.size) for name, stamp in checkpoint.stamps.items()}
    places = checkpoint.spans if isinstance(checkpoint, DdufCheckpoint) else whole
    return {
        name: (start, size)
        for name, (start, size) in places.items()
        if name not in checkpoint.headers
    }


def _rows(checkpoint: Checkpoint, name: str) -> TensorRef:
    """A file beside the weights as rows of bytes; of a model on the Hub it is fetched for that."""
    start, size = _beside(checkpoint)[name]
    is_record = isinstance(checkpoint, DdufCheckpoint)
    file = checkpoint.root if is_record else checkpoint.side_file(name)
    return TensorRef(name, "U8", (size,), size, file, start)


def _metadata(before: Checkpoint, after: Checkpoint) -> tuple[str, ...]:
    """`file: key` of every metadata entry that differs; two single files are paired as they are."""
    old, new = _entries_of(before), _entries_of(after)
    return tuple(key for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key))


def _entries_of(checkpoint: Checkpoint) -> Mapping[str, str]:
    single = checkpoint.kind == "file"
    return {
        key if single else f"{file}: {key}": value
        for file, entries in checkpoint.metadata.items()
        for key, value in entries.items()
    }
