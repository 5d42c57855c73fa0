"""The dumps are what diffusers and transformers build and convert today. Imports both: seconds."""

from __future__ import annotations

import pytest

from surgery.layout import detect
from tests.helpers.dumps import FOLDER, NAMES, dump
from tests.helpers.structures import Ref, configs
from tests.layouts.forward import block_order
from tests.layouts.make_dumps import MAKERS, make


def test_every_dump_is_made_by_the_script_and_small() -> None:
    assert sorted(MAKERS) == NAMES
    assert max(path.stat().st_size for path in FOLDER.iterdir()) < 100_000


@pytest.mark.parametrize("name", ["sd1", "tiny-sd1-ldm", "sd2-ldm"])
def test_a_dump_can_be_made_again(name: str) -> None:
    fresh, stored = make(name), dump(name)
    assert {key: Ref(tuple(s)) for key, s in fresh["tensors"].items()} == stored.tensors
    assert tuple(map(tuple, fresh.get("order", ()))) == stored.order
    assert {k: tuple(v) for k, v in fresh.get("sources", {}).items()} == stored.sources


def test_ema_copies_are_those_that_diffusers_reads() -> None:
    from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint

    found = dump("sd1-ldm-ema")
    layout = detect(found.tensors)
    names = {name: name for name in found.tensors}
    read = convert_ldm_unet_checkpoint(names, configs("sd1")["unet"], extract_ema=True)
    assert len(read) == 686
    for name, ema in read.items():
        assert layout.ema_twin(found.sources[f"unet/{name}"][0]) == ema


@pytest.mark.parametrize("name", ["sd2", "sdxl", "sdxl-refiner", "if", "tiny-sd1"])
def test_blocks_run_in_the_order_of_the_dump(name: str) -> None:
    assert tuple(map(tuple, block_order(name))) == dump(name).order
