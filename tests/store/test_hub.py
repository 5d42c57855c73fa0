"""Models on the Hub: headers first, then what is needed, every byte checked, from one commit."""

from __future__ import annotations

import json
from pathlib import Path

from surgery.report import Record
from tests.hub.client import TOKEN, Client, Done
from tests.hub.faults import Fault, refused
from tests.hub.repositories import Sparse
from tests.hub.samples import SMALL, refusal
from tests.hub.server import HubServer
from tests.store.build import contents, entry, file_bytes, framed, write_pipeline


def test_inspect_fetches_headers_and_configs_only(
    hub: HubServer, client: Client, atelier: str
) -> None:
    done = client.run("inspect", "org/atelier", "--format", "json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert (found["layout"], found["address"]) == ("sd1", f"org/atelier@{atelier}")
    assert hub.sent("/lfs/") < 300_000 < found["nbytes"] / 30
    assert all("range" in r.headers for r in hub.log if r.origin == "store")
    assert not any(path in r.path for r in hub.log for path in (".bin", ".ckpt", "README"))


def test_a_dry_run_fetches_what_the_edit_reads_and_says_how_much(
    hub: HubServer, client: Client, atelier: str, edit: Path
) -> None:
    words = ("apply", edit, "--dry-run", "--format", "json")
    done = client.run(*words, "-m", f"org/atelier@{atelier}")
    assert done.code == 0, done.err
    found, local = json.loads(done.out), json.loads(client.run(*words, "-m", "atelier").out)
    assert found["tensors"] == local["tensors"]
    assert found["leaks"] == local["leaks"]
    assert found["fetched"] == hub.sent("/lfs/") < found["plan"]["bytes_total"] / 20
    asked = [r for r in hub.log if r.origin == "store"]
    assert found["requests"] == len(asked) < 8
    assert all("range" in r.headers for r in asked)
    assert (local["fetched"], local["requests"]) == (0, 0)


def test_apply_downloads_the_model_and_writes_what_a_local_edit_writes(
    hub: HubServer, client: Client, atelier: str, edit: Path, tmp_path: Path
) -> None:
    done = client.run("apply", edit, "-m", "org/atelier", "-o", tmp_path / "remote")
    assert done.code == 0, done.err
    assert f"downloading 12.8 MB of org/atelier@{atelier}" in done.err
    local = client.run("apply", edit, "-m", "atelier", "-o", tmp_path / "local")
    assert local.code == 0, local.err
    written, own = contents(tmp_path / "remote"), contents(tmp_path / "local")
    assert written.pop("README.md")
    assert written.pop("surgery.json") != own.pop("surgery.json")
    # The headers name no model, so both outputs are equal in every other byte.
    assert written == own
    record = Record.from_json((tmp_path / "remote" / "surgery.json").read_text("utf-8"))
    assert record.base.address == f"org/atelier@{atelier}"
    assert not any(path in r.path for r in hub.log for path in (".bin", ".ckpt"))
    _check_token(hub, client, tmp_path)


def _check_token(hub: HubServer, client: Client, out: Path) -> None:
    own = f"Bearer {TOKEN}"
    assert {r.headers.get("authorization") for r in hub.log if r.origin == "hub"} == {own}
    assert not any(TOKEN in str(r.headers) for r in hub.log if r.origin == "store")
    for path in [*client.cache.rglob("*"), *out.rglob("*")]:
        assert not path.is_file() or TOKEN.encode() not in path.read_bytes()


def test_nothing_is_asked_or_told_that_nobody_asked_for(
    hub: HubServer, client: Client, copy: Path, tmp_path: Path
) -> None:
    hub.shelf.add("org/quiet", {"model.safetensors": SMALL})
    assert client.run("apply", copy, "-m", "org/quiet", "-o", tmp_path / "o.safetensors").code == 0
    places = {r.path.split("?")[0].split("/resolve/")[0] for r in hub.log if r.origin == "hub"}
    assert {place.rpartition("/")[0] for place in places} <= {
        "/org",
        "/api/models/org/quiet/revision",
        "/api/models/org/quiet/tree",
    }
    assert not any("torch" in r.headers.get("user-agent", "") for r in hub.log)


def test_a_flipped_byte_is_noticed_and_nothing_is_written(
    hub: HubServer, client: Client, copy: Path, tmp_path: Path
) -> None:
    hub.shelf.add("org/flipped", {"model.safetensors": SMALL})
    words = ("apply", copy, "-m", "org/flipped", "-o", tmp_path / "o.safetensors")
    client.run("inspect", "org/flipped")
    hub.fail(Fault("flip", path="/lfs/", times=2))
    said = refusal(_without_progress(client.run(*words)))
    assert "not those of the file's hash; they were thrown away; run again" in said
    assert not (tmp_path / "o.safetensors").exists()
    hub.fail()
    assert client.run(*words).code == 0
    assert (tmp_path / "o.safetensors").read_bytes() == SMALL


def _without_progress(done: Done) -> Done:
    lines = [line for line in done.err.splitlines() if not line.startswith("downloading")]
    return Done(done.code, done.out, "\n".join(lines))


def test_a_download_that_breaks_off_is_taken_up(
    hub: HubServer, client: Client, copy: Path, tmp_path: Path
) -> None:
    data = file_bytes({"a": ("F32", (1000, 300))})
    hub.shelf.add("org/cut", {"model.safetensors": data})
    client.run("inspect", "org/cut")
    hub.fail(Fault("cut", path="/lfs/", times=3, after=100_000))
    done = client.run("apply", copy, "-m", "org/cut", "-o", tmp_path / "o.safetensors")
    assert done.code == 0, done.err
    assert (tmp_path / "o.safetensors").read_bytes() == data


def test_a_false_etag_never_becomes_a_file_name(
    hub: HubServer, client: Client, copy: Path, tmp_path: Path
) -> None:
    hub.shelf.add("org/etag", {"model.safetensors": SMALL})
    hub.fail(Fault("etag", method="HEAD"))
    done = client.run("apply", copy, "-m", "org/etag", "-o", tmp_path / "o.safetensors")
    assert "serves it with '../../evil'" in refusal(_without_progress(done))
    assert not list(client.cache.parent.rglob("evil*"))


def test_a_failing_hub_is_never_answered_from_an_old_download(
    hub: HubServer, client: Client, copy: Path, tmp_path: Path
) -> None:
    hub.shelf.add("org/old", {"model.safetensors": SMALL})
    assert client.run("apply", copy, "-m", "org/old", "-o", tmp_path / "a.safetensors").code == 0
    hub.fail(refused(500, path="/api/models/"))
    done = client.run("apply", copy, "-m", "org/old", "-o", tmp_path / "b.safetensors")
    assert "the Hub has a problem of its own (status 500), at each of 5 tries" in refusal(done)
    assert not (tmp_path / "b.safetensors").exists()


def test_a_branch_that_moves_gives_its_new_commit(hub: HubServer, client: Client) -> None:
    first = hub.shelf.add("org/moving", {"model.safetensors": SMALL})
    assert first in client.run("inspect", "org/moving").out
    second = hub.shelf.add("org/moving", {"model.safetensors": file_bytes({"x": ("U8", (9,))})})
    assert second in client.run("inspect", "org/moving").out
    assert first in client.run("inspect", f"org/moving@{first}").out


def test_a_file_alone_is_found_and_among_several_one_must_be_named(
    hub: HubServer, client: Client
) -> None:
    commit = hub.shelf.add("org/alone", {"x.safetensors": SMALL, "README.md": b"#"})
    assert f"hf://org/alone@{commit}/x.safetensors" in client.run("inspect", "org/alone").out
    hub.shelf.add("org/two", {"x.safetensors": SMALL, "y.safetensors": SMALL})
    said = refusal(client.run("inspect", "org/two"), 2)
    assert "2 files of weights to choose from: 'x.safetensors', 'y.safetensors'" in said
    assert "give one as hf://org/two/FILE" in said
    assert client.run("inspect", "hf://org/two/y.safetensors").code == 0
    hub.shelf.add("org/pickle", {"x.ckpt": b"\x80\x04"})
    assert "pickles only" in refusal(client.run("inspect", "org/pickle"), 2)


def test_shards_variants_and_long_lists_are_read_as_from_a_folder(
    hub: HubServer, client: Client, copy: Path, tmp_path: Path
) -> None:
    write_pipeline(tmp_path / "in")
    more = {f"images/{number}.png": b"x" for number in range(120)}
    more["text_encoder/model.fp16.safetensors"] = SMALL
    hub.shelf.add_folder("org/sharded", tmp_path / "in", **more)
    done = client.run("apply", copy, "-m", "org/sharded", "-o", tmp_path / "out")
    assert done.code == 0, done.err
    kept = contents(tmp_path / "in")
    # A folder that no component names belongs to the repository, not to the model.
    del kept["tokenizer/deep/vocab.json"]
    assert contents(tmp_path / "out") == kept
    index = "hf://org/sharded/unet/diffusion_pytorch_model.safetensors.index.json"
    assert "sharded, 2 weight files" in client.run("inspect", index).out


def test_too_little_room_is_told_before_any_download(
    hub: HubServer, client: Client, copy: Path, tmp_path: Path
) -> None:
    count = 10**15
    head = framed({"a": entry("U8", [count], 0, count)})
    hub.shelf.add("org/huge", {"model.safetensors": Sparse(head, len(head) + count)})
    done = client.run("apply", copy, "-m", "org/huge", "-o", tmp_path / "o.safetensors")
    assert "not enough room" in refusal(done, 5)
    assert hub.sent("/lfs/") < 100_000


def test_the_cache_is_never_edited_in_place(
    hub: HubServer, client: Client, atelier: str, edit: Path, tmp_path: Path
) -> None:
    words = ("--in-place", "--undo-file", tmp_path / "undo")
    done = client.run("apply", edit, "-m", f"org/atelier@{atelier}", *words)
    assert "a model on the Hub cannot be edited in place" in refusal(done, 2)
