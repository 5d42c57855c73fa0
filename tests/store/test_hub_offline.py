"""Without the network: the cache alone, a clear sentence, and local work that never needs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.hub.client import ROOT, Client
from tests.hub.faults import Fault
from tests.hub.samples import COPY, EDIT, SMALL, refusal
from tests.hub.server import HubServer
from tests.store.build import contents, write_pipeline

BLOCKED = """
import socket, sys
def refuse(*words, **more):
    raise AssertionError("a socket was opened")
socket.socket = socket.create_connection = socket.getaddrinfo = refuse
sys.modules["huggingface_hub"] = None
from surgery.cli import main
sys.exit(main(sys.argv[1:]))
"""
PUSH = """
import sys
from huggingface_hub import HfApi
api = HfApi()
api.create_repo("org/pushed")
api.upload_folder(repo_id="org/pushed", folder_path=sys.argv[1])
"""
UNSHARE = ("unshare", "--map-root-user", "--net")


def _can_unshare() -> bool:
    if not shutil.which(UNSHARE[0]):
        return False
    return subprocess.run([*UNSHARE, "true"], capture_output=True).returncode == 0


def test_offline_the_cache_serves_and_nothing_is_asked(tmp_path: Path) -> None:
    write_pipeline(tmp_path / "in")
    (tmp_path / "copy.yaml").write_text(COPY, encoding="utf-8")
    words = ("apply", tmp_path / "copy.yaml", "-m", "org/name")
    with HubServer() as hub:
        commit = hub.shelf.add_folder("org/name", tmp_path / "in")
        hub.shelf.add("org/seen", {"model.safetensors": SMALL})
        with Client(hub.endpoint, tmp_path) as client:
            assert client.run(*words, "-o", tmp_path / "online").code == 0
            client.run("inspect", "org/seen")
        hub.log.clear()
        with Client(hub.endpoint, tmp_path, HF_HUB_OFFLINE="1") as client:
            done = client.run(*words, "-o", tmp_path / "offline")
            assert done.code == 0, done.err
            pinned = client.run("inspect", f"org/name@{commit}")
            never, seen = client.run("inspect", "org/never"), client.run("inspect", "org/seen")
            _lose_a_component(client.cache)
            torn = client.run("inspect", "org/name")
        assert not hub.log
    assert contents(tmp_path / "offline") == contents(tmp_path / "online")
    assert f"org/name@{commit}" in pinned.out
    said = "HF_HUB_OFFLINE is set, and org/never@main is not in the cache; unset it, or run once"
    assert said in refusal(never)
    assert "org/seen@main is not in the cache" in refusal(seen)
    assert "'unet' of org/name is not in the cache" in refusal(torn)


def _lose_a_component(cache: Path) -> None:
    for path in cache.glob("models--org--name/snapshots/*/unet/*.index.json"):
        path.unlink()
    for path in cache.glob("models--org--name/snapshots/*/unet/*.safetensors"):
        path.unlink()


def test_a_network_that_is_down_is_told_in_one_sentence(tmp_path: Path) -> None:
    with Client("http://127.0.0.1:9", tmp_path) as client:
        said = refusal(client.run("inspect", "org/name"))
    assert "no answer from http://127.0.0.1:9; is the network up?" in said


def test_a_hub_that_never_answers_is_told_in_one_sentence_after_a_while(tmp_path: Path) -> None:
    with HubServer() as hub:
        hub.shelf.add("org/name", {"model.safetensors": SMALL})
        hang = Fault("hang", path="/api/"), Fault("hang", path="/lfs/")
        with Client(hub.endpoint, tmp_path, HF_HUB_DOWNLOAD_TIMEOUT="1") as client:
            for fault, tries in zip(hang, (1, 5), strict=True):
                hub.fail(fault)
                began = time.monotonic()
                said = refusal(client.run("inspect", "org/name"))
                assert f"no answer from {hub.endpoint}; is the network up?" in said
                assert tries <= time.monotonic() - began < tries * 4 + 5


@pytest.mark.skipif(not _can_unshare(), reason="no network namespace may be made here")
def test_the_main_job_needs_no_network_at_all(tmp_path: Path) -> None:
    recipe = tmp_path / "edit.yaml"
    recipe.write_text(EDIT, encoding="utf-8")
    command = [sys.executable, "-m", "surgery", "apply", str(recipe), "-o", str(tmp_path / "out")]
    done = subprocess.run(
        [*UNSHARE, *command],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "model_index.json").is_file()


def test_the_main_job_on_this_machine_opens_no_socket_and_needs_no_client(tmp_path: Path) -> None:
    recipe = tmp_path / "edit.yaml"
    recipe.write_text(EDIT, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, "apply", str(recipe), "-o", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "model_index.json").is_file()


def test_the_socket_test_can_fail(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, "inspect", "org/name"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 1


@pytest.mark.parametrize("again", [1, 2])
def test_what_the_clients_own_upload_sends_can_be_read_back(tmp_path: Path, again: int) -> None:
    write_pipeline(tmp_path / "in")
    with HubServer() as hub, Client(hub.endpoint, tmp_path) as client:
        env = os.environ | client.environment
        for _ in range(again):
            push = PUSH.replace('("org/pushed")', '("org/pushed", exist_ok=True)', 1)
            subprocess.run(
                [sys.executable, "-c", push, str(tmp_path / "in")],
                env=env,
                check=True,
                capture_output=True,
            )
        done = client.run("inspect", "org/pushed")
        sent = [r for r in hub.log if r.method == "PUT"]
    assert done.code == 0, done.err
    assert "4 tensors" in done.out
    assert len(sent) == 3
