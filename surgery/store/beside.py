"""Puts the record of a single file beside it, so that neither is there in part. Reads no model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from surgery.errors import CheckpointError
from surgery.store.fresh import fill
from surgery.store.publish import keep_rights, publish
from surgery.store.record import beside, check_beside, read_text
from surgery.store.sink import reported, sync_folder
from surgery.store.staging import staged_file


@contextmanager
def staged_beside(file: Path, text: str | None, *, force: bool) -> Iterator[None]:
    """Bring the record of a single file to the disk before the block, and to its name after it.

    The block publishes the file itself: a record is never there without its output. One from
    before stays until then; a kill between the two leaves it beside the new file, where its digests
    show that it is of another one.

    Args:
        text: None for a file that gets no record; with `force` an old one is removed.
    """
    place = beside(file)
    if text is None:
        yield
        _remove_old(place, force)
        return
    check_beside(file, force=force)
    with staged_file(place) as (descriptor, staged):
        fill(descriptor, [text.encode("utf-8")], place)
        if force:
            keep_rights(descriptor, place)
        yield
        publish(staged, place, force=force)


def _remove_old(place: Path, force: bool) -> None:
    with suppress(CheckpointError):
        if force and not place.is_symlink() and read_text(place) is not None:
            with reported(place):
                place.unlink()
            sync_folder(place.parent, place)
