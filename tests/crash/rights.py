"""Who may do what with an output: mode and owner of what was there, the umask, links that stay."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from surgery.store.checkpoint import open_checkpoint
from tests.crash.scene import NEW, OLD, Outcome, edit, put
from tests.store.build import write_file, write_pipeline

OTHER = 12345


def outcomes(folder: Path) -> Iterator[Outcome]:
    """One outcome for each rule; "torn" when it does not hold."""
    for number, rule in enumerate(RULES):
        place = folder / str(number)
        model = write_file(place / "in" / "model.safetensors", {"t": ("F32", (8, 8))})
        old = os.umask(0o027)
        try:
            kept = rule(model, place)
        finally:
            os.umask(old)
        yield Outcome("new" if kept else "torn", 0, 0, True, 0.0, "" if kept else rule.__name__)


def new_file_by_umask(model: Path, place: Path) -> bool:
    model.chmod(0o600)
    put(model, place / "out", NEW)
    return mode(place / "out") == 0o640


def new_folder_by_umask(model: Path, place: Path) -> bool:
    put(write_pipeline(place / "sd"), place / "out", NEW)
    files = [path for path in (place / "out").rglob("*") if path.is_file()]
    modes = {mode(path) for path in files}
    return mode(place / "out") == 0o750 and modes == {0o640}


def mode_of_a_replaced_file(model: Path, place: Path) -> bool:
    put(model, place / "out", OLD)
    (place / "out").chmod(0o664)
    put(model, place / "out", NEW)
    return mode(place / "out") == 0o664


def mode_of_a_replaced_folder(model: Path, place: Path) -> bool:
    root = write_pipeline(place / "sd")
    put(root, place / "out", OLD)
    (place / "out").chmod(0o770)
    put(root, place / "out", NEW)
    return mode(place / "out") == 0o770


def owner_of_a_replaced_file(model: Path, place: Path) -> bool:
    put(model, place / "out", OLD)
    if os.geteuid() != 0:
        return True
    os.chown(place / "out", OTHER, OTHER)
    put(model, place / "out", NEW)
    info = (place / "out").stat()
    return (info.st_uid, info.st_gid) == (OTHER, OTHER)


def link_to_a_file(model: Path, place: Path) -> bool:
    (place / "far").mkdir()
    put(model, place / "far" / "real", OLD)
    (place / "link").symlink_to("far/real")
    put(model, place / "link", NEW)
    is_new = set(open_checkpoint(place / "far" / "real")["t"].read()) == {NEW}
    there = {path.name for path in (place / "far").iterdir()}
    return (place / "link").is_symlink() and is_new and there == {"real", "real.surgery.json"}


def link_to_nothing_yet(model: Path, place: Path) -> bool:
    (place / "link").symlink_to("later")
    put(model, place / "link", NEW)
    return (place / "link").is_symlink() and (place / "later").is_file()


def link_to_a_folder(model: Path, place: Path) -> bool:
    root = write_pipeline(place / "sd")
    put(root, place / "real", OLD)
    (place / "link").symlink_to("real")
    put(root, place / "link", NEW)
    return (place / "link").is_symlink() and not (place / "real").is_symlink()


def other_name_of_a_replaced_file(model: Path, place: Path) -> bool:
    put(model, place / "out", OLD)
    os.link(place / "out", place / "twin")
    put(model, place / "out", NEW)
    return set(open_checkpoint(place / "twin")["t"].read()) == {OLD}


def in_place_keeps_everything(model: Path, place: Path) -> bool:
    model.chmod(0o664)
    before = model.stat()
    edit(model, place / "undo", NEW)
    after = model.stat()
    same = (before.st_mode, before.st_ino, before.st_uid) == (
        after.st_mode,
        after.st_ino,
        after.st_uid,
    )
    return same and mode(place / "undo") == 0o640


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


RULES: tuple[Callable[[Path, Path], bool], ...] = (
    new_file_by_umask,
    new_folder_by_umask,
    mode_of_a_replaced_file,
    mode_of_a_replaced_folder,
    owner_of_a_replaced_file,
    link_to_a_file,
    link_to_nothing_yet,
    link_to_a_folder,
    other_name_of_a_replaced_file,
    in_place_keeps_everything,
)
