"""A repository on the Hub at one commit: which files it holds, and fetching them whole.

The commit is looked up first and everything is asked of that commit: the Hub's client by itself
falls back to an older download when the Hub fails. Every file is hashed before it is used.
Tokens are handled by the Hub's own client alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from urllib.parse import quote

from surgery.errors import HubError
from surgery.store.files import is_plain_name, stamp
from surgery.store.hub_address import HubAddress
from surgery.store.hub_cache import COMMIT, check_digest, folder_of, known_commit, remember
from surgery.store.hub_errors import no_file, not_cached, not_the_hub, translated
from surgery.store.hub_session import headers_for, own_token, quiet, without_telemetry
from surgery.store.patience import PATIENCE, NoAnswerError
from surgery.store.text import nearest, quoted
from surgery.store.tree import walk

_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MOST_FILES = 100_000


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a repository: its path, its bytes, and its sha256 (LFS) or git blob hash.

    Args:
        shared: whether the Hub can copy it into another repository by itself.
    """

    path: str
    size: int
    oid: str
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository at one commit.

    Args:
        asked: the address as the user gave it.
        address: the same with the commit as its revision.
        files: path -> file, for every file of the commit; offline, for those in the cache.
        root: the folder of this commit in the cache, whether or not anything is in it.
    """

    asked: HubAddress
    address: HubAddress
    files: Mapping[str, RemoteFile]
    root: Path
    offline: bool

    def url(self, path: str) -> str:
        """Return where the Hub serves a file of this commit."""
        from huggingface_hub import hf_hub_url

        return hf_hub_url(self.address.repo, path, revision=self.address.revision)

    def cached(self, path: str) -> bool:
        """Whether the file is in the cache already."""
        return (self.root / path).is_file()

    def fetch(self, path: str, on_bytes: Callable[[int], None] | None = None) -> Path:
        """Return the file's place in the cache, downloaded if need be, and hashed.

        Raises:
            HubError: the repository has no such file, its bytes are not those of its hash, or the
                Hub does not give it.
            ResourceError: the cache's disk is full.
        """
        file = self.files.get(path)
        if file is None:
            raise self.missing(path)
        if not self.cached(path):
            PATIENCE.call(lambda: self._download(file, on_bytes), str(self.address))
            remember(self.asked, self.address.revision)
        if file.oid:
            check_digest(self.root / path, file.oid, f"{self.address}: {path}")
        return self.root / path

    def missing(self, path: str) -> HubError:
        """Return the error for a file that is not among `files`."""
        if self.offline:
            return not_cached(self.asked, path)
        return no_file(self.asked, path, nearest(path, self.files))

    def _download(self, file: RemoteFile, on_bytes: Callable[[int], None] | None) -> None:
        from huggingface_hub import get_hf_file_metadata, hf_hub_download

        without_telemetry()
        with translated(self.address, file.path), quiet():
            found = get_hf_file_metadata(self.url(file.path), token=own_token())
            # The answer's ETag becomes a file name in the cache: only a hash may.
            if found.etag != file.oid or found.size not in (None, file.size):
                raise HubError(
                    f"the Hub lists {quoted(file.path)} with the hash {file.oid} "
                    f"and serves it with {quoted(str(found.etag))}",
                    where=str(self.address),
                )
            hf_hub_download(
                self.address.repo,
                file.path,
                revision=self.address.revision,
                token=own_token(),
                tqdm_class=_bar(on_bytes),
            )


def resolve(asked: HubAddress) -> Repository:
    """Look up the commit that an address means, and its files.

    With HF_HUB_OFFLINE set that is the commit of the last download, and no request is made.

    Raises:
        HubError: no such repository or revision, no access, or no answer.
    """
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return _from_cache(asked)
    info = _json(asked, f"revision/{quote(asked.revision, safe='')}")[0]
    commit = info.get("sha") if isinstance(info, dict) else None
    if not isinstance(commit, str) or not COMMIT.fullmatch(commit):
        raise HubError("the Hub names no commit", where=str(asked), hint="is HF_ENDPOINT right?")
    address = replace(asked, revision=commit)
    entries = _json(address, f"tree/{commit}?recursive=true&expand=false")
    files = dict(_file(entry, address) for entry in entries if _is_file(entry))
    return Repository(asked, address, files, folder_of(address), offline=False)


def _from_cache(asked: HubAddress) -> Repository:
    commit = known_commit(asked)
    address = replace(asked, revision=commit or asked.revision)
    root = folder_of(address)
    if commit is None or not root.is_dir():
        raise not_cached(asked)
    files = {}
    for name in walk(root):
        # The cache names each blob by its hash.
        oid = (root / name).resolve().name
        files[name] = RemoteFile(name, stamp(root / name).size, oid if _OID.fullmatch(oid) else "")
    return Repository(asked, address, files, root, offline=True)


def _json(address: HubAddress, question: str) -> list[object]:
    """The answer of the Hub's API; of a list every page."""
    from huggingface_hub import constants

    url: str | None = f"{constants.ENDPOINT}/api/models/{address.repo}/{question}"
    found: list[object] = []
    while url is not None and len(found) < _MOST_FILES:
        page, url = PATIENCE.call(partial(_page, address, url), str(address))
        found += page
    return found


def _page(address: HubAddress, url: str) -> tuple[list[object], str | None]:
    from huggingface_hub import constants, get_session
    from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

    try:
        with translated(address):
            response = get_session().get(
                url, headers=headers_for(url), timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT
            )
            hf_raise_for_status(response)
    except NoAnswerError as error:
        # The first question of all: without a network it is better to say so at once.
        raise HubError(error.reason, where=str(address)) from error
    try:
        answer = response.json()
    except ValueError as error:
        raise not_the_hub(address) from error
    following = response.links.get("next", {}).get("url")
    if following is not None and not following.startswith(f"{constants.ENDPOINT}/"):
        raise HubError("the Hub's list goes on at another place", where=str(address))
    return (answer if isinstance(answer, list) else [answer]), following


def _is_file(entry: object) -> bool:
    return isinstance(entry, dict) and entry.get("type") == "file"


def _file(entry: object, address: HubAddress) -> tuple[str, RemoteFile]:
    assert isinstance(entry, dict)
    path, lfs = entry.get("path"), entry.get("lfs") or entry
    size, oid = (lfs.get("size"), lfs.get("oid")) if isinstance(lfs, dict) else (None, None)
    plain = isinstance(path, str) and all(is_plain_name(part) for part in path.split("/"))
    if not plain or type(size) is not int or size < 0 or not _OID.fullmatch(str(oid)):
        raise HubError(f"the Hub lists {quoted(str(path))}, which is no file", where=str(address))
    return str(path), RemoteFile(str(path), size, str(oid), bool(entry.get("xetHash")))


def _bar(on_bytes: Callable[[int], None] | None) -> type:
    """A progress bar class that draws nothing and passes the bytes on."""
    from huggingface_hub.utils import tqdm  # type: ignore[attr-defined]

    class Bar(tqdm):
        def __init__(self, *args: object, **kwargs: object) -> None:
            kwargs["disable"] = True
            super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> None:
            if on_bytes and n:
                on_bytes(int(n))

    return Bar
