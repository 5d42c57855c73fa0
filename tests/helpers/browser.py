"""A real browser without a window, where one is installed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

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
