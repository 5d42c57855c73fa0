"""What an address on the Hub says: repository, revision, file. Parses text and touches nothing.

`org/name[@revision]` or `hf://org/name[@revision][/path]`; a revision is a branch, a tag, a commit
or a reference such as refs/pr/1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from surgery.errors import HubError
from surgery.store.files import is_plain_name
from surgery.store.text import quoted

_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,95}"
_REVISION = r"refs/(?:pr|convert)/[A-Za-z0-9_-]+|[A-Za-z0-9][A-Za-z0-9_.+-]*"
_SHORT = re.compile(rf"(?P<repo>{_NAME}/{_NAME})(?:@(?P<revision>{_REVISION}|[^@]*))?")
_LONG = re.compile(
    rf"hf://(?P<repo>{_NAME}/{_NAME})(?:@(?P<revision>{_REVISION}))?(?:/(?P<path>.*))?"
)
# A mistyped path must not become a question to the Hub.
_MODEL_FILE = (".safetensors", ".ckpt", ".bin", ".pt", ".pth", ".gguf", ".json", ".dduf")
_OTHER_KINDS = ("hf://datasets/", "hf://spaces/", "hf://buckets/")


@dataclass(frozen=True, slots=True)
class HubAddress:
    """A place on the Hub.

    Args:
        repo: `org/name`.
        revision: branch, tag, commit or reference; "main" where none was given.
        path: a file or folder inside the repository, "" for all of it.
    """

    repo: str
    revision: str = "main"
    path: str = ""

    def __str__(self) -> str:
        """Return the shortest address that means this place."""
        if self.path:
            return f"hf://{self.repo}@{self.revision}/{self.path}"
        return f"{self.repo}@{self.revision}"


def parse(text: str) -> HubAddress | None:
    """Return the place on the Hub that `text` means, or None when it has another form.

    Raises:
        HubError: it begins with hf:// but names no model there, or its revision is none.
    """
    if text.startswith("hf://"):
        return _long(text)
    found = _SHORT.fullmatch(text)
    if found is None or text.endswith(_MODEL_FILE):
        return None
    revision = found["revision"]
    if revision is not None and not re.fullmatch(_REVISION, revision, re.ASCII):
        raise HubError(
            f"{quoted(revision)} is no revision",
            where=quoted(text),
            hint="give a branch, a tag, a commit or refs/pr/N",
        )
    return HubAddress(found["repo"], revision or "main")


def _long(text: str) -> HubAddress:
    found = _LONG.fullmatch(text)
    if text.startswith(_OTHER_KINDS) or found is None:
        raise HubError(
            f"{quoted(text)} names no model on the Hub",
            hint="write hf://ORG/NAME, hf://ORG/NAME@REVISION or hf://ORG/NAME@REVISION/FILE",
        )
    path = (found["path"] or "").rstrip("/")
    if path and not all(is_plain_name(part) for part in path.split("/")):
        raise HubError(f"{quoted(path)} is no path inside a repository", where=quoted(text))
    return HubAddress(found["repo"], found["revision"] or "main", path)
