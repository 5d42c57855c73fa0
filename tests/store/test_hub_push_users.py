"""Who pulls a pushed model finds it as their program wants it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from surgery.store.header import read_header
from tests.helpers.pipelines import write_single
from tests.hub.client import Client
from tests.hub.server import HubServer
from tests.store.pushing import held, made


def test_a_user_of_comfyui_finds_a_single_file_with_its_metadata(
    hub: HubServer, client: Client, edit: Path, tmp_path: Path
) -> None:
    base = write_single("sd1", tmp_path / "single" / "sd.safetensors")
    own = made(client, edit, tmp_path / "mine.safetensors", "-m", base)
    done = client.run("push", own, "org/single")
    assert done.code == 0, done.err
    there = held(hub.shelf.repos["org/single"])
    assert there.keys() == {
        ".gitattributes",
        "README.md",
        "mine.safetensors",
        "mine.safetensors.surgery.json",
    }
    assert there["mine.safetensors"] == own.read_bytes()
    assert "surgery.recipe" in read_header(own).metadata
    address = "hf://org/single/mine.safetensors"
    again = client.run("reproduce", address, "--base", base)
    assert again.code == 0, again.err


LOAD = """
import sys
from diffusers import DiffusionPipeline
pipeline = DiffusionPipeline.from_pretrained(sys.argv[1])
print(type(pipeline).__name__)
"""


def test_a_user_of_diffusers_finds_a_folder_that_loads_by_its_name(
    hub: HubServer, client: Client, edit: Path, tmp_path: Path
) -> None:
    own = made(client, edit, tmp_path / "own", "-m", "atelier")
    assert client.run("push", own, "org/for-diffusers").code == 0
    words = [sys.executable, "-c", LOAD, "org/for-diffusers"]
    done = subprocess.run(
        words, capture_output=True, text=True, env=client.environment, check=False
    )
    assert done.stdout.strip() == "StableDiffusionPipeline", done.stderr[-2000:]
