from __future__ import annotations

import pytest

from surgery.report import ChangeKind, TensorChange
from surgery.verdict import sameness, verdict

PARTS = ("unet", "text_encoder", "vae")
NAMES = {f"{part}/{number}": None for part in PARTS for number in range(5)}


def change(
    name: str, kind: ChangeKind = "values", *, rank: int | None = None, changed: int = 1
) -> TensorChange:
    return TensorChange(name, kind, "F32 [2, 2]", "F16 [2, 2]", 8, 4, changed, rank=rank)


VAE = [change(f"vae/{number}") for number in range(5)]
SAVED = [change(name, "dtype", changed=0) for name in NAMES]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ([], "every tensor is bit-identical"),
        ([change("text_encoder/0", rank=4)], "one rank-4 change in the text encoder"),
        ([change("unet/0")], "one change in the denoiser"),
        (
            [change("unet/0", rank=2), change("unet/1", rank=5)],
            "2 changes of rank 5 or less in the denoiser",
        ),
        (VAE, "VAE replaced"),
        ([*VAE, change("unet/3", rank=1)], "VAE replaced; one rank-1 change in the denoiser"),
        (SAVED, "same weights saved as F16"),
        (SAVED[:1], "same weight saved as F16"),
        ([change("vae/1", "dtype", changed=3)], "1 tensor saved as F16 with other values"),
        ([change("more", "added")], "1 tensor added"),
        ([change("vae/1", "removed")], "1 tensor removed"),
        (
            [*(change(name, "removed") for name in NAMES), change("x", "added")],
            "no tensor name in common",
        ),
        (
            [change("vae/1", "shape"), change("vae/2"), change("vae/3")],
            "1 tensor with another shape, 2 tensors changed",
        ),
        (
            [change(f"vae/{number}", "dtype", changed=4) for number in range(5)],
            "VAE replaced",
        ),
        ([change(f"vae/{number}", "removed") for number in range(5)], "VAE removed"),
        ([change(f"model_ema.{number}", "added") for number in range(3)], "3 tensors added"),
        ([change("odd.name", rank=1)], "1 tensor added"),
    ],
)
def test_says_what_a_reader_would_say(changes: list[TensorChange], sentence: str) -> None:
    assert verdict(changes, NAMES) == sentence


def test_a_file_of_one_part_is_the_file() -> None:
    assert verdict([change("a", rank=1)], {"a": None, "b": None}) == "one rank-1 change in the file"


def test_names_of_unknown_parts_are_escaped() -> None:
    assert "\x1b" not in verdict([change("\x1b[31m/a")], {"\x1b[31m/a": None, "b": None})


def test_a_whole_new_part_is_named_when_other_names_stay() -> None:
    added = [change("vae/0", "added"), change("vae/1", "added")]
    kept = {name: None for name in NAMES if not name.startswith("vae")}
    mixed = [*added, change("vae/2", "added")]
    assert verdict([*mixed], kept | {"vae/9": None}) == "3 tensors added"


@pytest.mark.parametrize(
    ("reordered", "metadata", "files", "sentence"),
    [
        (False, False, False, "every tensor is bit-identical"),
        (True, False, False, "every tensor is bit-identical, in another order"),
        (False, True, False, "every tensor is bit-identical; metadata differs"),
        (
            True,
            True,
            True,
            "every tensor is bit-identical, in another order; metadata and other files differ",
        ),
    ],
)
def test_equal_tensors_may_differ_in_what_is_around_them(
    reordered: bool, metadata: bool, files: bool, sentence: str
) -> None:
    assert sameness(reordered=reordered, metadata=metadata, files=files) == sentence
