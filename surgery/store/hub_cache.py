"""The Hub's own cache on this machine: where things lie in it, which commit, and whether whole.

The layout is huggingface_hub's: models--ORG--NAME/{blobs,refs,snapshots/COMMIT}. Makes no request.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from hashlib import file_digest, sha1
from pathlib import Path
from secrets import token_hex

from surgery.errors import HubError
from surgery.store.files import opened, stamp, unreadable
from surgery.store.hub_address import HubAddress

COMMIT = re.compile(r"[0-9a-f]{40}")


def _storage(repo: str) -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE) / f"models--{repo.replace('/', '--')}"


def folder_of(address: HubAddress) -> Path:
    """Return the folder of a commit; it need not exist."""
    return _storage(address.repo) / "snapshots" / address.revision


def known_commit(address: HubAddress) -> str | None:
    """Return the commit that the revision meant when it was last downloaded, None if never."""
    if COMMIT.fullmatch(address.revision):
        return address.revision
    try:
        commit = (_storage(address.repo) / "refs" / address.revision).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return commit if COMMIT.fullmatch(commit) else None


def remember(address: HubAddress, commit: str) -> None:
    """Note which commit a revision means, so that it is found again without the network."""
    if address.revision == commit or known_commit(address) == commit:
        return
    place = _storage(address.repo) / "refs" / address.revision
    own = place.with_name(f".{place.name}-{token_hex(4)}")
    # A cache that may only be read still serves; it then has no note.
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        own.write_text(commit, encoding="utf-8")
        own.replace(place)


def check_digest(path: Path, oid: str, where: str) -> None:
    """Raise HubError unless the file has the hash `oid`; a false one is taken out of the cache.

    Args:
        oid: sha256 of the bytes (64 digits) or git's hash of the blob (40 digits).
    """
    if _digest(path, len(oid)) == oid:
        return
    _discard(path)
    raise HubError(
        "the bytes that came are not those of the file's hash",
        where=where,
        hint="they were thrown away; run again",
    )


def _digest(path: Path, digits: int) -> str:
    size = stamp(path).size
    with opened(path) as descriptor, os.fdopen(os.dup(descriptor), "rb") as file:
        try:
            if digits == 64:
                return file_digest(file, "sha256").hexdigest()
            digest = sha1(f"blob {size}\0".encode(), usedforsecurity=False)
            while piece := file.read(1 << 20):
                digest.update(piece)
        except OSError as error:
            raise unreadable(path, error) from error
    return digest.hexdigest()


def _discard(path: Path) -> None:
    with suppress(OSError):
        blob = path.resolve()
        path.unlink()
        if "blobs" in blob.parts:
            blob.unlink()
