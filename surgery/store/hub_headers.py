"""Headers of weight files on the Hub, by ranges, or from the cache where the file is there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from surgery.store.files import Stamp, stamp
from surgery.store.header import Header, header_from, read_header
from surgery.store.hub_client import Repository
from surgery.store.ranges import RangeReader

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
        reader = reader_of(repository, path)
        stamps[name] = stamp_of(repository, path)
        if reader is None:
            headers[name] = read_header(repository.root / path, max_header=max_header)
        else:
            readers[name], where = reader, str(replace(repository.address, path=path))
            total = stamps[name].size
            headers[name] = header_from(reader.read, total, where, max_header, first=_HEAD)
    return headers, stamps, readers


def reader_of(repository: Repository, path: str) -> RangeReader | None:
    """Return what reads parts of a file, None where it is in the cache.

    Raises:
        HubError: the repository has no such file.
    """
    if path not in repository.files:
        raise repository.missing(path)
    if repository.cached(path):
        return None
    address = replace(repository.address, path=path)
    return RangeReader(address, repository.url(path), repository.files[path].size)


def stamp_of(repository: Repository, path: str) -> Stamp:
    """Return the stamp of a file in the cache; of one that is not there only its size is known."""
    if repository.cached(path):
        return stamp(repository.root / path)
    return Stamp(0, 0, repository.files[path].size, 0)
