"""A real browser without a window, where one is installed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def program() -> str | None:
    """Where Chromium is: SURGERY_BROWSER, or a program of the system."""
    return os.environ.get("SURGERY_BROWSER") or next(
        filter(None, map(shutil.which, PROGRAMS)), None
    )


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium, driven by Playwright; skips the test where one of them is missing."""
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    place = program()
    if place is None:
        pytest.skip("no Chromium: apt-get install chromium, or set SURGERY_BROWSER")
    with driver.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=place)
        try:
            yield chromium
        finally:
            chromium.close()


def opened(
    chromium: Browser, file: Path, wrong: list[str], width: int, scheme: str, **more: object
) -> Page:
    """A file in a new page; whatever it says, asks for or gets wrong is added to `wrong`."""

    def asked(url: str) -> None:
        if url != file.as_uri() and not url.startswith("data:"):
            wrong.append(f"request: {url}")

    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, **more)
    page.on("console", lambda one: wrong.append(f"console: {one.text}"))
    page.on("pageerror", lambda one: wrong.append(f"error: {one}"))
    page.on("dialog", lambda one: wrong.append(f"dialog: {one.message}"))
    page.on("request", lambda one: asked(one.url))
    page.goto(file.as_uri())
    return page


def screenshots(instead: Path) -> Path:
    """The folder that SURGERY_SCREENSHOTS names, else another."""
    folder = Path(os.environ.get("SURGERY_SCREENSHOTS") or instead)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
