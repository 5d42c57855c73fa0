"""Writes an edited copy of a checkpoint: streaming, atomic, every untouched byte as it was.

Changes no input, decodes no tensor, touches no network. Either the whole output is on the disk
under its name, or nothing is; what was there before stays until then.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

from surgery.store.beside import staged_beside
from surgery.store.changes import Changes, Edits, MakeRecord, OnBytes, by_file, not_read_back
from surgery.store.clone import BLOCK, can_share, shareable
from surgery.store.contents import Checkpoint
from surgery.store.digest import Algorithm, Digest, Watch
from surgery.store.files import check_unchanged, opened, read_span
from surgery.store.fresh import fill
from surgery.store.header import parse_header, with_metadata
from surgery.store.links import linked, same_device
from surgery.store.outputs import outputs
from surgery.store.preflight import check_output, check_space
from surgery.store.publish import keep_rights, publish
from surgery.store.record import NAME, beside, check_beside
from surgery.store.sink import Sink, reported
from surgery.store.staging import (
    part_of,
    remove_litter,
    staged_file,
    staged_folder,
    sync_folders,
)
from surgery.store.text import visible


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    Args:
        path: the output.
        bytes_written: of all files together, links left out.
        files: those of the output.
        linked: how many of them are links.
        checksums: relative name -> digest, of the files of weights that were written.
    """

    path: Path
    bytes_written: int
    files: tuple[Path, ...]
    linked: int = 0
    checksums: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Job:
    """One output file: where its bytes come from; `head` replaces the header of a changed one."""

    source: Path
    skip: int
    size: int
    head: bytes
    edits: Edits
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
    checksum: Algorithm | None = None,
    record: MakeRecord | None = None,
    on_bytes: OnBytes = None,
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
        checksum: which digest to take of each file of weights while it is written.
        record: called once everything else is written; returns the text of the record that the
            output gets, or None for an output without one. Left out, files are taken as they are.
        on_bytes: called with the number of bytes after every piece written.

    Raises:
        EditError: a change for a tensor that is not there, or of another length.
        OutputError: the output exists, is or holds an input, or cannot be written.
        ResourceError: too little room on the disk.
        CheckpointError: a source file changed or failed while it was read.
    """
    out = Path(out)
    jobs = _jobs(checkpoint, by_file(checkpoint, changes), metadata, heads)
    is_folder = checkpoint.kind in {"folder", "sharded"}
    with reported(out):
        target = check_output(checkpoint, out, force=force)
        remove_litter(target)
        if record and not is_folder:
            check_beside(target, force=force)
        jobs = _shared(jobs, target) if link and is_folder else jobs
    total = sum(job.total for job in jobs.values() if not job.link)
    check_space(target, total, lambda: sum(_saved(job, target.parent) for job in jobs.values()))
    _check_sources(checkpoint)
    how = _How(force, Watch(on_bytes, checksum), record)
    if is_folder:
        jobs = {name: job for name, job in jobs.items() if not (record and name == NAME)}
        copied = _write_folder(checkpoint, jobs, target, how)
        total = sum(jobs[name].total for name in copied) + how.told
        files = tuple(out / name for name in (*jobs, *([NAME] if how.told else [])))
        return Written(out, total, files, len(jobs) - len(copied), how.watch.digests)
    total = _write_single(checkpoint, jobs, metadata, (target, heads), how)
    files = (out, beside(target)) if how.told else (out,)
    return Written(out, total + how.told, files, checksums=how.watch.digests)


def _write_single(
    checkpoint: Checkpoint,
    jobs: Mapping[str, _Job],
    metadata: Mapping[str, str],
    place: tuple[Path, Mapping[str, bytes]],
    how: _How,
) -> int:
    """Write a model that is one file, in its place with these heads, and return its bytes."""
    target, heads = place
    (job,) = jobs.values()
    if checkpoint.kind == "dduf" and job.edits:
        # Imported here because no other model needs zipfile.
        from surgery.store.dduf_writer import write_dduf

        own = {name: with_metadata(head, metadata) for name, head in checkpoint.headers.items()}
        last = partial(how.publish_file, target)
        return write_dduf(
            checkpoint, job.edits, target, {**own, **heads}, publish=last, watch=how.watch
        )
    _write_file(checkpoint, job, target, how)
    return job.total


@dataclass(slots=True)
class _How:
    """How an output is written; `told` are the bytes of its record, once that was made."""

    force: bool
    watch: Watch
    record: MakeRecord | None
    told: int = 0

    def text(self) -> str | None:
        text = self.record() if self.record else None
        if text is not None:
            self.told = len(text.encode("utf-8"))
            if self.watch.on_bytes:
                self.watch.on_bytes(self.told)
        return text

    def publish_file(self, target: Path, descriptor: int, staged: Path) -> None:
        if self.force:
            keep_rights(descriptor, target)
        if self.record is None:
            return publish(staged, target, force=self.force)
        with staged_beside(target, self.text(), force=self.force):
            publish(staged, target, force=self.force)
        return None


def _shared(jobs: Mapping[str, _Job], target: Path) -> dict[str, _Job]:
    """The same jobs; a file that stays as it is and lies on the target's disk is to be linked."""
    return {
        name: replace(job, link=not job.edits and same_device(job.source, target.parent))
        for name, job in jobs.items()
    }


def _jobs(
    checkpoint: Checkpoint,
    edits: Mapping[Path, Edits],
    metadata: Mapping[str, str],
    heads: Mapping[str, bytes],
) -> dict[str, _Job]:
    if checkpoint.kind == "dduf":
        root = checkpoint.root
        return {root.name: _Job(root, 0, checkpoint.total_bytes, b"", edits.get(root, ()))}
    changed = [ref.name for own in edits.values() for ref, _ in own]
    jobs = {}
    for name, (source, stamp) in outputs(checkpoint, changed).items():
        own = edits.get(source, ())
        head, skip = b"", 0
        if own:
            header = checkpoint.headers[name]
            head, skip = heads.get(name) or with_metadata(header, metadata), header.data_start
        jobs[name] = _Job(source, skip, stamp.size, head, own)
    return jobs


def _saved(job: _Job, folder: Path) -> int:
    """How many bytes of a file it shares with its source, where the file system can."""
    tail = shareable(job.skip, job.size, len(job.head))
    is_archive = bool(job.edits) and not job.head
    if job.link or tail is None or is_archive or not can_share(job.source, folder):
        return 0
    # A value that begins or ends inside a block takes all of that block.
    return max(0, tail.nbytes - sum(ref.nbytes + 2 * BLOCK for ref, _ in job.edits))


def _check_sources(checkpoint: Checkpoint) -> None:
    for path, stamp in checkpoint.inputs.items():
        check_unchanged(path, stamp)


def _write_file(checkpoint: Checkpoint, job: _Job, target: Path, how: _How) -> None:
    with staged_file(target) as (descriptor, staged):
        with how.watch.digest(target.name) as digest:
            _fill(job, descriptor, target, how.watch.on_bytes, digest)
        _check_written(job, staged, target)
        _check_sources(checkpoint)
        how.publish_file(target, descriptor, staged)


def _write_folder(
    checkpoint: Checkpoint, jobs: Mapping[str, _Job], target: Path, how: _How
) -> tuple[str, ...]:
    """Write every file and the record; return the names of those that are no links."""
    copied, watch = [], how.watch
    with staged_folder(target) as (folder, staged):
        for name, job in jobs.items():
            if job.link and _linked(job, staged / name, target):
                if watch.on_bytes:
                    watch.on_bytes(job.total)
                continue
            weights = watch.digest(name) if name in checkpoint.headers else nullcontext()
            with part_of(staged, name, target, job.total) as descriptor, weights as digest:
                _fill(job, descriptor, target, watch.on_bytes, digest)
            _check_written(job, staged / name, target)
            copied.append(name)
        if (text := how.text()) is not None:
            with part_of(staged, NAME, target, how.told) as descriptor:
                fill(descriptor, [text.encode("utf-8")], target)
        sync_folders(staged, jobs, target)
        _check_sources(checkpoint)
        if how.force:
            keep_rights(folder, target)
        publish(staged, target, force=how.force)
    return tuple(copied)


def _linked(job: _Job, path: Path, target: Path) -> bool:
    with reported(target, job.total):
        path.parent.mkdir(parents=True, exist_ok=True)
        return linked(job.source, path)


def _fill(
    job: _Job, descriptor: int, target: Path, on_bytes: OnBytes, digest: Digest | None
) -> None:
    with opened(job.source) as source, Sink(descriptor, target, on_bytes, digest) as sink:
        if not sink.share(source, job.skip, job.size, at=len(job.head)):
            sink.reserve(job.total)
        sink.write(job.head)
        at = job.skip
        for ref, make in job.edits:
            sink.copy(source, job.source, at, ref.start - at)
            sink.write(make())
            at = ref.start + ref.nbytes
        sink.copy(source, job.source, at, job.size - at)
        sink.finish()


def _check_written(job: _Job, path: Path, target: Path) -> None:
    with reported(target):
        size = path.stat().st_size
    head = read_span(path, 0, len(job.head))
    if job.head:
        parse_header(head, size, visible(str(path)))
    if size != job.total or head != job.head:
        raise not_read_back(target)
