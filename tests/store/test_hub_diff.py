"""A model on the Hub beside one of this machine: what lies beside the weights is compared too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from surgery.store.address import ATELIER
from tests.hub.client import Client
from tests.hub.server import HubServer


@pytest.mark.usefixtures("no_cache")
def test_an_equal_model_on_the_hub_is_told_to_be_equal(
    hub: HubServer, client: Client, atelier: str
) -> None:
    done = client.run("diff", ATELIER, f"org/atelier@{atelier}", "--format", "json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["changes"] == []
    assert found["verdict"].startswith("every tensor is bit-identical")


@pytest.mark.usefixtures("no_cache")
def test_a_file_beside_the_weights_that_differs_is_named(
    hub: HubServer, client: Client, tmp_path: Path
) -> None:
    other = (ATELIER / "unet" / "config.json").read_bytes().replace(b"96", b"97", 1)
    commit = hub.shelf.add_folder("org/other", ATELIER, **{"unet/config.json": other})
    done = client.run("diff", ATELIER, f"org/other@{commit}", "--format", "json")
    assert json.loads(done.out)["side_files"] == ["unet/config.json"]
