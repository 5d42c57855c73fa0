"""Puts files on a branch of the Hub by one commit on top of the head that was looked up.

So it is there whole or not at all, and never over someone else's change. Where the answer is lost,
the branch is read; where it is there, every file is read back by its hash. Computes no weights.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import file_digest, sha1
from pathlib import Path
from typing import TYPE_CHECKING

from surgery.errors import HubError
from surgery.store.hub_address import HubAddress
from surgery.store.hub_branch import Branch, client, moved, pull_requests
from surgery.store.hub_client import RemoteFile, resolve
from surgery.store.hub_errors import MovedError
from surgery.store.hub_refusals import NotCopiedError, written
from surgery.store.hub_session import quiet
from surgery.store.hub_traffic import Traffic, watched
from surgery.store.patience import PATIENCE, AgainError
from surgery.store.text import quoted

if TYPE_CHECKING:
    from huggingface_hub import CommitInfo, CommitOperationAdd, CommitOperationCopy

_LOG = logging.getLogger("surgery")
_PULL_REQUESTS = 5


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One file to put there.

    Args:
        path: in the repository.
        source: the file, or its bytes.
        sha256: of its bytes; `git` is what git calls them.
        twin: the same file in another repository, as the Hub has it there.
    """

    path: str
    source: Path | bytes
    size: int
    sha256: str
    git: str
    twin: tuple[HubAddress, str] | None = None

    def is_there(self, file: RemoteFile | None) -> bool:
        """Whether a file on the Hub has these bytes."""
        return file is not None and file.oid in (self.sha256, self.git)


@dataclass(frozen=True, slots=True)
class Wish:
    """What else was asked for."""

    message: str
    create_pr: bool = False
    token_name: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """What is on the Hub now.

    Args:
        pull_request: its address, "" for a commit on the branch itself.
        uploaded: bytes of weights that really went over the network; None where that is not known.
        copied: files that the Hub copied by itself.
        lost: whether the Hub's answer was lost, and the branch had to tell.
    """

    commit: str
    pull_request: str
    uploaded: int | None
    copied: int
    lost: bool


def outgoing(path: str, source: Path | bytes) -> Outgoing:
    """A file with its hashes."""
    if isinstance(source, bytes):
        from hashlib import sha256

        digest, git = sha256(source).hexdigest(), _git(len(source), [source])
        return Outgoing(path, source, len(source), digest, git)
    size = source.stat().st_size
    with source.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
        file.seek(0)
        pieces = iter(lambda: file.read(1 << 20), b"")
        git = _git(size, pieces) if size < _LARGEST_GIT else ""
    return Outgoing(path, source, size, digest, git)


_LARGEST_GIT = 20_000_000


def _git(size: int, pieces: Sequence[bytes] | Iterator[bytes]) -> str:
    digest = sha1(f"blob {size}\0".encode(), usedforsecurity=False)
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def send(files: Sequence[Outgoing], branch: Branch, wish: Wish) -> Sent:
    """Commit files on top of a branch's head, and read them back.

    Args:
        files: those that are not there yet, at least one.

    Raises:
        HubError: nothing was changed; or, where it says so, that is not known.
    """
    assert branch.commit is not None
    job = _Job(files, branch, wish, [_operation(file) for file in files])
    with quiet(), watched() as traffic:
        try:
            done = job.run(traffic)
        except NotCopiedError:
            _LOG.warning("the Hub does not copy files between these repositories: sending them")
            whole = [_operation(file, alone=True) for file in files]
            done = _Job(files, branch, wish, whole).run(traffic)
    _read_back(files, branch.address, done.commit)
    return done


@dataclass(frozen=True, slots=True)
class _Job:
    files: Sequence[Outgoing]
    branch: Branch
    wish: Wish
    operations: Sequence[CommitOperationAdd | CommitOperationCopy]

    def run(self, traffic: Traffic) -> Sent:
        return PATIENCE.call(lambda: self._try(traffic), self.branch.address.repo)

    def _try(self, traffic: Traffic) -> Sent:
        try:
            with written(self.branch.address, self.wish.token_name):
                info = self._commit()
        except (AgainError, MovedError) as error:
            # The commit may be there all the same: its answer can be lost, or a try before did it.
            found = self._landed()
            if found is None:
                if isinstance(error, MovedError):
                    raise moved(self.branch.address) from error
                raise
            return self._sent(*found, traffic, lost=True)
        return self._sent(str(info.oid), info.pr_url or "", traffic, lost=False)

    def _commit(self) -> CommitInfo:
        branch = self.branch
        return client().create_commit(
            branch.address.repo,
            self.operations,
            commit_message=self.wish.message,
            revision=branch.address.revision,
            create_pr=self.wish.create_pr,
            parent_commit=branch.commit,
        )

    def _landed(self) -> tuple[str, str] | None:
        """Where our files are, if they are there: the commit, and the pull request or ""."""
        address = self.branch.address
        if self.wish.create_pr:
            for reference in pull_requests(address)[:_PULL_REQUESTS]:
                found = resolve(HubAddress(address.repo, reference))
                if all(file.is_there(found.files.get(file.path)) for file in self.files):
                    return found.address.revision, _pull_request(address.repo, reference)
            return None
        found = resolve(address)
        if found.address.revision == self.branch.commit:
            return None
        if all(file.is_there(found.files.get(file.path)) for file in self.files):
            return found.address.revision, ""
        raise moved(self.branch.address)

    def _sent(self, commit: str, pull_request: str, traffic: Traffic, *, lost: bool) -> Sent:
        copied = sum(hasattr(one, "src_path_in_repo") for one in self.operations)
        return Sent(commit, pull_request, traffic.sent, copied, lost)


def _operation(file: Outgoing, *, alone: bool = False) -> CommitOperationAdd | CommitOperationCopy:
    from huggingface_hub import CommitOperationAdd, CommitOperationCopy

    if file.twin and not alone:
        address, path = file.twin
        return CommitOperationCopy(
            src_path_in_repo=path,
            path_in_repo=file.path,
            src_revision=address.revision,
            src_repo_id=address.repo,
            src_repo_type="model",
        )
    made = CommitOperationAdd(file.path, file.source)
    # Known already: the client would read the whole file once more.
    made.upload_info.sha256 = bytes.fromhex(file.sha256)
    return made


def _pull_request(repo: str, reference: str) -> str:
    from huggingface_hub import constants

    return f"{constants.ENDPOINT}/{repo}/discussions/{reference.rpartition('/')[2]}"


def _read_back(files: Sequence[Outgoing], address: HubAddress, commit: str) -> None:
    found = resolve(HubAddress(address.repo, commit))
    wrong = [file.path for file in files if not file.is_there(found.files.get(file.path))]
    if wrong:
        raise HubError(
            f"the Hub has other bytes than were sent, in {quoted(wrong[0])}",
            where=f"{address.repo}@{commit}",
            hint="push again, or take the commit back",
        )
