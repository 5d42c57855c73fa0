"""A model on the Hub as a checkpoint: its tensors are read by ranges, its files fetched on demand.

Nothing here asks for more than it is asked for: headers were read by `hub`, a tensor's bytes come
when they are read, a config or tokenizer when it is looked at, and all of it with `here`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from surgery.errors import HubError
from surgery.store.contents import Checkpoint, TensorRef
from surgery.store.hub_client import Repository
from surgery.store.preflight import check_space
from surgery.store.ranges import RangeReader
from surgery.store.record import NAME
from surgery.store.text import quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteRef(TensorRef):
    """A tensor in a file on the Hub; `file` is where the file will lie in the cache."""

    reader: RangeReader = field(repr=False, compare=False)

    def span(self, start: int, count: int) -> bytes:
        """Return `count` bytes of the file from `start` on, by one request or from memory."""
        return self.reader.read(start, count)

    def spans(self, starts: Sequence[int], count: int) -> list[bytes]:
        """Return several spans, those that lie close together by one request."""
        self.reader.prepare((start, start + count) for start in starts)
        return [self.span(start, count) for start in starts]


@dataclass(frozen=True, slots=True, eq=False, repr=False, kw_only=True)
class HubCheckpoint(Checkpoint):
    """A checkpoint at one commit on the Hub.

    Args:
        repository: the commit, its files and its place in the cache.
        inner: the path of `root` inside the repository, with a final slash, or "".
        readers: relative name -> reader, for each weight file that is not in the cache.
        reopen: opens the same files once they are in the cache.
    """

    repository: Repository
    inner: str
    readers: Mapping[str, RangeReader]
    reopen: Callable[[], Checkpoint]

    @property
    def is_remote(self) -> bool:
        """Yes: what lies on this machine is the Hub's cache, which no edit may touch."""
        return True

    @property
    def fetched(self) -> int:
        """Bytes of weight files that came by ranges so far, headers included."""
        return sum(reader.fetched for reader in self.readers.values())

    @property
    def requests(self) -> int:
        """Requests that were made for them."""
        return sum(reader.requests for reader in self.readers.values())

    @property
    def missing_bytes(self) -> int:
        """Bytes of the model's files that are not in the cache."""
        cached = self.repository.cached
        return sum(
            stamp.size
            for name, stamp in self.stamps.items()
            if name not in self.origins and not cached(self.inner + name)
        )

    def side_file(self, relative: str) -> Path:
        """Return where a file beside the weights lies, fetched now if it is not in the cache."""
        self._fetch(relative)
        return self.path(relative)

    def json(self, relative: str) -> dict[str, object] | None:
        """Return a JSON side file, fetched now if it is not in the cache."""
        if relative in self.stamps and relative not in self.headers:
            self._fetch(relative)
        return Checkpoint.json(self, relative)

    def folder(self, relative: str) -> Path:
        """Return a folder of side files such as "tokenizer", fetched now."""
        for name in self.stamps:
            if name.startswith(f"{relative}/") and name not in self.headers:
                self._fetch(name)
        return Checkpoint.folder(self, relative)

    def record(self) -> str | None:
        """Return the text of the record of the model's last edit, fetched now."""
        name = f"{self.root.name}.{NAME}" if self.kind == "file" else NAME
        if self.inner + name in self.repository.files:
            self.repository.fetch(self.inner + name)
        return Checkpoint.record(self)

    def prepare(self, names: Iterable[str]) -> None:
        """Fetch whole tensors that will be read, with as few requests as are worth it."""
        spans: dict[RangeReader, list[tuple[int, int]]] = {}
        for name in dict.fromkeys(names):
            ref = self[name]
            if isinstance(ref, RemoteRef):
                spans.setdefault(ref.reader, []).append((ref.start, ref.start + ref.nbytes))
        for reader, wanted in spans.items():
            reader.prepare(wanted)

    def here(self, on_bytes: Callable[[int], None] | None = None) -> Checkpoint:
        """Return the same model with every file in the cache, each hashed before it is used.

        Raises:
            HubError: a file does not come, or is not what the Hub's list and its header said.
            ResourceError: too little room in the cache.
        """
        check_room(self.repository, self.missing_bytes)
        self.record()
        # Weights last: a cache that has them all has all else, whenever the download breaks off.
        for name in sorted(self.stamps, key=lambda name: name in self.headers):
            if name not in self.origins:
                self._fetch(name, on_bytes)
        found = self.reopen()
        if found.fingerprint != self.fingerprint:
            problem = "the headers in the download are not those that were read before"
            raise HubError(problem, where=quoted(self.address), hint="run again")
        return found

    def claims(self, place: Path) -> int:
        """Return how many bytes `here` will take on the disk that `place` is on."""
        device = _existing(self.repository.root).stat().st_dev
        return self.missing_bytes if _existing(place).stat().st_dev == device else 0

    def _fetch(self, name: str, on_bytes: Callable[[int], None] | None = None) -> None:
        self.repository.fetch(self.inner + name, on_bytes)


def check_room(repository: Repository, needed: int) -> None:
    """Raise ResourceError unless the disk of the cache has `needed` bytes free."""
    storage = repository.root
    check_space(_existing(storage) / storage.name, needed)


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)
