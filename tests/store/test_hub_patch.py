"""A patch of a model on the Hub: only what the edit reads comes, and the patch is the local one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from surgery.patches import read_patch
from surgery.report import Record
from surgery.store.address import ATELIER
from surgery.store.checkpoint import open_checkpoint
from surgery.store.ranges import GAP
from tests.hub.client import Client
from tests.hub.faults import Fault
from tests.hub.samples import refusal
from tests.hub.server import HubServer
from tests.store.build import contents

HEAD = 96 * 1024


@pytest.mark.usefixtures("no_cache")
def test_only_headers_and_the_tensors_that_the_edit_reads_are_fetched(
    hub: HubServer, client: Client, atelier: str, edit: Path, tmp_path: Path
) -> None:
    words = ("apply", edit, "--format", "json", "--save-patch")
    done = client.run(*words, tmp_path / "remote", "-m", f"org/atelier@{atelier}")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    asked = [request for request in hub.log if request.origin == "store"]
    assert all("range" in request.headers for request in asked)
    assert found["fetched"] == hub.sent("/lfs/")
    assert found["requests"] == len(asked) < 12
    local = open_checkpoint(ATELIER)
    heads = sum(min(HEAD, stamp.size) for n, stamp in local.stamps.items() if n in local.headers)
    names = {name for one in found["plan"]["edits"] for name in (*one["reads"], *one["changes"])}
    needed = sum(local[name].nbytes for name in names)
    assert found["fetched"] <= heads + needed + GAP * len(asked)
    assert found["fetched"] < local.total_bytes / 20
    assert not list(client.cache.rglob("*.safetensors"))
    local_run = client.run(*words, tmp_path / "local", "-m", "atelier")
    assert local_run.code == 0, local_run.err
    remote, own = read_patch(tmp_path / "remote"), read_patch(tmp_path / "local")
    # Their records name the model as it was named; all else is the same.
    base = [Record.from_json(one.records[1]).base.address for one in (remote, own)]
    assert base == [f"org/atelier@{atelier}", "atelier"]
    after = [[each.after for each in one.tensors] for one in (remote, own)]
    assert after[0] == after[1]
    assert (remote.metadata, remote.headers) == (own.metadata, own.headers)


@pytest.mark.usefixtures("no_cache")
def test_the_matrices_of_many_layers_come_by_few_requests(
    hub: HubServer, client: Client, atelier: str, tmp_path: Path
) -> None:
    words = ("apply", "uce_r2d2", "--format", "json", "--save-patch", tmp_path / "p.safetensors")
    done = client.run(*words, "-m", f"org/atelier@{atelier}")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    asked = [request for request in hub.log if request.origin == "store"]
    assert found["requests"] == len(asked) < len(found["plan"]["edits"][0]["changes"])


@pytest.mark.usefixtures("no_cache")
def test_bytes_and_requests_are_told_and_cut_connections_are_borne(
    hub: HubServer, client: Client, atelier: str, edit: Path, tmp_path: Path
) -> None:
    hub.fail(Fault("cut", path="/lfs/", times=2, after=5_000))
    words = ("--save-patch", tmp_path / "p.safetensors", "-m", f"org/atelier@{atelier}")
    done = client.run("apply", edit, *words)
    assert done.code == 0, done.err
    assert "fetched " in done.out
    assert "requests" in done.out
    assert (tmp_path / "p.safetensors").exists()


def test_a_patch_is_applied_to_a_model_on_the_hub_and_a_wrong_one_downloads_nothing(
    hub: HubServer, client: Client, atelier: str, edit: Path, tmp_path: Path
) -> None:
    kept, place = tmp_path / "p.safetensors", f"org/atelier@{atelier}"
    assert client.run("apply", edit, "--save-patch", kept, "-m", "atelier").code == 0
    hub.shelf.add("org/small", {"model.safetensors": (kept.read_bytes())})
    hub.log.clear()
    wrong = client.run("patch", "apply", kept, "org/small", "-o", tmp_path / "x")
    assert "the patch is for another model" in refusal(wrong, 2)
    assert hub.sent("/lfs/") < 2 * HEAD
    linked = client.run("patch", "apply", kept, place, "-o", tmp_path / "x", "--link")
    assert "the cache of downloads is not for sharing" in refusal(linked, 2)
    done = client.run("patch", "apply", kept, place, "-o", tmp_path / "remote")
    assert done.code == 0, done.err
    assert client.run("patch", "apply", kept, "atelier", "-o", tmp_path / "local").code == 0
    written = contents(tmp_path / "remote")
    assert written.pop("README.md")
    assert written == contents(tmp_path / "local")
