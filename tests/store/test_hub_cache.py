"""The Hub's cache: which commit it knows, and whether a file in it is what its hash says."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from surgery.errors import HubError
from surgery.store.hub_address import HubAddress
from surgery.store.hub_cache import check_digest, folder_of, known_commit, remember
from tests.hub.repositories import git_oid

COMMIT = "ab" * 20
DATA = bytes(range(256)) * 9000


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def test_a_revision_is_remembered_as_its_commit(cache: Path) -> None:
    address = HubAddress("org/name", "refs/pr/1")
    assert known_commit(address) is None
    remember(address, COMMIT)
    assert known_commit(address) == COMMIT
    assert (cache / "models--org--name" / "refs" / "refs" / "pr" / "1").read_text() == COMMIT


def test_a_commit_is_its_own_revision_and_needs_no_note(cache: Path) -> None:
    address = HubAddress("org/name", COMMIT)
    assert known_commit(address) == COMMIT
    remember(address, COMMIT)
    assert not list(cache.iterdir())
    assert folder_of(address) == cache / "models--org--name" / "snapshots" / COMMIT


@pytest.mark.parametrize("note", [b"main", b"\xff\xfe", b"../../etc"])
def test_a_note_that_is_no_commit_is_none(cache: Path, note: bytes) -> None:
    (cache / "models--org--name" / "refs").mkdir(parents=True)
    (cache / "models--org--name" / "refs" / "main").write_bytes(note)
    assert known_commit(HubAddress("org/name")) is None


@pytest.mark.parametrize("oid", [sha256(DATA).hexdigest(), git_oid(DATA)])
def test_a_file_with_its_hash_is_kept_and_a_false_one_goes(cache: Path, oid: str) -> None:
    blob, pointer = _cached(cache, oid)
    check_digest(pointer, oid, "org/name")
    assert pointer.exists()
    blob.write_bytes(DATA[:-1] + b"x")
    with pytest.raises(HubError, match="org/name: the bytes that came are not those"):
        check_digest(pointer, oid, "org/name")
    assert not pointer.is_symlink()
    assert not blob.exists()


def _cached(cache: Path, oid: str) -> tuple[Path, Path]:
    blob, pointer = cache / "m" / "blobs" / oid, cache / "m" / "snapshots" / COMMIT / "a.bin"
    for path in (blob, pointer):
        path.parent.mkdir(parents=True)
    blob.write_bytes(DATA)
    pointer.symlink_to(blob)
    return blob, pointer
