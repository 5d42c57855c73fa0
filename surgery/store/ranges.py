"""Ranges of a file on the Hub, by HTTP, exactly those asked for. Decodes nothing, stores nothing.

Some servers and proxies ignore a Range header and send another part of the file. Bytes are used
only from an answer 206 whose Content-Range and length are those of the question.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from surgery.errors import HubError
from surgery.store.hub_address import HubAddress
from surgery.store.hub_errors import translated
from surgery.store.hub_session import headers_for
from surgery.store.patience import PATIENCE, AgainError, Patience
from surgery.store.text import quoted

if TYPE_CHECKING:
    from httpx2 import Response

Span = tuple[int, int]
# Bytes that are cheaper to receive and drop than to pay for with another round trip.
GAP = 256 * 1024
_AT_ONCE = 8
_KEPT = 256 << 20
_LEAST_PROGRESS = 4096


def coalesce(spans: Iterable[Span], gap: int = GAP) -> tuple[Span, ...]:
    """Return the fewest spans that cover `spans`, in order, joining those at most `gap` apart.

    Args:
        spans: (first byte, end), end not included; empty ones are left out.
    """
    joined: list[Span] = []
    for first, end in sorted(span for span in spans if span[0] < span[1]):
        if joined and first - joined[-1][1] <= gap:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((first, end))
    return tuple(joined)


class RangeReader:
    """Reads parts of one file of a fixed commit; what was read stays in memory up to 256 MB.

    Args:
        address: what errors name.
        url: where the file is on the Hub; may redirect to another host.
        size: bytes of the whole file, as the repository states it.
        patience: how failures that may pass are borne.
    """

    def __init__(
        self, address: HubAddress, url: str, size: int, patience: Patience = PATIENCE
    ) -> None:
        self._address, self._url, self._size, self._patience = address, url, size, patience
        self._location = url
        self._kept: dict[Span, bytes] = {}
        self._lock = Lock()
        self.fetched = 0
        self.requests = 0

    def read(self, start: int, count: int) -> bytes:
        """Return exactly `count` bytes from `start` on.

        Raises:
            HubError: the file ends before, the server does not send what was asked for, or fails.
        """
        (data,) = self.read_many([(start, start + count)])
        return data

    def read_many(self, spans: Iterable[Span]) -> list[bytes]:
        """Return the bytes of each span, by as few requests as are worth it."""
        wanted = list(spans)
        for first, end in wanted:
            if not 0 <= first <= end <= self._size:
                raise self._refused(f"bytes {first} to {end} lie outside its {self._size} bytes")
        held = {span: data for span in wanted if (data := _cut(span, self._kept)) is not None}
        found = self._fetch_all(coalesce(span for span in wanted if span not in held))
        self._keep(found)
        return [held[span] if span in held else _cut(span, found) or b"" for span in wanted]

    def prepare(self, spans: Iterable[Span]) -> None:
        """Fetch spans that will be read one by one, with fewer requests; too much is left alone."""
        wanted = list(spans)
        if sum(end - first for first, end in wanted) <= _KEPT:
            self.read_many(wanted)

    def _keep(self, found: dict[Span, bytes]) -> None:
        self._kept.update(found)
        while sum(map(len, self._kept.values())) > _KEPT:
            del self._kept[next(iter(self._kept))]

    def _fetch_all(self, spans: tuple[Span, ...]) -> dict[Span, bytes]:
        if len(spans) < 2:
            return {span: self._fetch(span) for span in spans}
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(min(_AT_ONCE, len(spans))) as pool:
            return dict(zip(spans, pool.map(self._fetch, spans), strict=True))

    def _fetch(self, span: Span) -> bytes:
        data = bytearray()
        while len(data) < span[1] - span[0]:
            self._patience.call(partial(self._step, span, data), str(self._address))
        return bytes(data)

    def _step(self, whole: Span, data: bytearray) -> None:
        """Append what one request brings; an answer that breaks off after a good part is kept."""
        before = len(data)
        span = (whole[0] + before, whole[1])
        try:
            with translated(self._address, self._address.path), self._asked(span) as response:
                self._check(response, span)
                for piece in response.iter_raw():
                    self._count(len(piece))
                    data += piece
        except AgainError:
            if len(data) - before < _LEAST_PROGRESS:
                raise
        surplus = len(data) - before - (span[1] - span[0])
        if surplus > 0:
            raise self._refused(f"the server sent {surplus} bytes more than it was asked for")

    @contextmanager
    def _asked(self, span: Span) -> Iterator[Response]:
        from huggingface_hub import constants, get_session

        headers = {"Range": f"bytes={span[0]}-{span[1] - 1}", "Accept-Encoding": "identity"}
        location = self._location
        headers |= headers_for(location)
        self._count(0, requests=1)
        with get_session().stream(
            "GET", location, headers=headers, timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT
        ) as response:
            self._moved(location, response)
            yield response

    def _moved(self, location: str, response: Response) -> None:
        if response.status_code < 400:
            self._location = str(response.url)
        elif location != self._url:
            # A signed place expires; the next try asks the Hub for a new one.
            self._location = self._url
            raise AgainError("the place of the file has expired", 0.0)

    def _check(self, response: Response, span: Span) -> None:
        from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

        if response.status_code >= 400:
            response.read()
            hf_raise_for_status(response)
        if response.status_code != 206:
            raise self._refused("the server or a proxy does not send parts of files")
        expected = f"bytes {span[0]}-{span[1] - 1}/{self._size}"
        given = response.headers.get("Content-Range", "")
        if given.strip() != expected:
            problem = f"the server sent {quoted(given)} where {quoted(expected)} was asked for"
            raise self._refused(problem)
        length = response.headers.get("Content-Length", str(span[1] - span[0]))
        if length != str(span[1] - span[0]) or response.headers.get("Content-Encoding"):
            raise self._refused("the server sent another number of bytes than it was asked for")

    def _count(self, count: int, requests: int = 0) -> None:
        with self._lock:
            self.fetched += count
            self.requests += requests

    def _refused(self, problem: str) -> HubError:
        hint = "nothing of it was used; try another network"
        return HubError(problem, where=str(self._address), hint=hint)


def _cut(span: Span, found: dict[Span, bytes]) -> bytes | None:
    for (first, end), data in found.items():
        if first <= span[0] and span[1] <= end:
            return data[span[0] - first : span[1] - first]
    return None
