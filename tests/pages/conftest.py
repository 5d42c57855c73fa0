"""Pages in a real browser: each test module says by `made(kind)` what its pages are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.helpers.browser import browser, opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as one:
        yield one


@pytest.fixture
def visit(
    request: pytest.FixtureRequest, chromium: Browser, tmp_path: Path
) -> Iterator[Callable[..., Page]]:
    """Opens a report's page; at the end nothing may have gone wrong on it."""
    wrong: list[str] = []
    pages: list[Page] = []

    def visited(kind: str, width: int = 1280, scheme: str = "light", **more: object) -> Page:
        file = tmp_path / f"{kind}.html"
        file.write_text(request.module.made(kind), encoding="utf-8")
        pages.append(opened(chromium, file, wrong, width, scheme, **more))
        return pages[-1]

    yield visited
    for page in pages:
        page.close()
    assert wrong == []
