"""Chromium, and pages of it that notice what no page of ours may do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.conftest import unavailable

expect.set_options(timeout=20_000)  # other tests take the processors meanwhile


# Of a module: while it is there, its process has an event loop running, in which others cannot.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; Playwright's own need not be there."""
    program = shutil.which("chromium")
    if program is None:
        unavailable("browser", "chromium is not installed")
    with sync_playwright() as playwright:
        # Root, as CI is, gets no sandbox of Chromium's.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser without cookies."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(30_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page of that browser."""
    return context.new_page()
