"""Pickles and DDUF files on the Hub: they come whole, through the cache, and only with leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.dduf import records, write_dduf
from tests.helpers.pickles import as_pickles, save, weights
from tests.helpers.tiny import write_pipeline
from tests.hub.client import Client, Done
from tests.hub.faults import Fault
from tests.hub.samples import COPY, refusal
from tests.hub.server import HubServer
from tests.store.build import contents

NARROW = """
version: 1
name: narrow
edits:
  - method: quickfix
    concepts: [{erase: van gogh, target: painting}]
    preserve: [monet]
    preserve_defaults: false
    positions: last
    ridge: 1e-4
"""


@pytest.fixture
def pickle(hub: HubServer, tmp_path: Path) -> bytes:
    data = save(tmp_path / "m.ckpt", weights()).read_bytes()
    hub.shelf.add("org/old", {"m.ckpt": data, "README.md": b"#"})
    return data


def test_a_pickle_is_not_even_fetched_without_leave(
    hub: HubServer, client: Client, pickle: bytes
) -> None:
    for address in ("hf://org/old/m.ckpt", "org/old"):
        said = refusal(client.run("inspect", address), 2)
        assert "--allow-pickle reads it" in said
    assert hub.sent("/lfs/") == 0


def test_a_pickle_comes_whole_is_hashed_and_converted(
    hub: HubServer, client: Client, pickle: bytes, copy: Path, tmp_path: Path
) -> None:
    words = ("apply", copy, "--allow-pickle", "-m", "hf://org/old/m.ckpt")
    hub.fail(Fault("flip", path="/lfs/"))
    flipped = client.run(*words, "-o", tmp_path / "no.safetensors")
    assert flipped.code == 4
    assert "not those of the file's hash; they were thrown away" in flipped.err
    hub.fail()
    done = client.run(*words, "-o", tmp_path / "out.safetensors")
    assert done.code == 0, done.err
    assert "downloading all of" in done.err
    hub.log.clear()
    assert "10 tensors" in client.run("inspect", "org/old", "--allow-pickle").out
    assert hub.sent("/lfs/") == 0
    assert not (tmp_path / "no.safetensors").exists()


def test_a_dduf_file_is_edited_as_a_local_one_and_never_in_place(
    hub: HubServer, client: Client, edit: Path, tmp_path: Path
) -> None:
    local = write_dduf(tmp_path / "m.dduf", records(write_pipeline(tmp_path / "in")))
    hub.shelf.add("org/dduf", {"m.dduf": local.read_bytes()})
    edit.write_text(NARROW, "utf-8")
    for address, out in (("hf://org/dduf/m.dduf", "remote.dduf"), (local, "local.dduf")):
        done = client.run("apply", edit, "-m", address, "-o", tmp_path / out)
        assert done.code == 0, done.err
    assert (tmp_path / "remote.dduf").read_bytes() == (tmp_path / "local.dduf").read_bytes()
    for address in ("org/dduf", local):
        words = ("--in-place", "--undo-file", tmp_path / "undo")
        said = refusal(client.run("apply", edit, "-m", address, *words), 2)
        assert "a model of kind dduf cannot be edited in place" in said


def test_a_repository_of_pickles_is_edited_with_leave_and_copied_as_it_is(
    hub: HubServer, client: Client, copy: Path, tmp_path: Path
) -> None:
    folder = as_pickles(write_pipeline(tmp_path / "in"), "unet", "vae")
    as_pickles(folder, "text_encoder", shards=2)
    hub.shelf.add_folder("org/bins", folder)
    assert "are pickles only; --allow-pickle" in refusal(client.run("inspect", "org/bins"), 2)
    words = ("apply", copy, "-m", "org/bins", "--allow-pickle", "-o", tmp_path / "out")
    assert "the cache of downloads is not for" in refusal(_last(client.run(*words, "--link")), 2)
    done = client.run(*words)
    assert done.code == 0, done.err
    assert contents(tmp_path / "out") == contents(folder)


def _last(done: Done) -> Done:
    return Done(done.code, done.out, done.err.splitlines()[-1])


def test_a_component_of_pickles_is_carried_along_from_the_hub(
    hub: HubServer, client: Client, copy: Path, tmp_path: Path
) -> None:
    folder = as_pickles(write_pipeline(tmp_path / "in"), "vae")
    hub.shelf.add_folder("org/mixed", folder, **{"unet/diffusion_pytorch_model.bin": b"twin"})
    done = client.run("apply", copy, "-m", "org/mixed", "-o", tmp_path / "out")
    assert done.code == 0, done.err
    assert contents(tmp_path / "out") == contents(folder)


def test_offline_a_pickle_is_read_from_the_cache(tmp_path: Path) -> None:
    (tmp_path / "copy.yaml").write_text(COPY, encoding="utf-8")
    data = save(tmp_path / "m.ckpt", weights()).read_bytes()
    words = ("inspect", "hf://org/old/m.ckpt", "--allow-pickle")
    with HubServer() as hub:
        hub.shelf.add("org/old", {"m.ckpt": data})
        with Client(hub.endpoint, tmp_path) as client:
            assert client.run(*words).code == 0
        hub.log.clear()
        with Client(hub.endpoint, tmp_path, HF_HUB_OFFLINE="1") as client:
            assert "10 tensors" in client.run(*words).out
            never = client.run("inspect", "hf://org/old/n.ckpt", "--allow-pickle")
        assert not hub.log
    assert "'n.ckpt' of org/old is not in the cache" in refusal(never)
