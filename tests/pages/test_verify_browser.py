"""A verification's page in a real browser: its sliders move by mouse, touch and keyboard.

Screenshots are written to the folder that SURGERY_SCREENSHOTS names, else to one that is removed.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from surgery.pages import verify_page
from tests.helpers.browser import screenshots
from tests.helpers.verify_reports import every_kind

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

WIDTHS, SCHEMES = (390, 1280), ("light", "dark")
SMALLEST = 11.5
"""Pixels: no text may be smaller."""
KINDS = every_kind()
Opener = Callable[..., "Page"]


def made(kind: str) -> str:
    """What `visit` opens."""
    return verify_page(KINDS[kind])


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_fits_can_be_read_and_is_kept_as_a_screenshot(
    visit: Opener, tmp_path: Path, kind: str, width: int
) -> None:
    folder = screenshots(tmp_path)
    for scheme in SCHEMES:
        page = visit(kind, width, scheme)
        file = folder / f"verify-{kind}-{width}-{scheme}.png"
        page.screenshot(path=file, full_page=True)
        assert file.stat().st_size > 5_000
        page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(OUTSIDE) == []
        assert page.evaluate(SMALL, SMALLEST) == []


OUTSIDE = """() => [...document.querySelectorAll("main *")].filter((one) => {
  const box = one.getBoundingClientRect();
  const scrolls = one.closest(".scroll, caption");
  return !scrolls && box.width && (box.right > innerWidth + 1 || box.left < -1);
}).map((one) => one.outerHTML.slice(0, 120))"""

SMALL = """(least) => [...document.querySelectorAll("main *")].filter((one) =>
  [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())
  && parseFloat(getComputedStyle(one).fontSize) < least
).map((one) => one.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("scheme", SCHEMES)
def test_text_stands_out_from_its_ground(visit: Opener, scheme: str) -> None:
    for kind in ("passed", "failed"):
        page = visit(kind, scheme=scheme)
        for part in (".state", ".rest", ".pair small", ".dots .name small", ".figures b", "td"):
            ink, ground = page.locator(part).first.evaluate(COLOURS)
            assert contrast(ink, ground) >= 4.5, part


COLOURS = """(one) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const paint = (colour) => {
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const grounds = [];
  for (let at = one; at; at = at.parentElement) grounds.unshift(at);
  const ground = grounds.map((at) => paint(getComputedStyle(at).backgroundColor)).at(-1);
  return [paint(getComputedStyle(one).color), ground];
}"""


def contrast(ink: list[int], ground: list[int]) -> float:
    """WCAG 2.1's contrast ratio of two sRGB colours."""

    def light(colour: list[int]) -> float:
        shares = np.asarray(colour) / 255
        linear = np.where(shares <= 0.03928, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
        return float(linear @ (0.2126, 0.7152, 0.0722))

    low, high = sorted((light(ink), light(ground)))
    return (high + 0.05) / (low + 0.05)


def stage(page: Page, number: int = 0) -> Locator:
    one = page.locator(".pictures").nth(number)
    one.scroll_into_view_if_needed()
    return one


def at(page: Page, number: int = 0) -> float:
    """How much of the picture before is shown, in percent, as the slider and as the style say."""
    one = stage(page, number)
    value = float(one.locator("input").input_value())
    assert float(one.evaluate("one => one.style.getPropertyValue('--at')")) == value
    return value


def pixels(page: Page) -> np.ndarray:
    shot = stage(page).screenshot()
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"), np.int16)


def drag(page: Page, start: float, end: float) -> None:
    box = stage(page).bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + start * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], middle, steps=5)
    page.mouse.up()


def test_dragging_with_the_mouse_uncovers_the_picture(visit: Opener) -> None:
    page = visit("passed")
    assert at(page) == 50
    drag(page, 0.5, 0.9)
    assert at(page) == pytest.approx(90, abs=2)
    before = pixels(page)
    drag(page, 0.9, 0.1)
    assert at(page) == pytest.approx(10, abs=2)
    after = pixels(page)
    wide = before.shape[1]
    middle = slice(int(0.3 * wide), int(0.7 * wide))
    lower = slice(int(0.8 * before.shape[0]), None)
    assert np.abs(before[lower, middle] - after[lower, middle]).mean() > 20


def test_moving_the_mouse_without_a_button_does_nothing(visit: Opener) -> None:
    page = visit("passed")
    stage(page).hover()
    drag(page, 0.5, 0.7)
    page.mouse.move(5, 5)
    assert at(page) == pytest.approx(70, abs=2)


def test_the_keyboard_moves_the_slider_that_has_the_focus_and_no_other(visit: Opener) -> None:
    page = visit("passed")
    stage(page).locator("input").focus()
    first = pixels(page)
    for key, value in (("ArrowRight", 51), ("ArrowLeft", 50), ("Home", 0), ("End", 100)):
        page.keyboard.press(key)
        assert at(page) == value
    assert at(page, 1) == 50
    assert np.abs(first - pixels(page)).mean() > 5
    text = stage(page).locator("input").get_attribute("aria-valuetext")
    assert text == "100 % before"


def test_the_focus_can_be_seen(visit: Opener) -> None:
    page = visit("passed")
    page.locator("input.all").focus()
    page.keyboard.press("Tab")
    assert stage(page).evaluate("one => getComputedStyle(one).outlineStyle") == "solid"


def test_a_tap_moves_the_slider_and_the_page_still_scrolls(visit: Opener) -> None:
    page = visit("passed", 390, has_touch=True)
    box = stage(page).bounding_box()
    assert box is not None
    page.touchscreen.tap(box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2)
    assert at(page) == pytest.approx(80, abs=2)
    assert stage(page).evaluate("one => getComputedStyle(one).touchAction") == "pan-y"


def test_dragging_with_a_finger_uncovers_the_picture(visit: Opener) -> None:
    page = visit("passed", 390, has_touch=True)
    box = stage(page).bounding_box()
    assert box is not None
    finger = page.context.new_cdp_session(page)
    for kind, share in (("touchStart", 0.5), ("touchMove", 0.4), ("touchMove", 0.2)):
        place = {"x": box["x"] + share * box["width"], "y": box["y"] + box["height"] / 2}
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [place]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert at(page) == pytest.approx(20, abs=2)


def test_one_slider_moves_them_all(visit: Opener) -> None:
    page = visit("passed")
    page.locator("input.all").focus()
    page.keyboard.press("Home")
    values = page.eval_on_selector_all(".pictures input", "all => all.map(one => one.value)")
    assert set(values) == {"0"}
    assert len(values) > 10


def test_each_half_shows_its_own_picture(visit: Opener) -> None:
    page = visit("passed")
    half = pixels(page)
    drag(page, 0.5, 0.999)
    before = pixels(page)
    drag(page, 0.9, 0.001)
    after = pixels(page)
    high, wide = half.shape[0], half.shape[1]
    rows = slice(int(0.7 * high), int(0.95 * high))
    left, right = slice(int(0.1 * wide), int(0.4 * wide)), slice(int(0.6 * wide), int(0.9 * wide))
    assert np.abs(half[rows, left] - before[rows, left]).max() < 5
    assert np.abs(half[rows, right] - after[rows, right]).max() < 5


def test_the_figures_of_a_block_are_shown_on_demand(visit: Opener) -> None:
    page = visit("clip", 390)
    page.locator(".cell:not(.none)").first.focus()
    tip = page.get_by_role("tooltip")
    assert "unet: down_blocks.0" in tip.inner_text()
    assert "4 of 60 tensors" in tip.inner_text()


def test_both_pictures_are_there_side_by_side_without_scripts(visit: Opener) -> None:
    page = visit("passed", java_script_enabled=False)
    first, second = (page.locator(f".pictures .{one}").first for one in ("before", "after"))
    left, right = first.bounding_box(), second.bounding_box()
    assert left is not None
    assert right is not None
    assert left["x"] + left["width"] <= right["x"]
    assert left["y"] == right["y"]
    assert page.locator(".all-at-once").is_hidden()
    assert page.locator(".pictures input").first.is_hidden()
