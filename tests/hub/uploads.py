"""The half of the Hub that takes files: create, preupload, LFS batch, PUT, commit."""

from __future__ import annotations

import base64
import json
import re
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tests.hub import branches
from tests.hub.repositories import LARGEST_REGULAR, Repo, Stored, is_lfs

if TYPE_CHECKING:
    from tests.hub.server import Handler

_PREUPLOAD = re.compile(r"/api/models/([\w.-]+/[\w.-]+)/preupload/([^/]+)")
_COMMIT = re.compile(r"/api/models/([\w.-]+/[\w.-]+)/commit/([^/]+)")
_BATCH = re.compile(r"/([\w.-]+/[\w.-]+)\.git/info/lfs/objects/batch")


def route(handler: Handler, path: str) -> None:
    """Answer a request that is no download."""
    if path == "/api/whoami-v2":
        return _whoami(handler)
    if path == "/api/repos/create":
        return _create(handler)
    if path == "/api/validate-yaml":
        return handler.json({"errors": [], "warnings": []})
    if path == "/lfs/verify":
        return handler.json({})
    for pattern, answer in ((_PREUPLOAD, _preupload), (_BATCH, _batch), (_COMMIT, _commit)):
        if found := pattern.fullmatch(path):
            return answer(handler, found)
    return branches.route(handler, path)


def _whoami(handler: Handler) -> None:
    token = {"displayName": "laptop", "role": "write"}
    answer = {"type": "user", "name": "org", "orgs": [], "auth": {"accessToken": token}}
    return handler.json(answer)


def put(handler: Handler) -> None:
    """Take a large file; it must have the hash in its address."""
    oid = handler.path.partition("?")[0].rpartition("/")[2]
    if sha256(handler.body).hexdigest() != oid:
        return handler.reply(400, b"", {})
    handler.server_hub.shelf.blobs[oid] = handler.body
    handler.server_hub.shelf.forgotten.discard(oid)
    return handler.reply(200, b"", {})


def _create(handler: Handler) -> None:
    asked = json.loads(handler.body)
    name = f"{asked.get('organization') or 'org'}/{asked['name']}"
    answer = {"url": f"{handler.server_hub.endpoint}/{name}"}
    if name in handler.server_hub.shelf.repos:
        return handler.json(answer, 409)
    private = asked.get("private") is True or asked.get("visibility") == "private"
    repo = handler.server_hub.shelf.repos[name] = Repo(private=private)
    repo.commit({".gitattributes": Stored(b"*.safetensors filter=lfs\n", False)})
    return handler.json(answer)


def _preupload(handler: Handler, found: re.Match[str]) -> None:
    files = json.loads(handler.body)["files"]
    repo = handler.server_hub.shelf.repos.get(found[1])
    if repo is None:
        return handler.refuse(404, "RepoNotFound")
    known = repo.commits[repo.refs[unquote(found[2])]]
    modes = [
        {
            "path": file["path"],
            "uploadMode": "lfs" if _is_large(file) else "regular",
            "shouldIgnore": False,
            "oid": known[file["path"]].oid if file["path"] in known else None,
        }
        for file in files
    ]
    return handler.json({"files": modes})


def _is_large(file: dict[str, object]) -> bool:
    return is_lfs(str(file["path"])) or int(str(file["size"])) > LARGEST_REGULAR


def _batch(handler: Handler, found: re.Match[str]) -> None:
    hub, objects = handler.server_hub, []
    for one in json.loads(handler.body)["objects"]:
        answer = {"oid": one["oid"], "size": one["size"]}
        if one["oid"] not in hub.shelf.blobs or one["oid"] in hub.shelf.forgotten:
            href = f"{hub.store}/lfs/{one['oid']}?signature=secret-place"
            verify = f"{hub.endpoint}/lfs/verify"
            answer["actions"] = {"upload": {"href": href}, "verify": {"href": verify}}
        objects.append(answer)
    return handler.json({"transfer": "basic", "objects": objects})


def _commit(handler: Handler, found: re.Match[str]) -> None:
    hub, repo = handler.server_hub, handler.server_hub.shelf.repos.get(found[1])
    if repo is None:
        return handler.refuse(404, "RepoNotFound")
    lines = [json.loads(line) for line in handler.body.splitlines() if line.strip()]
    said, branch = lines[0]["value"], unquote(found[2])
    parent, head = said.get("parentCommit"), repo.refs[branch]
    if parent is not None and parent != head:
        return handler.refuse(412, "")
    files = dict(repo.commits[head])
    for line in lines[1:]:
        value = line["value"]
        if line["key"] == "file":
            files[value["path"]] = Stored(base64.b64decode(value["content"]), False)
        elif line["key"] == "lfsFile":
            files[value["path"]] = Stored(hub.shelf.blobs[value["oid"]], True)
        else:
            files.pop(value["path"], None)
    number = sum(name.startswith("refs/pr/") for name in repo.refs) + 1
    asks = "create_pr=1" in handler.path
    reference = f"refs/pr/{number}" if asks else branch
    commit = repo.commit(files, reference, said["summary"])
    answer = {"commitUrl": f"{hub.endpoint}/{found[1]}/commit/{commit}", "commitOid": commit}
    if asks:
        answer["pullRequestUrl"] = f"{hub.endpoint}/{found[1]}/discussions/{number}"
    return handler.json(answer)
