"""What a Hub stores: repositories, their commits, and large files by hash. No HTTP here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha1, sha256
from pathlib import Path

LFS = (".safetensors", ".bin", ".ckpt", ".pt", ".gguf")
LARGEST_REGULAR = 5_000_000


class Sparse(bytes):
    """A file of any size of which only the beginning is kept; the rest is zeros."""

    total: int

    def __new__(cls, head: bytes, total: int) -> Sparse:
        made = super().__new__(cls, head)
        made.total = total
        return made

    def __len__(self) -> int:
        return self.total

    def __getitem__(self, key: object) -> bytes:  # type: ignore[override]
        assert isinstance(key, slice)
        first, end, _ = key.indices(self.total)
        return super().__getitem__(slice(first, end)).ljust(end - first, b"\0")


def git_oid(data: bytes) -> str:
    return sha1(f"blob {len(data)}\0".encode() + data, usedforsecurity=False).hexdigest()


def is_lfs(path: str) -> bool:
    return path.endswith(LFS)


@dataclass(frozen=True)
class Stored:
    """A file of a commit."""

    data: bytes
    lfs: bool

    @cached_property
    def oid(self) -> str:
        return sha256(self.data).hexdigest() if self.lfs else git_oid(self.data)

    def entry(self, path: str, *, xet: bool = False) -> dict[str, object]:
        """The file as the list of a tree shows it."""
        entry: dict[str, object] = {"type": "file", "path": path, "size": len(self.data)}
        if self.lfs:
            lfs = {"oid": self.oid, "size": len(self.data), "pointerSize": 134}
            more = {"xetHash": self.oid} if xet else {}
            return entry | {"oid": git_oid(self.oid.encode()), "lfs": lfs} | more
        return entry | {"oid": self.oid}


@dataclass
class Repo:
    """Commits by id, references by name, and who may read.

    Args:
        titles: commit -> what it is called, in the order in which they were made.
        xet: whether its large files can be copied to other repositories.
    """

    commits: dict[str, dict[str, Stored]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    gated: bool = False
    private: bool = False
    xet: bool = False
    titles: dict[str, str] = field(default_factory=dict)

    def resolve(self, revision: str) -> str | None:
        return self.refs.get(revision) or (revision if revision in self.commits else None)

    def commit(
        self, files: Mapping[str, Stored], revision: str = "main", title: str = "a commit"
    ) -> str:
        """Put a whole tree on a branch and return its commit."""
        listed = [f"{path} {stored.oid}" for path, stored in sorted(files.items())]
        text = "\n".join([self.refs.get(revision, ""), *listed])
        commit = sha1(text.encode(), usedforsecurity=False).hexdigest()
        self.commits[commit] = dict(files)
        self.refs[revision] = commit
        self.titles[commit] = title
        return commit


@dataclass
class Shelf:
    """Every repository, and every large file that was ever sent.

    Args:
        forgotten: hashes of large files that it asks for again.
    """

    repos: dict[str, Repo] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)

    def forget(self) -> None:
        """Ask for every large file again; what repositories hold stays."""
        self.forgotten = set(self.blobs)

    def add(self, name: str, files: Mapping[str, bytes], revision: str = "main") -> str:
        """Commit files, making the repository if need be; returns the commit."""
        stored = {path: Stored(data, is_lfs(path)) for path, data in files.items()}
        for one in stored.values():
            if one.lfs:
                self.blobs[one.oid] = one.data
        return self.repos.setdefault(name, Repo()).commit(stored, revision)

    def add_folder(self, name: str, folder: Path, **more: bytes) -> str:
        """Commit every file beneath a folder."""
        found = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
        return self.add(name, found | more)
