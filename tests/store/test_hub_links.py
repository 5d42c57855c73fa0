"""Links and models on the Hub: the cache of downloads is shared with nobody."""

from __future__ import annotations

from pathlib import Path

from tests.hub.client import Client
from tests.hub.server import HubServer


def test_a_link_into_the_cache_is_refused_before_any_download(
    hub: HubServer, client: Client, atelier: str, edit: Path, tmp_path: Path
) -> None:
    done = client.run("apply", edit, "-m", "org/atelier", "-o", tmp_path / "out", "--link")
    assert done.code == 2
    assert done.err.splitlines()[-1].startswith("Error: --link: ")
    assert not (tmp_path / "out").exists()
    assert all("range" in r.headers for r in hub.log if r.origin == "store")
