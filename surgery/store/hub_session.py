"""What is sent with a request to the Hub: the token to its endpoint alone, and no telemetry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from urllib.parse import urlsplit

_TOKEN: ContextVar[str | None] = ContextVar("token", default=None)


def headers_for(url: str) -> dict[str, str]:
    """Return the headers of a request; the user's token is among them for the endpoint only."""
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    without_telemetry()
    found: dict[str, str] = build_hf_headers(token=own_token() if at_endpoint(url) else False)
    return found


@contextmanager
def signed_in(token: str | None) -> Iterator[None]:
    """Use this token for the requests inside; None leaves it to the Hub's client, as outside."""
    before = _TOKEN.set(token)
    try:
        yield
    finally:
        _TOKEN.reset(before)


def own_token() -> str | None:
    """The token of `signed_in`; None where the Hub's client looks for the user's."""
    return _TOKEN.get()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the client's log off the screen: it names signed places, which are keys to files."""
    import logging as levels

    from huggingface_hub.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity(levels.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)


def without_telemetry() -> None:
    """Keep the Hub's client from asking and telling anything that nobody asked it for.

    Left alone it fetches a list of programs once a day, and names the one it finds itself under.
    """
    from huggingface_hub import constants

    constants.HF_HUB_DISABLE_TELEMETRY = True


def at_endpoint(url: str) -> bool:
    """Return whether `url` has the scheme, host and port of the Hub's endpoint."""
    from huggingface_hub import constants

    asked, own = urlsplit(url), urlsplit(constants.ENDPOINT)
    return (asked.scheme, asked.netloc) == (own.scheme, own.netloc)
