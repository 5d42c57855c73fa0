"""What can be meant for the Hub is understood, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgery.errors import HubError
from surgery.store.hub_address import HubAddress, parse

COMMIT = "0123456789" * 4


@pytest.mark.parametrize(
    ("text", "repo", "revision", "path"),
    [
        ("org/name", "org/name", "main", ""),
        ("CompVis/sd-v1.4@fp16", "CompVis/sd-v1.4", "fp16", ""),
        (f"org/name@{COMMIT}", "org/name", COMMIT, ""),
        ("org/name@refs/pr/12", "org/name", "refs/pr/12", ""),
        ("hf://org/name", "org/name", "main", ""),
        ("hf://org/name/", "org/name", "main", ""),
        ("hf://org/name@v1.0", "org/name", "v1.0", ""),
        ("hf://org/name/a.safetensors", "org/name", "main", "a.safetensors"),
        ("hf://org/name@v1/unet/a.safetensors", "org/name", "v1", "unet/a.safetensors"),
        ("hf://org/name@refs/pr/3/unet", "org/name", "refs/pr/3", "unet"),
    ],
)
def test_an_address_is_taken_apart(text: str, repo: str, revision: str, path: str) -> None:
    assert parse(text) == HubAddress(repo, revision, path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "a/b/c",
        "./name",
        "../name",
        "org/model.safetensors",
        "org/x.ckpt",
        "https://a/b",
    ],
)
def test_what_has_another_form_is_left_to_others(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hf://name", "names no model"),
        ("hf://datasets/org/name", "names no model"),
        ("hf://org/name@", "names no model"),
        ("hf://org/name/../../etc/passwd", "no path inside"),
        ("hf://org/name/a//b", "no path inside"),
        ("org/name@", "is no revision"),
        ("org/name@../x", "is no revision"),
        ("org/name@refs/heads/main", "is no revision"),
    ],
)
def test_what_is_meant_for_the_hub_and_is_no_place_there_is_refused(text: str, says: str) -> None:
    with pytest.raises(HubError, match=says):
        parse(text)


def test_a_place_is_shown_as_an_address_that_means_it() -> None:
    for place in (HubAddress("org/name", COMMIT), HubAddress("org/name", "v1", "unet/a.json")):
        assert parse(str(place)) == place


@given(st.text(max_size=40), st.sampled_from(["", "hf://", "org/name@", "hf://org/name/"]))
def test_any_text_is_a_place_or_none_or_refused(text: str, before: str) -> None:
    try:
        place = parse(before + text)
    except HubError:
        return
    if place is not None:
        parts = [*place.repo.split("/"), *place.revision.split("/"), *place.path.split("/")]
        assert not {".", ".."}.intersection(parts)
        assert "\0" not in str(place)
