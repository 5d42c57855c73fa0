"""The contact sheet shows every set, what should be gone first, and marks what went wrong."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from surgery.pictures.contact import LOST, MOST, MOST_OTHER, TILE, WIDTH, contact_sheet
from surgery.pictures.sheet import GREEN, RED
from surgery.report import Marks, PicturePair, VerifyReport
from surgery.report.verify import Group
from tests.helpers.verify_reports import bare, clip_only, every_kind, failed, passed

NO_GREY = (90, 200)
"""Green and blue of the pictures: words on the sheet are grey, green or red."""


def flat(shade: int) -> str:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), (shade, *NO_GREY)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def pair(group: Group, concept: str, before: int, after: int, *, shown: bool) -> PicturePair:
    marks = Marks(True, shown)
    return PicturePair("a star", 1, group, concept, flat(before), flat(after), marks)


def report(*pairs: PicturePair) -> VerifyReport:
    return replace(bare(), pictures=pairs)


def where(sheet: Image.Image, shade: int) -> tuple[float, float, int]:
    """Middle row, middle column and count of the pixels of one picture."""
    found = np.argwhere((np.asarray(sheet) == (shade, *NO_GREY)).all(axis=2))
    if not len(found):
        return -1.0, -1.0, 0
    return float(np.median(found[:, 0])), float(np.median(found[:, 1])), len(found)


def count(sheet: Image.Image, colour: tuple[int, int, int]) -> int:
    far = np.abs(np.asarray(sheet, np.int16) - np.asarray(colour)).max(axis=2)
    return int((far < 30).sum())


GONE = pair("erased", "van gogh", 10, 20, shown=False)
KEPT = pair("kept", "monet", 30, 40, shown=True)


def test_every_picture_is_there_in_full_before_above_after() -> None:
    sheet = contact_sheet(report(GONE, KEPT))
    for before, after in ((10, 20), (30, 40)):
        upper, lower = where(sheet, before), where(sheet, after)
        assert upper[2] >= TILE * TILE
        assert lower[2] >= TILE * TILE
        assert upper[0] < lower[0]
        assert upper[1] == lower[1]


def test_what_should_be_gone_comes_first_whatever_the_order() -> None:
    for pairs in ((GONE, KEPT), (KEPT, GONE)):
        sheet = contact_sheet(report(*pairs))
        assert where(sheet, 20)[0] < where(sheet, 30)[0]


def test_a_picture_that_went_wrong_has_a_frame_and_others_have_none() -> None:
    right = contact_sheet(report(GONE, KEPT))
    wrong = contact_sheet(report(replace(GONE, marks=Marks(True, True)), KEPT))
    assert count(wrong, RED) - count(right, RED) > 4 * TILE
    lost = contact_sheet(report(GONE, replace(KEPT, marks=Marks(True, False))))
    assert count(lost, RED) - count(right, RED) > 4 * TILE


def test_where_no_judge_can_say_nothing_is_marked() -> None:
    unknown = replace(KEPT, marks=Marks(clip_before=30.0, clip_after=10.0))
    sheets = [contact_sheet(report(GONE, one)) for one in (KEPT, unknown)]
    assert count(sheets[0], RED) == count(sheets[1], RED)


def test_of_many_pictures_some_are_shown_and_no_wrong_one_is_left_out() -> None:
    fine = [pair("kept", "monet", 100, 101 + at, shown=True) for at in range(9)]
    sheet = contact_sheet(report(*fine, pair("kept", "monet", 100, 200, shown=False)))
    shades = [101 + at for at in range(9) if where(sheet, 101 + at)[2] >= TILE * TILE]
    assert len(shades) == MOST_OTHER - 1
    assert where(sheet, 200)[2] >= TILE * TILE


def test_more_is_shown_of_what_should_be_gone() -> None:
    many = [pair("erased", "x", 100, 101 + at, shown=False) for at in range(12)]
    sheet = contact_sheet(report(*many))
    assert sum(where(sheet, 101 + at)[2] >= TILE * TILE for at in range(12)) == MOST
    assert sheet.width == WIDTH


def test_sets_that_do_not_fit_beside_each_other_go_on_below() -> None:
    kept = [pair("kept", f"artist {at}", 100, 101 + at, shown=True) for at in range(9)]
    sheet = contact_sheet(report(*kept))
    rows = [where(sheet, 101 + at)[0] for at in range(9)]
    assert rows == sorted(rows)
    assert len(set(rows)) == 3


def test_the_verdict_has_the_colour_of_its_gates() -> None:
    only_words = [replace(one, pictures=()) for one in (passed(), failed(), clip_only())]
    good, bad, open_ended = map(contact_sheet, only_words)
    assert count(good, GREEN) > 0
    assert count(good, RED) == 0
    assert count(bad, RED) > 0
    assert count(open_ended, RED) == count(open_ended, GREEN) == 0


def test_a_picture_that_cannot_be_read_leaves_its_place_empty() -> None:
    sheet = contact_sheet(report(replace(GONE, after="AAAA"), replace(KEPT, before="?")))
    assert int((np.asarray(sheet) == LOST).all(axis=2).sum()) >= 2 * TILE * TILE
    assert where(sheet, 10)[2] >= TILE * TILE


@pytest.mark.parametrize("name", every_kind())
def test_every_kind_of_report_has_a_sheet_and_always_the_same(name: str) -> None:
    sheets = [contact_sheet(every_kind()[name]) for _ in range(2)]
    assert sheets[0].tobytes() == sheets[1].tobytes()
    assert sheets[0].width == WIDTH
