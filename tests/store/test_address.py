"""An address becomes a path, or an error that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from surgery.errors import CheckpointError, HubError
from surgery.store import address
from surgery.store.address import locate, on_hub


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_file_and_a_folder_are_found(tmp_path: Path) -> None:
    (tmp_path / "models" / "sd").mkdir(parents=True)
    (tmp_path / "a.safetensors").touch()
    assert locate("a.safetensors") == Path("a.safetensors")
    assert locate("models/sd") == Path("models/sd")
    assert locate(tmp_path / "models") == tmp_path / "models"


def test_atelier_is_the_packaged_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert address.ATELIER.parts[-4:] == ("surgery", "atelier", "weights", "pipeline")
    monkeypatch.setattr(address, "ATELIER", tmp_path)
    assert locate("atelier") == tmp_path
    monkeypatch.setattr(address, "ATELIER", tmp_path / "gone")
    with pytest.raises(CheckpointError, match="not installed"):
        locate("atelier")


@pytest.mark.parametrize(
    ("text", "repo", "path"),
    [
        ("CompVis/sd-v1.4@fp16", "CompVis/sd-v1.4", ""),
        ("hf://org/name@main/unet.safetensors", "org/name", "unet.safetensors"),
    ],
)
def test_a_place_on_the_hub_is_told_from_a_path(text: str, repo: str, path: str) -> None:
    found = on_hub(text)
    assert found is not None
    assert (found.repo, found.path) == (repo, path)
    assert on_hub(Path("CompVis/sd-v1.4")) is None


def test_what_is_here_comes_before_the_hub(tmp_path: Path) -> None:
    (tmp_path / "org" / "name").mkdir(parents=True)
    assert on_hub("org/name") is None
    # A misspelt file of a folder that is here must not become a question to the Hub.
    assert on_hub("org/nam") is None
    assert on_hub("elsewhere/name") is not None


@pytest.mark.parametrize("text", ["https://example.org/a.safetensors", "s3://bucket/key"])
def test_other_places_on_the_network_are_refused(text: str) -> None:
    with pytest.raises(HubError, match="is on the network, not on the Hub"):
        locate(text)


def test_a_misspelt_path_names_the_nearest_one(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "anything.safetensors").touch()
    with pytest.raises(CheckpointError, match=r"did you mean 'models/anything.safetensors'\?"):
        locate("models/anythin.safetensors")
    with pytest.raises(CheckpointError, match="no file or folder 'models/zzz'; check the path"):
        locate("models/zzz")
    with pytest.raises(CheckpointError, match="no folder 'nowhere'"):
        locate("nowhere/model.safetensors")


@pytest.mark.parametrize("text", ["", "a\0b"])
def test_what_can_be_no_path_is_refused(text: str) -> None:
    with pytest.raises(CheckpointError, match="no model address"):
        locate(text)


def test_overlong_and_looping_paths_are_missing_ones(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(CheckpointError, match="a link to nothing"):
        locate("loop")
    with pytest.raises(CheckpointError):
        locate("x" * 5000)
