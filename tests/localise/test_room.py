from __future__ import annotations

import pytest

from surgery.localise.room import LIBRARIES, room_for
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from tests.helpers.dumps import dump


@pytest.fixture
def sdxl(monkeypatch: pytest.MonkeyPatch) -> Checkpoint:
    checkpoint = open_checkpoint("atelier")
    object.__setattr__(checkpoint, "tensors", dump("sdxl").tensors)
    return checkpoint


def test_a_small_model_takes_what_the_libraries_take() -> None:
    assert LIBRARIES < room_for(open_checkpoint("atelier"), "float32") < 1.2 * LIBRARIES


def test_a_large_one_takes_its_weights_and_half_as_much_again(sdxl: Checkpoint) -> None:
    # Networks of 2.57, 0.12, 0.69 and 0.08 billion entries.
    assert 20e9 < room_for(sdxl, "float32") < 22e9
    half = room_for(sdxl, "float16")
    assert half == room_for(sdxl, "bfloat16")
    assert 2 * (half - LIBRARIES) == pytest.approx(room_for(sdxl, "float32") - LIBRARIES)
