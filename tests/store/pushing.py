"""What is pushed in the tests: an edit of the built-in model, made once."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from tests.hub.client import Client, Done
from tests.hub.repositories import Repo
from tests.hub.server import HubServer
from tests.store.build import contents

WEIGHTS = 3


def made(client: Client, edit: Path, out: Path, *more: object) -> Path:
    """An edited model."""
    done = client.run("apply", edit, "-o", out, *more)
    assert done.code == 0, done.err
    return out


def held(repo: Repo, revision: str = "main") -> dict[str, bytes]:
    """Path -> bytes of what is on a branch."""
    return {path: one.data for path, one in repo.commits[repo.refs[revision]].items()}


def is_whole(repo: Repo, out: Path) -> bool:
    """Whether a branch holds a model and its card."""
    there = {path: sha256(data).hexdigest() for path, data in held(repo).items()}
    own = contents(out)
    return own.items() <= there.items() and "README.md" in there


def sent_weights(hub: HubServer) -> int:
    """How many files of weights were sent."""
    return sum(request.method == "PUT" for request in hub.log)


def writes(hub: HubServer) -> list[str]:
    """Every request that changes something."""
    quiet = ("/preupload/", "/paths-info/", "/validate-yaml", "/objects/batch")
    return [
        r.path
        for r in hub.log
        if r.method in ("PUT", "POST") and not any(part in r.path for part in quiet)
    ]


def said(done: Done) -> Mapping[str, str]:
    return {"out": done.out, "err": done.err}
