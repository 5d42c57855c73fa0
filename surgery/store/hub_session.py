"""What is sent with a request to the Hub: the token to its endpoint alone, and no telemetry."""

from __future__ import annotations

from urllib.parse import urlsplit


def headers_for(url: str) -> dict[str, str]:
    """Return the headers of a request; the user's token is among them for the endpoint only."""
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    without_telemetry()
    found: dict[str, str] = build_hf_headers(token=None if at_endpoint(url) else False)
    return found


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
