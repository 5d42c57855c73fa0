"""Items: the same pictures whatever they are painted beside, in whichever process."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from surgery.errors import CheckpointError
from surgery.store.checkpoint import open_checkpoint
from surgery.verify.items import (
    Batch,
    Item,
    ItemResult,
    Painting,
    batches,
    chunks,
    items,
    run_item,
)
from surgery.verify.painting import forget
from tests.helpers.tiny import write_pipeline

QUICK = Painting(steps=2)
PROMPTS = ("a red star", "a blue ball by monet", "van gogh", "a ring")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pipeline(tmp_path_factory.mktemp("models") / "tiny")


def item(folder: Path, painting: Painting = QUICK, *made: Batch) -> Item:
    batch = Batch(PROMPTS, (1, 2, 3, 4), 3.0)
    fingerprint = open_checkpoint(folder).fingerprint
    return Item(0, "before", str(folder), fingerprint, made or (batch,), painting)


def test_prompts_are_grouped_within_their_guidance() -> None:
    asks = [(str(number), number, 3.0 if number % 2 else 7.5) for number in range(7)]
    assert batches(asks, 2) == ((0, 2), (4, 6), (1, 3), (5,))


def test_chunks_hold_neighbours_up_to_a_size() -> None:
    assert chunks("abcde", [2, 2, 5, 1, 1], 4) == (("a", "b"), ("c",), ("d", "e"))
    assert chunks("ab", [9, 9], 1) == (("a",), ("b",))
    assert chunks("", [], 4) == ()


def test_both_models_paint_the_same_prompts_side_by_side() -> None:
    made = [Batch((str(number),), (number,), 3.0) for number in range(3)]
    found = items([("a", "1"), ("b", "2")], made, QUICK, batch=2)
    assert [(one.number, one.arm, one.model, len(one)) for one in found] == [
        (0, "before", "a", 2),
        (1, "after", "b", 2),
        (2, "before", "a", 1),
        (3, "after", "b", 1),
    ]
    assert found[0].batches == found[1].batches


def test_an_item_and_its_result_go_to_other_processes(folder: Path) -> None:
    asked = pickle.loads(pickle.dumps(item(folder)))
    assert asked == item(folder)
    made = pickle.loads(pickle.dumps(run_item(asked)))
    assert isinstance(made, ItemResult)
    assert (made.pictures.dtype, len(made.pictures)) == (np.uint8, 4)
    assert made.evaluations == 2 * 2 * 4


def test_the_same_item_gives_the_same_pictures_bit_for_bit(folder: Path) -> None:
    first = run_item(item(folder)).pictures
    forget()
    np.testing.assert_array_equal(first, run_item(item(folder)).pictures)


def test_what_else_is_in_an_item_changes_no_picture(folder: Path) -> None:
    two = Batch(PROMPTS[:2], (1, 2), 3.0), Batch(PROMPTS[2:], (3, 4), 7.5)
    together = run_item(item(folder, QUICK, *two)).pictures
    alone = [run_item(item(folder, QUICK, one)).pictures for one in two]
    np.testing.assert_array_equal(together, np.concatenate(alone))


def test_how_many_threads_the_process_has_changes_no_picture(folder: Path) -> None:
    before = torch.get_num_threads()
    found = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        try:
            found.append(run_item(item(folder)).pictures)
            assert torch.get_num_threads() == threads
        finally:
            torch.set_num_threads(before)
    np.testing.assert_array_equal(*found)


def test_a_picture_depends_on_its_seed_and_on_the_scheduler_that_is_given(folder: Path) -> None:
    plain = run_item(item(folder)).pictures
    assert not np.array_equal(plain[0], plain[3])
    scheduler = '{"prediction_type": "v_prediction", "beta_schedule": "linear"}'
    other = run_item(item(folder, replace(QUICK, scheduler=scheduler))).pictures
    assert not np.array_equal(plain, other)


def test_a_model_that_changed_meanwhile_is_refused(folder: Path) -> None:
    forget()
    with pytest.raises(CheckpointError, match="changed while it was verified"):
        run_item(replace(item(folder), fingerprint="another"))
