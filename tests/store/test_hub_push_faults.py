"""Whatever fails on the way: a push is there whole or not at all, and one sentence says which."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.hub.client import Client
from tests.hub.faults import Fault, refused
from tests.hub.repositories import Stored
from tests.hub.samples import EDIT, refusal
from tests.hub.server import HubServer, Request
from tests.store.pushing import held, is_whole, made, sent_weights

THEIRS = Stored(b"# theirs\n", False)


@pytest.fixture(scope="module")
def out(client: Client, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("push")
    (place / "edit.yaml").write_text(EDIT, encoding="utf-8")
    return made(client, place / "edit.yaml", place / "out", "-m", "atelier")


@pytest.fixture
def name(hub: HubServer, request: pytest.FixtureRequest) -> str:
    """A repository of the test's own, with a commit of somebody's."""
    hub.at_request = lambda request: None
    found = f"org/f{abs(hash(request.node.name)):x}"
    hub.shelf.add(found, {"theirs.txt": b"x"})
    return found


def is_untouched(hub: HubServer, name: str) -> bool:
    return held(hub.shelf.repos[name]) == {"theirs.txt": b"x"}


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (refused(401, path="whoami"), "the Hub does not accept your token"),
        (refused(403, path="/commit/"), "your token 'laptop' may not write to it (status 403)"),
        (refused(403, path="/preupload/"), "your token 'laptop' may not write to it"),
        (refused(413, path="/commit/"), "takes no request of that size"),
        (refused(403, "GatedRepo", path="/revision/"), "the repository is gated"),
        (refused(400, path="/commit/"), "the Hub refuses the request (status 400)"),
        (refused(503, path="/commit/"), "the Hub has a problem of its own (status 503), at each"),
        (refused(500, path="validate-yaml"), "the answer is not the Hub's"),
        (refused(429, path="/commit/", times=1, message="x"), ""),
    ],
)
def test_a_refusal_is_one_sentence_and_changes_nothing(
    hub: HubServer, client: Client, out: Path, name: str, fault: Fault, said: str
) -> None:
    hub.fail(fault)
    done = client.run("push", out, name)
    if not said:
        assert done.code == 0, done.err
        assert "the Hub answers 'too many requests'; trying again" in done.err
        return
    assert said in refusal(done)
    assert is_untouched(hub, name)
    hub.fail()
    hub.log.clear()
    assert client.run("push", out, name).code == 0
    assert is_whole(hub.shelf.repos[name], out)
    # What was sent before is there.
    assert sent_weights(hub) == 0 or "/commit/" not in fault.path


def test_a_repository_that_may_not_be_made_is_said(
    hub: HubServer, client: Client, out: Path
) -> None:
    hub.fail(refused(403, path="repos/create"))
    said = refusal(client.run("push", out, "org/forbidden"))
    assert "may not write to it (status 403)" in said
    assert "org/forbidden" not in hub.shelf.repos


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", path="/commit/", status=409, times=2),
        Fault("status", path="/commit/", status=503, times=2),
        Fault("status", path="/commit/", status=429, times=1, headers={"Retry-After": "1"}),
        Fault("status", path="/lfs/", method="PUT", status=500, times=1),
        Fault("drop", path="/lfs/", method="PUT", times=1, after=100_000),
        Fault("drop", path="/commit/", times=2, after=10),
        Fault("hang", path="/commit/", times=1),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}-{fault.path.strip('/')}",
)
def test_a_failure_that_passes_is_tried_again(
    hub: HubServer, client: Client, out: Path, name: str, fault: Fault
) -> None:
    hub.shelf.forget()
    hub.fail(fault)
    done = client.run("push", out, name)
    assert done.code == 0, done.err
    repo = hub.shelf.repos[name]
    assert is_whole(repo, out)
    assert len(repo.titles) == 2
    if "/commit/" in fault.path:
        assert "trying again in" in done.err


@pytest.mark.parametrize("more", [(), ("--create-pr",)])
def test_a_commit_whose_answer_was_lost_is_reported_as_there(
    hub: HubServer, client: Client, out: Path, name: str, more: tuple[str, ...]
) -> None:
    hub.fail(Fault("lose", path="/commit/", times=1))
    done = client.run("push", out, name, *more)
    assert done.code == 0, done.err
    repo = hub.shelf.repos[name]
    place = "refs/pr/1" if more else "main"
    assert is_whole_at(hub, name, place, out)
    assert f"pushed {name}@{repo.refs[place]}" in done.err
    assert "the Hub's answer was lost" in done.err
    assert len(repo.titles) == 2
    assert not more or f"{name}/discussions/1" in done.err


def is_whole_at(hub: HubServer, name: str, place: str, out: Path) -> bool:
    there = held(hub.shelf.repos[name], place)
    files = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if path.is_file()}
    return all(there.get(path) == file.read_bytes() for path, file in files.items())


@pytest.mark.parametrize("part", ["/preupload/", "/objects/batch", "repos/create", "/commit/"])
def test_somebody_who_is_first_keeps_their_commit_and_is_named(
    hub: HubServer, client: Client, out: Path, name: str, part: str
) -> None:
    repo = hub.shelf.repos[name]
    if part == "repos/create":
        del hub.shelf.repos[name]
    left = [True]

    def first(request: Request) -> None:
        if part in request.path and left:
            left.clear()
            hub.shelf.repos.setdefault(name, repo).commit({"README.md": THEIRS}, title="Theirs")

    hub.at_request = first
    hub.shelf.forget()
    done = client.run("push", out, name)
    hub.at_request = lambda request: None
    if part == "repos/create":
        # There was nothing to be over: it is pushed on top, with what is there kept.
        assert done.code == 0, done.err
        assert held(hub.shelf.repos[name]).keys() >= {"README.md", "surgery.json"}
        return
    said = refusal(done)
    assert "moved meanwhile by 'someone-else'" in said
    assert "'Theirs'" in said
    assert held(repo) == {"README.md": THEIRS.data}


def test_other_bytes_than_were_sent_are_noticed(
    hub: HubServer, client: Client, out: Path, name: str
) -> None:
    repo = hub.shelf.repos[name]

    def spoil(request: Request) -> None:
        if "/tree/" in request.path and len(repo.titles) == 2:
            files = repo.commits[repo.refs["main"]]
            files["vae/config.json"] = Stored(b"{}", False)

    hub.at_request = spoil
    said = refusal(client.run("push", out, name))
    hub.at_request = lambda request: None
    assert "the Hub has other bytes than were sent, in 'vae/config.json'" in said


def test_a_push_that_is_killed_at_any_request_leaves_the_old_commit_or_the_new_one(
    hub: HubServer, client: Client, out: Path, tmp_path: Path
) -> None:
    hub.at_request = lambda request: None
    # A client that has asked nobody yet: its children share no connection.
    with Client(hub.endpoint, tmp_path) as fresh:
        pid_file, new = tmp_path / "pid", 0
        count = _killed(hub, fresh, (out, pid_file), 1000)[1]
        assert count >= 15
        # The later the nearer to the commit, and after it.
        for number in sorted({*range(0, count, 4), *range(count - 6, count)}):
            landed, _ = _killed(hub, fresh, (out, pid_file), number)
            new += landed
        assert new >= 2


def _killed(
    hub: HubServer, client: Client, files: tuple[Path, Path], number: int
) -> tuple[bool, int]:
    """Push, and kill it at a request: whether it landed all the same, and requests until then."""
    out, pid_file = files
    name, seen = f"org/killed{number}", list[str]()
    hub.shelf.add(name, {"theirs.txt": b"x"})
    hub.shelf.forget()

    def kill(request: Request) -> None:
        seen.append(request.path)
        if len(seen) == number + 1:
            os.kill(int(pid_file.read_text("utf-8")), signal.SIGKILL)

    hub.at_request = kill
    code = client.run_child(pid_file, "push", out, name)
    hub.settle()
    hub.at_request = lambda request: None
    landed = is_whole(hub.shelf.repos[name], out)
    assert landed or is_untouched(hub, name), seen
    assert code == (-signal.SIGKILL if len(seen) > number else 0)
    return landed, len(seen)


def test_the_network_that_is_switched_off_is_said(
    hub: HubServer, out: Path, tmp_path: Path
) -> None:
    with Client(hub.endpoint, tmp_path, HF_HUB_OFFLINE="1") as offline:
        assert "HF_HUB_OFFLINE is set" in refusal(offline.run("push", out, "org/x"))
        assert hub.log == []
