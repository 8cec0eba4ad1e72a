"""The browser that the console is tested in: Debian's Chromium, or what SEATD_CHROMIUM names."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

MISSING = "Chromium is not installed, so the console is not tested (on Debian: apt-get install chromium)"
ARGUMENTS = ["--disable-dev-shm-usage", "--no-first-run", "--disable-gpu"]


def chromium_path() -> str | None:
    """Where it is; None: nowhere."""
    named = os.environ.get("SEATD_CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("google-chrome")


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
