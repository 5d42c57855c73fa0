"""Writes an edited copy of a checkpoint: streaming, atomic, every untouched byte as it was.

Changes no input, decodes no tensor, touches no network. Either the whole output is on the disk
under its name, or nothing is; what was there before stays until then.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

from surgery.errors import EditError, OutputError
from surgery.store.contents import Checkpoint, TensorRef
from surgery.store.files import check_unchanged, close, opened, read_span
from surgery.store.header import parse_header, with_metadata
from surgery.store.links import linked, same_device
from surgery.store.outputs import outputs
from surgery.store.preflight import check_output, check_space
from surgery.store.publish import keep_rights, publish
from surgery.store.sink import Sink, reported, sync_folder
from surgery.store.staging import remove_litter, staged_file, staged_folder
from surgery.store.text import nearest, quoted, visible

Changes = Mapping[str, Callable[[], bytes]]
_Edits = tuple[tuple[TensorRef, Callable[[], bytes]], ...]
_OnBytes = Callable[[int], None] | None


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: the output, its bytes, its files, and how many of those are links."""

    path: Path
    bytes_written: int
    files: tuple[Path, ...]
    linked: int = 0


@dataclass(frozen=True, slots=True)
class _Job:
    """One output file: where its bytes come from; `head` replaces the header of a changed one."""

    source: Path
    skip: int
    size: int
    head: bytes
    edits: _Edits
    link: bool = False

    @property
    def total(self) -> int:
        return len(self.head) + self.size - self.skip


def write(
    checkpoint: Checkpoint,
    changes: Changes,
    out: str | Path,
    *,
    metadata: Mapping[str, str],
    heads: Mapping[str, bytes] = MappingProxyType({}),
    force: bool = False,
    link: bool = False,
    on_bytes: Callable[[int], None] | None = None,
) -> Written:
    """Write a copy of `checkpoint` with some tensors' bytes replaced.

    Args:
        checkpoint: the model to copy; a file gives a file, a folder or shard index a folder.
        changes: tensor name -> a callable that makes its new bytes, of the old length; each is
            called once, in the order of the files, when its place in the output is reached.
        out: the output; its folder must exist. A link there stays a link, its target is replaced.
        metadata: `surgery.*` keys for the header of every weight file that `changes` touch.
        heads: relative name -> the header to write there instead, for some of those files.
        force: replace an output that exists; never allows to write over an input.
        link: give unchanged files of a folder a second name instead of a copy, where the file
            system can; to edit one of them in place later changes both.
        on_bytes: called with the number of bytes after every piece written.

    Raises:
        EditError: a change for a tensor that is not there, or of another length.
        OutputError: the output exists, is or holds an input, or cannot be written.
        ResourceError: too little room on the disk.
        CheckpointError: a source file changed or failed while it was read.
    """
    out = Path(out)
    if checkpoint.kind == "dduf":
        own = {name: with_metadata(head, metadata) for name, head in checkpoint.headers.items()}
        own.update(heads)
        return _write_archive(checkpoint, changes, out, own, force=force, on_bytes=on_bytes)
    jobs = _jobs(checkpoint, changes, metadata, heads)
    with reported(out):
        target = check_output(checkpoint, out, force=force)
        remove_litter(target)
        jobs = _shared(jobs, target) if link and checkpoint.kind != "file" else jobs
    total = sum(job.total for job in jobs.values() if not job.link)
    check_space(target, total)
    _check_sources(checkpoint)
    if checkpoint.kind == "file":
        _write_file(checkpoint, jobs, target, force, on_bytes)
        return Written(out, total, (out,))
    copied = _write_folder(checkpoint, jobs, target, force, on_bytes)
    total = sum(jobs[name].total for name in copied)
    return Written(out, total, tuple(out / name for name in jobs), len(jobs) - len(copied))


def _shared(jobs: Mapping[str, _Job], target: Path) -> dict[str, _Job]:
    """The same jobs; a file that stays as it is and lies on the target's disk is to be linked."""
    return {
        name: replace(job, link=not job.edits and same_device(job.source, target.parent))
        for name, job in jobs.items()
    }


def _write_archive(
    checkpoint: Checkpoint,
    changes: Changes,
    out: Path,
    heads: Mapping[str, bytes],
    *,
    force: bool,
    on_bytes: _OnBytes,
) -> Written:
    """Write a DDUF file; with no changes it is copied as it is."""
    # Imported here because no other model needs zipfile.
    from surgery.store.dduf import DdufCheckpoint
    from surgery.store.dduf_writer import write_dduf

    assert isinstance(checkpoint, DdufCheckpoint)
    edits = _edits(checkpoint, changes).get(checkpoint.root, ())
    with reported(out):
        target = check_output(checkpoint, out, force=force)
        remove_litter(target)
    check_space(target, checkpoint.total_bytes)
    _check_sources(checkpoint)
    if edits:
        made = tuple((ref, partial(_made, ref, make)) for ref, make in edits)
        size = write_dduf(checkpoint, made, target, heads, force=force, on_bytes=on_bytes)
        return Written(out, size, (out,))
    job = _Job(checkpoint.root, 0, checkpoint.total_bytes, b"", ())
    _write_file(checkpoint, {checkpoint.root.name: job}, target, force, on_bytes)
    return Written(out, job.total, (out,))


def _edits(checkpoint: Checkpoint, changes: Changes) -> dict[Path, _Edits]:
    """The changes of each file, in the order of their places in it."""
    edits: dict[Path, list[tuple[TensorRef, Callable[[], bytes]]]] = {}
    for name, make in changes.items():
        if name not in checkpoint:
            close = nearest(name, checkpoint)
            hint = f"the nearest is {quoted(close)}" if close else "nothing there is like it"
            raise EditError(f"no tensor {quoted(name)} in the checkpoint", hint=hint)
        edits.setdefault(checkpoint[name].file, []).append((checkpoint[name], make))
    return {
        file: tuple(sorted(own, key=lambda edit: (edit[0].start, edit[0].nbytes)))
        for file, own in edits.items()
    }


def _jobs(
    checkpoint: Checkpoint,
    changes: Changes,
    metadata: Mapping[str, str],
    heads: Mapping[str, bytes],
) -> dict[str, _Job]:
    edits, jobs = _edits(checkpoint, changes), {}
    for name, (source, stamp) in outputs(checkpoint, changes).items():
        own = edits.get(source, ())
        head, skip = b"", 0
        if own:
            header = checkpoint.headers[name]
            head, skip = heads.get(name) or with_metadata(header, metadata), header.data_start
        jobs[name] = _Job(source, skip, stamp.size, head, own)
    return jobs


def _check_sources(checkpoint: Checkpoint) -> None:
    for path, stamp in checkpoint.inputs.items():
        check_unchanged(path, stamp)


def _write_file(
    checkpoint: Checkpoint, jobs: Mapping[str, _Job], target: Path, force: bool, on_bytes: _OnBytes
) -> None:
    (job,) = jobs.values()
    with staged_file(target) as (descriptor, staged):
        _fill(job, descriptor, target, on_bytes)
        _check_written(job, staged, target)
        _check_sources(checkpoint)
        if force:
            keep_rights(descriptor, target)
        publish(staged, target, force=force)


def _write_folder(
    checkpoint: Checkpoint, jobs: Mapping[str, _Job], target: Path, force: bool, on_bytes: _OnBytes
) -> tuple[str, ...]:
    """Write every file and return the names of those that are no links."""
    copied = []
    with staged_folder(target) as (folder, staged):
        for name, job in jobs.items():
            path = staged / name
            with reported(target, job.total):
                path.parent.mkdir(parents=True, exist_ok=True)
                if job.link and linked(job.source, path):
                    if on_bytes:
                        on_bytes(job.total)
                    continue
            _write_part(job, path, target, on_bytes)
            copied.append(name)
        _sync_folders(staged, jobs, target)
        _check_sources(checkpoint)
        if force:
            keep_rights(folder, target)
        publish(staged, target, force=force)
    return tuple(copied)


def _write_part(job: _Job, path: Path, target: Path, on_bytes: _OnBytes) -> None:
    with reported(target, job.total):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        _fill(job, descriptor, target, on_bytes)
    finally:
        close(descriptor)
    _check_written(job, path, target)


def _fill(job: _Job, descriptor: int, target: Path, on_bytes: _OnBytes) -> None:
    with opened(job.source) as source, Sink(descriptor, target, on_bytes) as sink:
        if not sink.share(source, job.skip, job.size, at=len(job.head)):
            sink.reserve(job.total)
        sink.write(job.head)
        at = job.skip
        for ref, make in job.edits:
            sink.copy(source, job.source, at, ref.start - at)
            sink.write(_made(ref, make))
            at = ref.start + ref.nbytes
        sink.copy(source, job.source, at, job.size - at)
        sink.finish()


def _made(ref: TensorRef, make: Callable[[], bytes]) -> bytes:
    data = make()
    if len(data) != ref.nbytes:
        raise EditError(
            f"the new value has {len(data)} bytes, the old one {ref.nbytes}",
            where=f"{visible(str(ref.file))}:{visible(ref.name)}",
            hint="an edit must keep shape and dtype",
        )
    return data


def _check_written(job: _Job, path: Path, target: Path) -> None:
    with reported(target):
        size = path.stat().st_size
    head = read_span(path, 0, len(job.head))
    if job.head:
        parse_header(head, size, visible(str(path)))
    if size != job.total or head != job.head:
        raise OutputError(
            "what was written does not read back",
            where=visible(str(target)),
            hint="the disk may be failing; nothing was published",
        )


def _sync_folders(staged: Path, jobs: Mapping[str, _Job], target: Path) -> None:
    folders = {staged}
    for name in jobs:
        folders.update((staged / name).parents[: name.count("/")])
    for folder in sorted(folders, reverse=True):
        sync_folder(folder, target)
