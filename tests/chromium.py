"""The browser of the tests: Debian's Chromium, or what SEATD_CHROMIUM names.

Pages are opened in its headless shell where that is installed, which runs and draws them alike and needs half the CPU: it has
no tabs and windows. Tests of tabs need the whole browser.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright

MISSING = "Chromium is not installed, so nothing is tested in a browser (on Debian: apt-get install chromium)"
ARGUMENTS = ["--disable-dev-shm-usage", "--no-first-run", "--disable-gpu"]


def chromium_path() -> str | None:
    """A browser for pages; None: there is none."""
    named = os.environ.get("SEATD_CHROMIUM")
    return named or shutil.which("chromium-headless-shell") or whole_chromium_path()


def whole_chromium_path() -> str | None:
    """A browser with tabs; None: there is none."""
    return shutil.which("chromium") or shutil.which("google-chrome")


@asynccontextmanager
async def running_chromium(path: str) -> AsyncIterator[Browser]:
    """A browser, without a window."""
    arguments = [*ARGUMENTS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=arguments)
        try:
            yield browser
        finally:
            await browser.close()


class SharedBrowser:
    """A browser that is started when the first test asks for it, and serves all further ones: to start it takes longer than
    most of them. It belongs to the event loop that started it."""

    def __init__(self) -> None:
        self._running = AsyncExitStack()
        self._browser: Browser | None = None

    async def get(self) -> Browser:
        """The browser; where there is none, the test is skipped."""
        if self._browser is None:
            path = chromium_path()
            if path is None:
                pytest.skip(MISSING)
            self._browser = await self._running.enter_async_context(running_chromium(path))
        return self._browser

    async def close(self) -> None:
        """Ends it, if it was started."""
        await self._running.aclose()
