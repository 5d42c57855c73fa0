"""The page of scores shows both sides of every matrix, and lets no name be markup."""

from __future__ import annotations

import re

import pytest

from surgery.pages import component_page
from tests.helpers.browser import browser, program
from tests.helpers.component_reports import attribution, hostile


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


@pytest.mark.skipif(program() is None, reason="no Chromium here")
@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_shows_it_without_complaint_and_without_scrolling_sideways(
    width: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("page") / "components.html"
    place.write_text(component_page(attribution()), "utf-8")
    with browser() as opened:
        page = opened.new_page(viewport={"width": width, "height": 900})
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(place.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.screenshot(path=place.with_suffix(".png"), full_page=True)
        assert not said
