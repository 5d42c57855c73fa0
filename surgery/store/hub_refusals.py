"""From what the Hub says to who writes to one sentence for the user. No request starts here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from surgery.errors import HubError, SurgeryError
from surgery.store.hub_address import HubAddress
from surgery.store.hub_errors import MovedError, not_the_hub, translated
from surgery.store.patience import AgainError, NoAnswerError, retry_after
from surgery.store.text import quoted, visible

_DUPLICATE = "/lfs-files/duplicate"


class NotCopiedError(Exception):
    """The Hub does not copy files between these repositories; they can be sent instead."""


@contextmanager
def written(address: HubAddress, token_name: str = "") -> Iterator[None]:
    """Turn every failure of writing inside into an error about `address`.

    Args:
        token_name: what the user calls the token that is used; never the token.

    Raises:
        AgainError: a failure that may pass; whether the work was done is not known.
        MovedError: the branch is elsewhere by now.
        NotCopiedError: the Hub did not copy files from another repository.
        HubError: any other one.
    """
    from huggingface_hub import errors

    try:
        with translated(address), _unwrapped():
            yield
    except HubError as error:
        cause = error.__cause__
        if isinstance(cause, errors.HfHubHTTPError):
            raise _answered(cause, error, address, token_name) from cause
        raise
    except getattr(errors, "FileDuplicationError", NotCopiedError) as error:
        raise NotCopiedError from error
    except ValueError as error:
        raise _refused(error, address) from error


@contextmanager
def _unwrapped() -> Iterator[None]:
    """The client wraps what went wrong with one file in an error that says less."""
    try:
        yield
    except SurgeryError:
        raise
    except RuntimeError as error:
        if isinstance(error.__cause__, Exception):
            raise error.__cause__ from None
        raise


def _answered(answer: Exception, said: HubError, address: HubAddress, token_name: str) -> Exception:
    response = getattr(answer, "response", None)
    status, shown = getattr(response, "status_code", 0), visible(address.repo)
    if _DUPLICATE in str(getattr(response, "url", "")):
        return NotCopiedError()
    if status == 409:
        # The Hub works on another commit to the same branch.
        return AgainError("the Hub is busy with another change of it", _wait(response))
    if status == 412:
        return MovedError("the branch moved meanwhile", where=f"{shown}@{address.revision}")
    if status == 403:
        own = f" {quoted(token_name)}" if token_name else ""
        hint = "make one with write access at the Hub's settings, or ask the owner"
        return HubError(f"your token{own} may not write to it (status 403)", where=shown, hint=hint)
    if status == 413:
        return HubError("the Hub takes no request of that size (status 413)", where=shown)
    return said


def _wait(response: object) -> float | None:
    return retry_after(getattr(response, "headers", {}).get("Retry-After"))


def _refused(error: ValueError, address: HubAddress) -> Exception:
    """Of an answer that cannot be read, or front matter that the Hub does not take."""
    text = visible(str(error))
    if "Invalid metadata" in text:
        return HubError(f"the Hub refuses the card: {quoted(text, 300)}", where=address.repo)
    if "LFS batch" in text:
        return HubError("the Hub refuses to store a file of weights", where=address.repo)
    return NoAnswerError(str(not_the_hub(address)))
