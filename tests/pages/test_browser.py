"""Pages in a real browser: no error, no request, readable on a phone, figures on demand.

Screenshots are written to the folder that SURGERY_SCREENSHOTS names, else to one that is removed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from surgery.pages import probe_page
from tests.helpers.browser import screenshots
from tests.helpers.probe_reports import every_kind, trace_text

if TYPE_CHECKING:
    from playwright.sync_api import Page

WIDTHS, SCHEMES = (390, 1280), ("light", "dark")
GAPS = replace(
    trace_text(),
    scores=tuple(one for one in trace_text().scores if one.name != "text.self_attn[1] at last"),
)
KINDS = {**every_kind(), "gaps": GAPS}
Opener = Callable[..., "Page"]


def made(kind: str) -> str:
    """What `visit` opens."""
    return probe_page(KINDS[kind])


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", every_kind())
def test_a_page_fits_and_is_kept_as_a_screenshot(
    visit: Opener, tmp_path: Path, kind: str, width: int
) -> None:
    folder = screenshots(tmp_path)
    for scheme in SCHEMES:
        page = visit(kind, width, scheme)
        page.eval_on_selector_all(
            "details", "all => all.slice(0, 3).forEach(one => one.open = true)"
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        file = folder / f"probe-{kind}-{width}-{scheme}.png"
        page.screenshot(path=file, full_page=True)
        assert file.stat().st_size > 5_000


def ground(page: Page) -> str:
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_switch_changes_the_colours_and_back(visit: Opener, scheme: str) -> None:
    page = visit("locogen", scheme=scheme)
    before = ground(page)
    page.get_by_role("button", name="Use ").click()
    after = ground(page)
    assert after != before
    page.get_by_role("button", name="Use ").click()
    assert ground(page) == before


def test_the_colours_follow_the_system_until_the_switch_is_used(visit: Opener) -> None:
    assert ground(visit("sdxl", scheme="light")) != ground(visit("sdxl", scheme="dark"))


def test_pointing_at_a_bar_shows_its_figures_and_its_pictures(visit: Opener) -> None:
    page = visit("locogen")
    page.locator(".well.found").hover()
    tip = page.get_by_role("tooltip")
    assert "cross-attention layers 2 to 4" in tip.inner_text()
    assert "shown in 0 % of 48 pictures" in tip.inner_text()
    assert tip.locator("img").count() == 3
    box = tip.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 1280


def test_a_tap_shows_the_figures_on_a_phone(visit: Opener) -> None:
    page = visit("trace_unet", 390, has_touch=True)
    page.locator(".cell").nth(5).tap()
    assert "self-attention layer 5" in page.get_by_role("tooltip").inner_text()


def test_the_keyboard_reaches_every_cell_with_one_stop_for_each_chart(visit: Opener) -> None:
    page = visit("trace_text")
    assert page.locator(".heat button[tabindex='0']").count() == 3
    page.locator(".cell.found").focus()
    tip = page.get_by_role("tooltip")
    assert "layer 0 at the last subject token" in tip.inner_text()
    page.keyboard.press("ArrowRight")
    assert "layer 1 at the last subject token" in tip.inner_text()
    page.keyboard.press("ArrowDown")
    assert "layer 1 at the words after" in tip.inner_text()
    page.keyboard.press("Escape")
    assert tip.is_hidden()


def test_the_keyboard_steps_over_a_place_that_was_not_tried(visit: Opener) -> None:
    page = visit("gaps")
    page.locator(".cell.found").focus()
    page.keyboard.press("ArrowRight")
    assert "self-attention layer 2 at the last" in page.get_by_role("tooltip").inner_text()


def test_a_concept_of_a_survey_opens_and_closes(visit: Opener) -> None:
    page = visit("survey", 390)
    concept = page.locator("details.concept").first
    assert concept.locator("h2").first.is_hidden()
    concept.locator("summary").first.click()
    assert concept.locator("h2").first.is_visible()


def test_figures_are_there_without_scripts(visit: Opener) -> None:
    page = visit("locogen", java_script_enabled=False)
    assert "58 % (54 to 60)" in page.locator("table").first.inner_text()
    assert page.locator(".theme").is_hidden()
