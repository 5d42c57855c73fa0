"""What the Hub refuses, or fails at, is told in one sentence and ends with 4."""

from __future__ import annotations

import pytest

from surgery.errors import HubError
from surgery.store.hub_address import HubAddress
from surgery.store.hub_errors import translated
from tests.hub.client import Client
from tests.hub.faults import Fault, refused
from tests.hub.samples import SMALL, refusal
from tests.hub.server import HubServer


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("org/missing", "no model 'org/missing' on the Hub that you can see"),
        ("org/there@gone", "org/there: no branch, tag or commit 'gone'"),
        ("hf://org/there/modle.safetensors", "did you mean 'model.safetensors'?"),
        ("hf://org/there@", "names no model on the Hub"),
        ("org/gated", "the repository is gated, and you have no access to it; ask for it at http"),
    ],
)
def test_what_is_not_there_is_told_in_one_sentence(
    hub: HubServer, client: Client, address: str, says: str
) -> None:
    hub.shelf.add("org/there", {"model.safetensors": SMALL})
    hub.shelf.add("org/gated", {"model.safetensors": SMALL})
    hub.shelf.repos["org/gated"].gated = True
    assert says in refusal(client.run("inspect", address))


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (refused(401, message="Invalid credentials in Authorization header"), "accept your token"),
        (refused(403), "your token may not read it"),
        (refused(404, "RepoNotFound"), "no model 'org/there'"),
        (refused(418), "the Hub refuses the request (status 418)"),
        (refused(429), "'too many requests', at each of 5 tries"),
        (Fault("status", status=429, headers={"Retry-After": "60"}), "asks to wait 60 s"),
        (refused(503), "status 503), at each of 5 tries"),
        (Fault("lose"), "no answer from http"),
        (Fault("norange", path="/lfs/"), "does not send parts of files"),
        (Fault("shift", path="/lfs/"), "was asked for"),
    ],
)
def test_each_failure_has_its_own_sentence(
    hub: HubServer, client: Client, fault: Fault, says: str
) -> None:
    hub.shelf.add("org/there", {"model.safetensors": SMALL})
    hub.fail(fault)
    assert says in refusal(client.run("inspect", "org/there"))


def test_a_hub_that_is_busy_for_a_moment_is_waited_for(hub: HubServer, client: Client) -> None:
    hub.shelf.add("org/there", {"model.safetensors": SMALL})
    hub.fail(
        Fault("status", status=429, headers={"Retry-After": "1"}, times=1),
        refused(502, path="/lfs/", times=2),
    )
    done = client.run("inspect", "org/there")
    assert done.code == 0
    assert "trying again in 1 s" in done.err


def test_a_damaged_file_is_known_from_its_header(hub: HubServer, client: Client) -> None:
    hub.shelf.add("org/bad", {"model.safetensors": SMALL[:-1], "empty.safetensors": b""})
    said = refusal(client.run("inspect", "hf://org/bad/model.safetensors"), 2)
    assert "the file is cut short" in said
    assert "the file is empty" in refusal(
        client.run("inspect", "hf://org/bad/empty.safetensors"), 2
    )


def test_an_answer_without_the_hubs_own_headers_is_not_called_silence() -> None:
    from huggingface_hub.errors import FileMetadataError, LocalEntryNotFoundError

    says = "the answer is not the Hub's; is HF_ENDPOINT right"
    with pytest.raises(HubError, match=says), translated(HubAddress("org/there")):
        raise LocalEntryNotFoundError("none") from FileMetadataError("no X-Repo-Commit")
