"""A LoRA for a model on the Hub: only what the edit reads comes, and the file is the local one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from surgery.store.address import ATELIER
from surgery.store.checkpoint import open_checkpoint
from tests.hub.client import Client
from tests.hub.server import HubServer


@pytest.mark.usefixtures("no_cache")
def test_only_what_the_edit_reads_is_fetched_and_the_lora_is_the_local_one(
    hub: HubServer, client: Client, atelier: str, edit: Path, tmp_path: Path
) -> None:
    words = ("lora", edit, "--format", "json", "-o")
    far, near = tmp_path / "far.safetensors", tmp_path / "near.safetensors"
    done = client.run(*words, far, "-m", f"org/atelier@{atelier}")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    asked = [request for request in hub.log if request.origin == "store"]
    assert found["fetched"] == hub.sent("/lfs/") > 0
    assert found["requests"] == len(asked)
    assert found["fetched"] < open_checkpoint(ATELIER).total_bytes / 20
    assert not list(client.cache.rglob("*.safetensors"))
    assert client.run(*words, near, "-m", "atelier").code == 0
    assert far.read_bytes() == near.read_bytes()


@pytest.mark.usefixtures("no_cache")
def test_the_page_tells_how_much_was_fetched(
    hub: HubServer, client: Client, atelier: str, edit: Path
) -> None:
    done = client.run("lora", edit, "--dry-run", "-m", f"org/atelier@{atelier}")
    assert done.code == 0, done.err
    assert "fetched " in done.out
    assert "requests" in done.out
