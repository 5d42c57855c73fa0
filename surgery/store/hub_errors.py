"""From what the Hub's client raises to one sentence for the user. No request starts here.

Addresses of requests are never shown: a signed one is a key to the file.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from surgery.errors import HubError, ResourceError, SurgeryError
from surgery.store.hub_address import HubAddress
from surgery.store.patience import AgainError, NoAnswerError, retry_after
from surgery.store.text import quoted, visible

_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_SIGN_IN = "sign in with `hf auth login`, or set HF_TOKEN"


class NoRepositoryError(HubError):
    """There is no such repository, or none that one may see."""


class NoRevisionError(HubError):
    """The repository has no such branch, tag or commit."""


class MovedError(HubError):
    """The branch is no longer where it was looked up."""


@contextmanager
def translated(address: HubAddress, path: str = "") -> Iterator[None]:
    """Turn every failure of the Hub's client inside into a HubError about `address`.

    Args:
        path: the file that was wanted, "" where none was.

    Raises:
        AgainError: a failure that may pass.
        HubError: one that will not.
        ResourceError: the disk of the cache is full.
    """
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        yield
    except SurgeryError:
        raise
    except HFValidationError as error:
        raise HubError(f"{quoted(address.repo)} is no name of a repository") from error
    except HfHubHTTPError as error:
        raise _answered(error, address, path) from error
    except OSError as error:
        raise _failed(error, address, path) from error
    except transport_errors() as error:
        raise _unreachable() from error


def transport_errors() -> tuple[type[Exception], ...]:
    """Return the base class of what the client's HTTP library raises, whichever that is."""
    from huggingface_hub.errors import HfHubHTTPError

    return tuple(
        base
        for base in HfHubHTTPError.__bases__
        if issubclass(base, Exception) and not issubclass(base, OSError)
    )


def _answered(error: Exception, address: HubAddress, path: str) -> Exception:
    from huggingface_hub import errors

    shown = visible(address.repo)
    cases: tuple[tuple[type[Exception], Callable[[], HubError]], ...] = (
        (errors.GatedRepoError, lambda: _gated(shown)),
        (errors.DisabledRepoError, lambda: HubError("the Hub has disabled it", where=shown)),
        (errors.RevisionNotFoundError, lambda: _no_revision(address)),
        (errors.RepositoryNotFoundError, lambda: _no_repository(address.repo)),
        (errors.EntryNotFoundError, lambda: no_file(address, path)),
    )
    for kind, make in cases:
        if isinstance(error, kind):
            return make()
    response = getattr(error, "response", None)
    wait = retry_after(getattr(response, "headers", {}).get("Retry-After"))
    return _by_status(getattr(response, "status_code", 0), wait, shown)


def _by_status(status: int, wait: float | None, where: str) -> Exception:
    if status == 429:
        return AgainError("the Hub answers 'too many requests'", wait)
    if status in _PASSING:
        return AgainError(f"the Hub has a problem of its own (status {status})", wait)
    if status == 401:
        return HubError("the Hub does not accept your token", where=where, hint=_SIGN_IN)
    if status == 403:
        hint = "use a token that may read it"
        return HubError("your token may not read it (status 403)", where=where, hint=hint)
    return HubError(f"the Hub refuses the request (status {status})", where=where)


def no_file(address: HubAddress, path: str, near: str | None = None) -> HubError:
    """Return the error for a path that the repository does not hold; `near` is one that it does."""
    hint = f"did you mean {quoted(near)}?" if near else f"see what is in {address.repo}"
    return HubError(f"no {quoted(path)} at {address.repo}@{address.revision}", hint=hint)


def not_cached(address: HubAddress, path: str = "") -> HubError:
    """Return the error for what the cache does not hold while the network is switched off."""
    wanted = f"{quoted(path)} of {address.repo}" if path else str(address)
    return HubError(
        f"HF_HUB_OFFLINE is set, and {wanted} is not in the cache",
        hint="unset it, or run once with the network",
    )


def not_the_hub(address: HubAddress) -> HubError:
    """Return the error for an answer that no Hub gives."""
    hint = "is HF_ENDPOINT right, and is there a proxy?"
    return HubError("the answer is not the Hub's", where=str(address), hint=hint)


def _gated(shown: str) -> HubError:
    from huggingface_hub import constants

    return HubError(
        "the repository is gated, and you have no access to it",
        where=shown,
        hint=f"ask for it at {constants.ENDPOINT}/{shown}, then {_SIGN_IN}",
    )


def _no_revision(address: HubAddress) -> HubError:
    return NoRevisionError(
        f"no branch, tag or commit {quoted(address.revision)}",
        where=address.repo,
        hint="see the repository's list of branches and tags",
    )


def _no_repository(repo: str) -> HubError:
    return NoRepositoryError(
        f"no model {quoted(repo)} on the Hub that you can see, and no file or folder of that name",
        hint=f"check the name; for a private one {_SIGN_IN}",
    )


def _failed(error: BaseException, address: HubAddress, path: str) -> Exception:
    from huggingface_hub.errors import (
        FileMetadataError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
    )

    if isinstance(error, OfflineModeIsEnabled):
        return not_cached(address, path)
    if isinstance(error, LocalEntryNotFoundError):
        cause = error.__cause__
        if isinstance(cause, HfHubHTTPError):
            return _answered(cause, address, path)
        return not_the_hub(address) if isinstance(cause, FileMetadataError) else _unreachable()
    if isinstance(error, (*transport_errors(), ConnectionError, TimeoutError)):
        return _unreachable()
    code = getattr(error, "errno", None)
    reason = getattr(error, "strerror", None) or type(error).__name__
    if code in (errno.ENOSPC, errno.EDQUOT):
        hint = "make room, or set HF_HOME to another disk"
        return ResourceError("no room left in the cache of the Hub", where=address.repo, hint=hint)
    if code is None:
        return AgainError("what came is not the whole file")
    return HubError(f"the cache of the Hub cannot be used: {reason}", where=address.repo)


def _unreachable() -> NoAnswerError:
    from huggingface_hub import constants

    return NoAnswerError(f"no answer from {constants.ENDPOINT}; is the network up?")
