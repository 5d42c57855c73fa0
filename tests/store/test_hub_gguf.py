"""A GGUF file on the Hub: looked at by its first bytes, never downloaded, never edited."""

from __future__ import annotations

import json
from pathlib import Path

from tests.helpers.gguf import body, entry, gguf, number, tensor
from tests.hub.client import Client
from tests.hub.repositories import Sparse
from tests.hub.samples import refusal
from tests.hub.server import HubServer

PLACE = "hf://org/quantised/flux.gguf"


def test_inspect_shows_what_it_shows_of_the_same_file_here(
    hub: HubServer, client: Client, tmp_path: Path
) -> None:
    commit = hub.shelf.add("org/quantised", {"flux.gguf": gguf()})
    (tmp_path / "flux.gguf").write_bytes(gguf())
    for form in ("human", "json", "quiet"):
        done = client.run("inspect", PLACE, "--format", form)
        local = client.run("inspect", tmp_path / "flux.gguf", "--format", form)
        assert (done.code, done.err) == (local.code, local.err) == (0, "")
        shown = f"hf://org/quantised@{commit}/flux.gguf"
        assert done.out == local.out.replace(str(tmp_path / "flux.gguf"), shown)
    assert not [path for path in client.cache.rglob("*.gguf")]


def test_of_a_large_file_only_the_header_comes(hub: HubServer, client: Client) -> None:
    names = number("I", 4) + number("Q", 1_000_000) + bytes(4_000_000)
    head = body([entry("tokens", 9, names)], [tensor("a.weight", (256, 2), 12)])
    hub.shelf.add("org/quantised", {"flux.gguf": Sparse(head, 9_000_000_000)})
    done = client.run("inspect", PLACE, "--format", "json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert (found["nbytes"], found["metadata"]["tokens"]) == (9_000_000_000, "a list of 1,000,000")
    assert hub.sent("/lfs/") < 2 * len(head)


def test_one_that_another_program_downloaded_is_read_where_it_lies(
    hub: HubServer, client: Client
) -> None:
    commit = hub.shelf.add("org/quantised", {"flux.gguf": gguf() + b"cached"})
    folder = client.cache / "models--org--quantised" / "snapshots" / commit
    folder.mkdir(parents=True)
    (folder / "flux.gguf").write_bytes(gguf() + b"cached")
    done = client.run("inspect", PLACE, "--format", "json")
    assert json.loads(done.out)["address"] == f"hf://org/quantised@{commit}/flux.gguf"
    assert hub.sent("/lfs/") == 0


def test_a_name_alone_makes_no_gguf_file(hub: HubServer, client: Client) -> None:
    hub.shelf.add("org/quantised", {"flux.gguf": b"PK" * 100, "x.json": b"{}"})
    assert "flux.gguf: this is no GGUF file" in refusal(client.run("inspect", PLACE), 2)
    said = refusal(client.run("inspect", PLACE.replace("flux.g", "flix.g")))
    assert "did you mean 'flux.gguf'?" in said


def test_nothing_edits_it(hub: HubServer, client: Client, edit: Path, tmp_path: Path) -> None:
    hub.shelf.add("org/quantised", {"flux.gguf": gguf()})
    out = tmp_path / "out.safetensors"
    said = refusal(client.run("apply", edit, "-m", PLACE, "-o", out), 2)
    assert "a GGUF file, which cannot be edited; `surgery inspect` shows what is in it" in said
    assert hub.sent("/lfs/") == 0
    assert not out.exists()
