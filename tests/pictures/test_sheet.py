"""The contact sheet shows every picture it was given, before above after."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from surgery.pictures.sheet import TILE, Group, contact_sheet, save


def _flat(*shades: int) -> np.ndarray:
    return np.stack([np.full((64, 64, 3), shade, np.uint8) for shade in shades])


def _sheet() -> Image.Image:
    groups = [Group("van gogh", True, _flat(10, 20), _flat(30, 40))]
    groups.append(Group("monet", False, _flat(50), _flat(60)))
    return contact_sheet("remove_vangogh", "same seeds", groups)


def test_holds_each_picture_once_at_full_size() -> None:
    pixels = np.asarray(_sheet())
    for shade in (10, 20, 30, 40, 50, 60):
        assert (pixels == shade).all(axis=2).sum() >= TILE * TILE


def test_puts_before_above_after_in_the_same_column() -> None:
    pixels = np.asarray(_sheet())
    rows, columns = {}, {}
    for shade in (20, 40):
        where = np.argwhere((pixels == shade).all(axis=2))
        rows[shade], columns[shade] = np.median(where[:, 0]), np.median(where[:, 1])
    assert rows[20] < rows[40]
    assert columns[20] == columns[40]


def test_saves_a_whole_png_and_nothing_else(tmp_path: Path) -> None:
    save(_sheet(), tmp_path / "sheet.png")
    assert [one.name for one in tmp_path.iterdir()] == ["sheet.png"]
    assert Image.open(tmp_path / "sheet.png").size == _sheet().size


def test_leaves_nothing_behind_when_it_cannot_save(tmp_path: Path) -> None:
    (tmp_path / "sheet.png").mkdir()
    with pytest.raises(OSError):
        save(_sheet(), tmp_path / "sheet.png")
    assert [one.name for one in tmp_path.iterdir()] == ["sheet.png"]
