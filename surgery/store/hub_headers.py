"""Headers of weight files on the Hub, by ranges, or from the cache where the file is there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from surgery.errors import CheckpointError, HubError
from surgery.store.files import Stamp, stamp
from surgery.store.header import PREFIX, Header, parse_header, read_header
from surgery.store.hub_client import Repository
from surgery.store.hub_errors import no_file, not_cached
from surgery.store.ranges import RangeReader
from surgery.store.text import size

# Enough for the header of most components at the first request.
_HEAD = 96 * 1024


def read_headers(
    repository: Repository, inner: str, files: Iterable[str], max_header: int
) -> tuple[dict[str, Header], dict[str, Stamp], dict[str, RangeReader]]:
    """Return header and stamp of each weight file, and a reader for each that is not in the cache.

    Args:
        inner: the folder of the files inside the repository, with a final slash, or "".
        files: names beneath it.

    Raises:
        HubError: the repository has no such file, or the Hub does not give it.
        CheckpointError: what came is no header.
    """
    headers, stamps, readers = {}, {}, {}
    for name in files:
        path = inner + name
        if path not in repository.files:
            raise _lost(repository, path)
        stamps[name] = stamp_of(repository, path)
        if repository.cached(path):
            headers[name] = read_header(repository.root / path, max_header=max_header)
            continue
        address = replace(repository.address, path=path)
        reader = RangeReader(address, repository.url(path), repository.files[path].size)
        headers[name] = _read_header(reader, repository.files[path].size, str(address), max_header)
        readers[name] = reader
    return headers, stamps, readers


def _read_header(reader: RangeReader, total: int, where: str, max_header: int) -> Header:
    if total == 0:
        raise CheckpointError("the file is empty", where=where)
    head = reader.read(0, min(total, _HEAD))
    length = int.from_bytes(head[:PREFIX], "little")
    end = PREFIX + length
    if max_header < length <= total:
        problem = f"the header has {size(length)}, more than {size(max_header)}"
        raise CheckpointError(problem, where=where, hint="such a header takes long to read")
    if len(head) < end <= total:
        head += reader.read(len(head), end - len(head))
    return parse_header(head, total, where)


def stamp_of(repository: Repository, path: str) -> Stamp:
    """Return the stamp of a file in the cache; of one that is not there only its size is known."""
    if repository.cached(path):
        return stamp(repository.root / path)
    return Stamp(0, 0, repository.files[path].size, 0)


def _lost(repository: Repository, path: str) -> HubError:
    if repository.offline:
        return not_cached(repository.asked, path)
    return no_file(repository.asked, path, ())
