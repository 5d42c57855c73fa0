"""One Hub and one client process for all tests of the Hub; both take a second to start."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from surgery.store.address import ATELIER
from tests.hub.client import Client
from tests.hub.samples import COPY, EDIT
from tests.hub.server import HubServer


@pytest.fixture(scope="session")
def server() -> Iterator[HubServer]:
    with HubServer() as running:
        yield running


@pytest.fixture(scope="session")
def client(server: HubServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with Client(server.endpoint, tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def no_cache(client: Client) -> None:
    """What earlier tests downloaded is gone."""
    shutil.rmtree(client.cache, ignore_errors=True)


@pytest.fixture(scope="session")
def atelier(server: HubServer) -> str:
    """The commit of a repository with the built-in model and files that are not part of it."""
    other = {
        "old.ckpt": b"pickle",
        "unet/diffusion_pytorch_model.bin": b"pickle",
        "README.md": b"#",
    }
    return server.shelf.add_folder("org/atelier", ATELIER, **other)


@pytest.fixture
def hub(server: HubServer) -> HubServer:
    server.fail()
    server.log.clear()
    return server


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    path = tmp_path / "copy.yaml"
    path.write_text(COPY, encoding="utf-8")
    return path


@pytest.fixture
def edit(tmp_path: Path) -> Path:
    path = tmp_path / "edit.yaml"
    path.write_text(EDIT, encoding="utf-8")
    return path
