"""The part of the Hub that tells of branches, and copies large files between repositories."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

if TYPE_CHECKING:
    from tests.hub.repositories import Repo
    from tests.hub.server import Handler

_PLACE = re.compile(r"/api/models/([\w.-]+/[\w.-]+)/(branch|commits|paths-info)/([^/?]+)")
_REFS = re.compile(r"/api/models/([\w.-]+/[\w.-]+)/refs")
_DUPLICATE = re.compile(r"/api/models/([\w.-]+/[\w.-]+)/lfs-files/duplicate")


def route(handler: Handler, path: str) -> None:
    """Answer what no other part does."""
    repos = handler.server_hub.shelf.repos
    for pattern in (_PLACE, _REFS, _DUPLICATE):
        found = pattern.fullmatch(path)
        if found is None:
            continue
        if found[1] not in repos:
            return handler.refuse(404, "RepoNotFound")
        repo = repos[found[1]]
        if pattern is _REFS:
            return _refs(handler, repo)
        if pattern is _DUPLICATE:
            return _duplicate(handler, repo)
        answer = {"branch": _branch, "commits": _commits, "paths-info": _paths}[found[2]]
        return answer(handler, repo, unquote(found[3]))
    return handler.reply(404, b"", {})


def _branch(handler: Handler, repo: Repo, name: str) -> None:
    if name in repo.refs:
        return handler.reply(409, b"", {})
    repo.refs[name] = repo.refs["main"]
    return handler.json({})


def _commits(handler: Handler, repo: Repo, name: str) -> None:
    known = [one for one in reversed(repo.titles) if one in repo.commits]
    authors = [{"user": "someone-else"}]
    listed = [
        {"id": one, "authors": authors, "date": "2026-01-01T00:00:00.000Z", "message": ""}
        | {"title": repo.titles[one]}
        for one in known
    ]
    return handler.json(listed)


def _paths(handler: Handler, repo: Repo, name: str) -> None:
    commit = repo.resolve(name)
    if commit is None:
        return handler.refuse(404, "RevisionNotFound")
    wanted = parse_qs(handler.body.decode()).get("paths", [])
    files = repo.commits[commit]
    return handler.json([files[p].entry(p, xet=repo.xet) for p in wanted if p in files])


def _refs(handler: Handler, repo: Repo) -> None:
    def shown(ref: str, name: str) -> dict[str, str]:
        return {"name": name, "ref": ref, "targetCommit": repo.refs[ref]}

    pulls = [name for name in repo.refs if name.startswith("refs/pr/")]
    return handler.json(
        {
            "branches": [shown(name, name) for name in repo.refs if name not in pulls],
            "tags": [],
            "converts": [],
            "pullRequests": [shown(name, name.rpartition("/")[2]) for name in pulls],
        }
    )


def _duplicate(handler: Handler, repo: Repo) -> None:
    """Every large file is in one store here, so there is nothing to do but to look."""
    asked = json.loads(handler.body)
    known = {stored.oid for files in repo.commits.values() for stored in files.values()}
    missing = [one["sha256"] for one in asked["files"] if one["sha256"] not in known]
    return handler.json({"failed": [{"sha256": oid, "error": "not here"} for oid in missing]})
