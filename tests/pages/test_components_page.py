"""The page of scores shows both sides of every matrix, and lets no name be markup."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from surgery.pages import component_page
from tests.helpers.browser import screenshots
from tests.helpers.component_reports import attribution, hostile

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_it_says_where_most_of_a_concept_is() -> None:
    page = component_page(attribution())
    assert "ff.in[9] holds" in page and "of all that speaks for van gogh." in page
    assert "r = 0.51" in page
    assert "ff.in[4][0, 7]" in page and "ff.out[2][3, 0]" in page
    assert page == component_page(attribution())


def test_every_matrix_has_a_bar_on_either_side() -> None:
    page = component_page(attribution())
    assert len(re.findall(r'<div class="side" role="img"', page)) == 20
    assert len(re.findall(r'class="towards"', page)) == 20


def test_names_are_never_markup() -> None:
    page = component_page(hostile())
    assert "<img src=x" not in page and "</script><b>" not in page and "\x1b" not in page
    assert "No row speaks for" in page


def made(kind: str) -> str:
    """What `visit` opens."""
    return component_page({"attribution": attribution, "hostile": hostile}[kind]())


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_it_without_complaint_and_without_scrolling_sideways(
    visit: Callable[..., Page], tmp_path: Path, width: int, scheme: str
) -> None:
    page = visit("attribution", width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    file = screenshots(tmp_path) / f"components-{width}-{scheme}.png"
    page.screenshot(path=file, full_page=True)
    assert file.stat().st_size > 5_000
