"""A branch on the Hub that is to be written to: where it is, what it holds, who moved it last."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from surgery.errors import HubError
from surgery.store.hub_address import HubAddress
from surgery.store.hub_client import RemoteFile, Repository, resolve
from surgery.store.hub_errors import MovedError, NoRepositoryError, NoRevisionError
from surgery.store.hub_refusals import written
from surgery.store.hub_session import own_token, without_telemetry
from surgery.store.patience import PATIENCE
from surgery.store.text import quoted

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_Answer = TypeVar("_Answer")
_SIGN_IN = "sign in with `hf auth login`, or set HF_TOKEN"


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch as it was looked up.

    Args:
        commit: its head; None where there is no such branch.
        exists: whether there is such a repository.
        found: the repository at that commit.
    """

    address: HubAddress
    commit: str | None
    exists: bool
    found: Repository | None = None

    @property
    def files(self) -> Mapping[str, RemoteFile]:
        """Path -> file of the commit."""
        return self.found.files if self.found else {}


@dataclass(frozen=True, slots=True)
class Owner:
    """Who is signed in, and what the token that says so is called."""

    name: str
    token: str


def client() -> HfApi:
    """The Hub's client, with the token of `signed_in`."""
    from huggingface_hub import HfApi

    without_telemetry()
    return HfApi(token=own_token())


def who_am_i(address: HubAddress) -> Owner:
    """Who is signed in.

    Raises:
        HubError: nobody is, or the network is switched off.
    """
    from huggingface_hub import constants, get_token

    if constants.HF_HUB_OFFLINE:
        raise HubError("HF_HUB_OFFLINE is set: nothing can be pushed", hint="unset it")
    if own_token() is None and get_token() is None:
        raise HubError("nobody is signed in", where=address.repo, hint=_SIGN_IN)
    found = _asked(address, client().whoami)
    access = found.get("auth", {}).get("accessToken") or {}
    return Owner(str(found.get("name", "")), str(access.get("displayName", "")))


def look(address: HubAddress) -> Branch:
    """Look a branch up; that it is not there is no error.

    Raises:
        HubError: no answer, or no access.
    """
    try:
        found = resolve(address)
    except NoRepositoryError:
        return Branch(address, None, exists=False)
    except NoRevisionError:
        return Branch(address, None, exists=True)
    return Branch(address, found.address.revision, exists=True, found=found)


def make_place(branch: Branch, *, private: bool, token_name: str) -> Branch:
    """Make the repository and the branch where they are missing, and look again.

    Raises:
        HubError: that is not allowed.
    """
    address = branch.address
    api, main = client(), address.revision in ("main", "")
    make = partial(_asked, address, token_name=token_name)
    if not branch.exists:
        make(lambda: api.create_repo(address.repo, private=private or None, exist_ok=True))
    if branch.commit is None and not main:
        make(lambda: api.create_branch(address.repo, branch=address.revision, exist_ok=True))
    found = look(address)
    if found.commit is None:
        raise HubError("the Hub made the repository and does not show it", where=address.repo)
    return found


def moved(address: HubAddress) -> MovedError:
    """The error for a branch that somebody moved while we worked; says who."""
    return MovedError(
        f"the branch was moved meanwhile {_mover(address)}; nothing was pushed",
        where=str(address),
        hint="look at it, then push again",
    )


def _mover(address: HubAddress) -> str:
    """Who moved a branch last, with the commit and its title."""
    commits = _asked(
        address, lambda: client().list_repo_commits(address.repo, revision=address.revision)
    )
    if not commits:
        return "it has no commits any more"
    last = commits[0]
    by = ", ".join(quoted(name) for name in last.authors) or "somebody"
    return f"by {by}, to {last.commit_id[:8]} ({quoted(last.title, 60)})"


def pull_requests(address: HubAddress) -> list[str]:
    """The references of the repository's pull requests, the newest first."""
    found = _asked(
        address, lambda: client().list_repo_refs(address.repo, include_pull_requests=True)
    )
    names = [ref.ref for ref in found.pull_requests or []]
    return sorted(names, key=lambda name: (len(name), name), reverse=True)


def _asked(address: HubAddress, question: Callable[[], _Answer], token_name: str = "") -> _Answer:
    def ask() -> _Answer:
        with written(address, token_name):
            return question()

    return PATIENCE.call(ask, address.repo)
