"""A Hub on the loopback interface: two origins, the API and the store of large files, in threads.

Speaks as much of the Hub's protocol as huggingface_hub uses for models without Xet, from what its
source sends and expects. Every request is kept in `log`; `faults` makes some of them fail.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Event, Thread
from types import TracebackType
from urllib.parse import parse_qs, unquote, urlsplit

from tests.hub import uploads
from tests.hub.faults import Fault, Faults
from tests.hub.repositories import Repo, Shelf, Stored

PAGE = 50
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_RESOLVE = re.compile(r"/([\w.-]+/[\w.-]+)/resolve/([^/]+)/(.+)")
_MODEL = re.compile(r"/api/models/([\w.-]+/[\w.-]+)(?:/(revision|tree)/([^/?]+))?")


@dataclass(frozen=True)
class Request:
    """One request as it came; `sent` counts the bytes of the answer's body."""

    method: str
    origin: str
    path: str
    headers: dict[str, str]
    sent: list[int]


class Quiet(ThreadingHTTPServer):
    """A client that hangs up early is part of many tests, and no reason to print."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


class HubServer:
    """Use as a context; `endpoint` is what HF_ENDPOINT must be."""

    def __init__(self) -> None:
        self.shelf, self.faults, self.log = Shelf(), Faults(), list[Request]()
        self.at_request: Callable[[Request], object] = lambda request: None
        self.busy = 0
        self._stop, self._turn = Event(), Condition()
        self._servers = [self._serve("hub"), self._serve("store")]
        # Two host names: clients of version 1 take another port of one host for the same origin.
        self.endpoint, self.store = (
            f"http://{host}:{server.server_address[1]}"
            for host, server in zip(("127.0.0.1", "localhost"), self._servers, strict=True)
        )

    def _serve(self, origin: str) -> ThreadingHTTPServer:
        hub, name = self, origin

        class Bound(Handler):
            server_hub, origin, stop = hub, name, hub._stop

        server = Quiet(("127.0.0.1", 0), Bound)
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        return server

    def __enter__(self) -> HubServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stop.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """One request is being answered."""
        with self._turn:
            self.busy += 1
        try:
            yield
        finally:
            with self._turn:
                self.busy -= 1
                self._turn.notify_all()

    def settle(self) -> None:
        """Wait until every request that came is answered, also those of a client that is gone."""
        with self._turn:
            assert self._turn.wait_for(lambda: not self.busy, 10)

    def fail(self, *faults: Fault) -> None:
        """Fail from now on as said; without words, no more."""
        self.faults.all = list(faults)

    def sent(self, part: str) -> int:
        """Bytes of the bodies of all answers to GET requests whose path contains `part`."""
        return sum(sum(r.sent) for r in self.log if r.method == "GET" and part in r.path)


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    server_hub: HubServer
    origin: str
    stop: Event
    protocol_version = "HTTP/1.1"
    fault: Fault | None = None

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def _answer(self) -> None:
        with self.server_hub.at_work():
            self._take()
        if self.fault and self.fault.kind == "hang":
            self.stop.wait(30)

    def _take(self) -> None:
        headers = {key.lower(): value for key, value in self.headers.items()}
        self.request_log = Request(self.command, self.origin, self.path, headers, [])
        self.server_hub.log.append(self.request_log)
        self.fault = self.server_hub.faults.take(self.command, unquote(self.path))
        dropped = self.fault is not None and self.fault.kind == "drop"
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(self.fault.after if self.fault and dropped else length)
        self.server_hub.at_request(self.request_log)
        if dropped or (self.fault and self.fault.kind == "hang"):
            self.close_connection = True
        elif self.fault and self.fault.kind == "status":
            self.reply(self.fault.status, b"no", dict(self.fault.headers))
        else:
            self._route(urlsplit(self.path).path)

    def _route(self, path: str) -> None:
        if self.origin == "store":
            return uploads.put(self) if self.command == "PUT" else self._blob(path)
        if found := _RESOLVE.fullmatch(path):
            return self._resolve(found[1], unquote(found[2]), unquote(found[3]))
        if found := _MODEL.fullmatch(path):
            return self._model(found[1], found[2] or "revision", unquote(found[3] or "main"))
        return uploads.route(self, path)

    def _model(self, name: str, what: str, revision: str) -> None:
        repo = self._repo(name)
        if repo is None:
            return self.refuse(404, "RepoNotFound")
        commit = repo.resolve(revision)
        if commit is None:
            return self.refuse(404, "RevisionNotFound")
        if what == "revision":
            siblings = [{"rfilename": path} for path in sorted(repo.commits[commit])]
            told = {"id": name, "sha": commit, "gated": repo.gated, "siblings": siblings}
            return self.json(told)
        files = sorted(repo.commits[commit].items())
        entries = [stored.entry(path, xet=repo.xet) for path, stored in files]
        query = parse_qs(urlsplit(self.path).query)
        at = int(query.get("cursor", ["0"])[0])
        more = {}
        if at + PAGE < len(entries):
            url = f"{self.server_hub.endpoint}{urlsplit(self.path).path}?recursive=true"
            more["Link"] = f'<{url}&cursor={at + PAGE}>; rel="next"'
        folders = [{"type": "directory", "path": "unet", "oid": "0" * 40, "size": 0}]
        return self.json(folders + entries[at : at + PAGE], headers=more)

    def _resolve(self, name: str, revision: str, path: str) -> None:
        repo = self._repo(name)
        if repo is None:
            return self.refuse(404, "RepoNotFound")
        if repo.gated:
            return self.refuse(403, "GatedRepo")
        commit = repo.resolve(revision)
        if commit is None:
            return self.refuse(404, "RevisionNotFound")
        stored = repo.commits[commit].get(path)
        if stored is None:
            return self.refuse(404, "EntryNotFound")
        headers = {"X-Repo-Commit": commit, "ETag": f'"{self._etag(stored)}"'}
        if not stored.lfs:
            return self.content(stored.data, headers)
        headers |= {"X-Linked-Etag": headers["ETag"], "X-Linked-Size": str(len(stored.data))}
        headers["Location"] = f"{self.server_hub.store}/lfs/{stored.oid}?signature=secret-place"
        return self.reply(302, b"", headers)

    def _etag(self, stored: Stored) -> str:
        return "../../evil" if self.fault and self.fault.kind == "etag" else stored.oid

    def _repo(self, name: str) -> Repo | None:
        return self.server_hub.shelf.repos.get(name)

    def _blob(self, path: str) -> None:
        data = self.server_hub.shelf.blobs.get(path.rpartition("/")[2])
        if data is None:
            return self.refuse(404, "EntryNotFound")
        return self.content(data, {"ETag": f'"{path.rpartition("/")[2]}"'})

    def content(self, data: bytes, headers: dict[str, str]) -> None:
        """A file, or the range of it that is asked for."""
        kind = self.fault.kind if self.fault else ""
        asked = _RANGE.fullmatch(self.headers.get("Range") or "")
        if kind == "flip":
            data = (
                data[: len(data) // 2]
                + bytes([data[len(data) // 2] ^ 1])
                + data[len(data) // 2 + 1 :]
            )
        if asked is None or kind == "norange":
            return self.reply(200, data, headers)
        first = int(asked[1])
        end = min(int(asked[2]) + 1 if asked[2] else len(data), len(data))
        if kind == "shift":
            first, end = first + 1, end + 1
        headers["Content-Range"] = f"bytes {first}-{end - 1}/{len(data)}"
        if kind == "surplus":
            end += 1
        return self.reply(206, data[first:end], headers)

    def json(self, value: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """A JSON answer, unless the connection is to break before it."""
        self.reply(status, json.dumps(value).encode(), headers or {})

    def refuse(self, status: int, code: str) -> None:
        """A refusal as the Hub words it."""
        self.reply(status, b"", {"X-Error-Code": code, "X-Error-Message": code})

    def reply(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        """Status, headers and body; a fault may hang up in the middle."""
        kind = self.fault.kind if self.fault else ""
        if kind == "lose":
            self.close_connection = True
            return
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if kind == "cut" and self.fault:
            data = data[: self.fault.after]
            self.close_connection = True
        self.request_log.sent.append(len(data))
        self.wfile.write(data)
        if kind == "cut":
            self.wfile.flush()
            time.sleep(0.02)
