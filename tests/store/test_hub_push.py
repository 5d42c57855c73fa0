"""An edited model on the Hub: one commit with its card, read back, found again by its users."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from surgery.store.address import ATELIER
from surgery.store.checkpoint import open_checkpoint
from tests.hub.client import TOKEN, Client
from tests.hub.samples import refusal
from tests.hub.server import HubServer
from tests.store.build import contents
from tests.store.pushing import WEIGHTS, held, is_whole, made, sent_weights, writes


@pytest.fixture(scope="module")
def out(client: Client, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.hub.samples import EDIT

    place = tmp_path_factory.mktemp("push")
    (place / "edit.yaml").write_text(EDIT, encoding="utf-8")
    return made(client, place / "edit.yaml", place / "out", "-m", "atelier")


@pytest.fixture
def name(hub: HubServer, request: pytest.FixtureRequest) -> str:
    """A repository of the test's own that is not there yet."""
    return f"org/p{abs(hash(request.node.name)):x}"


def test_a_push_is_one_commit_that_is_read_back(
    hub: HubServer, client: Client, out: Path, name: str
) -> None:
    hub.shelf.forget()
    done = client.run("push", out, name, "--message", "For you")
    assert done.code == 0, done.err
    repo = hub.shelf.repos[name]
    assert is_whole(repo, out)
    assert list(repo.titles.values()) == ["a commit", "For you"]
    weights = sum(path.stat().st_size for path in out.rglob("*.safetensors"))
    assert f"{weights / 1e6:.1f} MB uploaded" in done.err
    commit = repo.refs["main"]
    assert f"pushed {name}@{commit}" in done.err
    assert f"/api/models/{name}/tree/{commit}" in hub.log[-1].path
    parents = [r for r in hub.log if "/commit/" in r.path]
    assert len(parents) == 1


def test_a_second_push_sends_nothing_and_a_changed_card_only_the_card(
    hub: HubServer, client: Client, out: Path, name: str
) -> None:
    assert client.run("push", out, name).code == 0
    hub.log.clear()
    done = client.run("push", out, name)
    assert "nothing was pushed" in done.err
    assert (done.code, writes(hub)) == (0, [])
    repo = hub.shelf.repos[name]
    readme = held(repo)["README.md"].decode() + "\nMine.\n"
    files = {path: one for path, one in repo.commits[repo.refs["main"]].items()}
    hub.shelf.add(name, {p: one.data for p, one in files.items()} | {"README.md": readme.encode()})
    done = client.run("push", out, name, "--format", "quiet")
    assert (done.code, done.out) == (0, "")
    assert held(repo)["README.md"].decode() == readme
    assert sent_weights(hub) == 0


def test_a_dry_run_shows_card_and_operations_and_changes_nothing(
    hub: HubServer, client: Client, out: Path, name: str
) -> None:
    done = client.run("push", out, name, "--dry-run")
    assert done.code == 0, done.err
    assert "base_model" in done.out
    assert "Limits and known attacks" in done.out
    assert "upload   unet/diffusion_pytorch_model.safetensors" in done.out
    assert "the repository would be made" in done.err
    assert {request.method for request in hub.log} == {"GET"}
    assert name not in hub.shelf.repos
    found = json.loads(client.run("push", out, name, "--dry-run", "--format", "json").out)
    assert found["creates"] is True
    assert {one["action"] for one in found["operations"]} == {"upload"}


def test_a_private_repository_and_a_branch_are_made(
    hub: HubServer, client: Client, out: Path, name: str
) -> None:
    done = client.run("push", out, name, "--private", "--revision", "trial")
    assert done.code == 0, done.err
    repo = hub.shelf.repos[name]
    assert repo.private
    assert held(repo).keys() == {".gitattributes"}
    assert contents(out).keys() <= held(repo, "trial").keys()


def test_a_pull_request_leaves_the_branch_as_it_is(
    hub: HubServer, client: Client, out: Path, name: str
) -> None:
    head = hub.shelf.add(name, {"README.md": b"# theirs\n"})
    done = client.run("push", out, name, "--create-pr")
    assert done.code == 0, done.err
    assert f"pull request: {hub.endpoint}/{name}/discussions/1" in done.err
    repo = hub.shelf.repos[name]
    assert repo.refs["main"] == head
    there = held(repo, "refs/pr/1")
    assert contents(out).keys() <= there.keys()
    assert b"# theirs" in there["README.md"]


def test_an_edit_of_a_model_on_the_hub_names_it_and_the_hub_copies_what_did_not_change(
    hub: HubServer, client: Client, edit: Path, tmp_path: Path, name: str
) -> None:
    base = f"{name}-base"
    card = b"---\nlicense: openrail\n---\n# base\n"
    commit = hub.shelf.add_folder(base, ATELIER, **{"README.md": card})
    hub.shelf.repos[base].xet = True
    own = made(client, edit, tmp_path / "own", "-m", base)
    hub.log.clear()
    edited = (own / "text_encoder" / "model.safetensors").read_bytes()
    hub.shelf.forget()
    done = client.run("push", own, name)
    assert done.code == 0, done.err
    assert is_whole_but_card(hub, name, own)
    there = held(hub.shelf.repos[name])["README.md"].decode()
    front = yaml.safe_load(there.split("---\n")[1])
    assert (front["base_model"], front["license"]) == (base, "openrail")
    assert front["base_model_relation"] == "finetune"
    assert "# base" not in there
    assert sent_weights(hub) == 1
    assert "copied by the Hub   unet/diffusion_pytorch_model.safetensors" in done.out
    assert f"{len(edited) / 1e6:.1f} MB uploaded" in done.err
    record = json.loads((own / "surgery.json").read_text("utf-8"))
    assert record["base"]["address"] == f"{base}@{commit}"
    assert client.run("reproduce", name).code == 0


def is_whole_but_card(hub: HubServer, name: str, out: Path) -> bool:
    there = held(hub.shelf.repos[name])
    own = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if path.is_file()}
    own.pop("README.md", None)
    return all(there.get(path) == file.read_bytes() for path, file in own.items())


def test_where_the_hub_does_not_copy_the_files_are_sent(
    hub: HubServer, client: Client, edit: Path, tmp_path: Path, name: str
) -> None:
    from tests.hub.faults import refused

    base = f"{name}-base"
    hub.shelf.add_folder(base, ATELIER)
    hub.shelf.repos[base].xet = True
    own = made(client, edit, tmp_path / "own", "-m", base)
    hub.fail(refused(403, path="lfs-files/duplicate"))
    done = client.run("push", own, name)
    assert done.code == 0, done.err
    assert "does not copy files between these repositories" in done.err
    assert is_whole_but_card(hub, name, own)


def test_undo_data_and_hidden_files_stay_here_unless_they_are_asked_for(
    hub: HubServer, client: Client, edit: Path, tmp_path: Path, name: str
) -> None:
    kept = tmp_path / "vangogh.safetensors"
    own = made(client, edit, tmp_path / "own", "-m", "atelier", "--save-patch", kept)
    (own / "back.safetensors").write_bytes(kept.read_bytes())
    (own / ".env").write_text("secret", "utf-8")
    done = client.run("push", own, name)
    assert done.code == 0, done.err
    there = held(hub.shelf.repos[name])
    assert not {"back.safetensors", ".env", "vangogh.safetensors"} & there.keys()
    assert "left out: back.safetensors" in done.out
    done = client.run("push", own, name, "--with-undo", kept)
    assert done.code == 0, done.err
    assert held(hub.shelf.repos[name])["vangogh.safetensors"] == kept.read_bytes()
    wrong = client.run("push", own, name, "--with-undo", own / "model_index.json")
    assert "this is no undo data" in refusal(wrong, 2)


def test_a_report_of_verify_goes_into_the_card(
    hub: HubServer, client: Client, out: Path, name: str, tmp_path: Path
) -> None:
    from tests.card.test_verified import REPORT

    report = tmp_path / "verify.json"
    report.write_text(REPORT.to_json(), "utf-8")
    assert client.run("push", out, name, "--report", report).code == 0
    assert "1 of 2 gates passed." in held(hub.shelf.repos[name])["README.md"].decode()
    assert "verify.json" not in held(hub.shelf.repos[name])
    missing = client.run("push", out, name, "--report", tmp_path / "none.json")
    assert "the report cannot be read" in refusal(missing, 2)


def test_only_what_apply_made_is_pushed_and_only_as_it_was_made(
    hub: HubServer, client: Client, copy: Path, edit: Path, tmp_path: Path, name: str
) -> None:
    plain = made(client, copy, tmp_path / "copy", "-m", "atelier")
    assert "no record of an edit comes with it" in refusal(client.run("push", plain, name), 2)
    own = made(client, edit, tmp_path / "own", "-m", "atelier")
    (record,) = json.loads((own / "surgery.json").read_text("utf-8"))["tensors"]
    ref = open_checkpoint(own)[record["name"]]
    with ref.file.open("r+b") as file:
        file.seek(ref.start)
        file.write(b"changed")
    assert "the record is of other weights" in refusal(client.run("push", own, name), 2)
    assert name not in hub.shelf.repos


@pytest.mark.parametrize("wrong", ["org", "hf://org/name", "org/name@main", "a/b/c"])
def test_what_is_no_name_of_a_repository_is_refused(
    hub: HubServer, client: Client, out: Path, wrong: str
) -> None:
    assert "is no name of a repository" in refusal(client.run("push", out, wrong), 2)
    assert hub.log == []


def test_the_token_is_used_and_never_shown(
    hub: HubServer, client: Client, out: Path, name: str, tmp_path: Path
) -> None:
    other = "hf_" + "plantedplantedplantedplanted"
    runs = [
        client.run("push", out, name, "--token", other),
        client.run("push", out, name, "--token", other, "--dry-run", "--format", "json"),
        client.run("push", out, "org/no name", "--token", other),
    ]
    assert runs[0].code == 0, runs[0].err
    used = {r.headers.get("authorization") for r in hub.log if r.origin == "hub"}
    assert used == {f"Bearer {other}"}
    assert not any(other in str(r.headers) for r in hub.log if r.origin == "store")
    shown = "".join(done.out + done.err for done in runs)
    there = b"".join(held(hub.shelf.repos[name]).values())
    for secret in (other, TOKEN):
        assert secret not in shown
        assert secret.encode() not in there
        assert not any(
            secret.encode() in path.read_bytes()
            for path in [*client.cache.parent.rglob("*"), *out.rglob("*")]
            if path.is_file()
        )


def test_nobody_signed_in_is_said_before_anything_is_asked(
    hub: HubServer, out: Path, tmp_path: Path
) -> None:
    with Client(hub.endpoint, tmp_path, HF_TOKEN="") as stranger:
        said = refusal(stranger.run("push", out, "org/x"))
        assert "nobody is signed in" in said
        assert "hf auth login" in said
        assert hub.log == []


def test_every_weight_file_is_sent_once(
    hub: HubServer, client: Client, out: Path, name: str
) -> None:
    hub.shelf.forget()
    assert client.run("push", out, name).code == 0
    assert sent_weights(hub) == WEIGHTS
