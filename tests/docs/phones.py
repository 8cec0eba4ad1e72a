"""The demo's web phone as different people have it on their screens, on a real server with a license of two seats."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import Browser, Page

from tests.protocol.js.test_demo import Phone, demo

SIZE = (430, 545)
NAMES = ("phone-working", "phone-waiting", "phone-forced-out")


async def phones(browser: Browser, data: Path) -> AsyncIterator[tuple[str, Page]]:
    """Each of the pictures' names, and the page that is to be seen on it."""
    working, waiting, forced_out = NAMES
    async with demo().served(data, 0) as address:
        width, height = SIZE
        context = await browser.new_context(viewport={"width": width, "height": height}, locale="en-GB")
        try:
            anna, ben, cleo = [
                await _signed_in(await context.new_page(), address, user) for user in ("anna", "ben", "cleo")
            ]
            await anna.shows("state", "signed in")
            await anna.page.click("#call")
            yield working, anna.page
            await cleo.shows("queue", "place 1")
            yield waiting, cleo.page
            await ben.page.click("#force")
            await ben.shows("state", "signed out")
            await ben.shows("log", "receipt: acknowledged")
            yield forced_out, ben.page
        finally:
            await context.close()


async def _signed_in(page: Page, address: str, user: str) -> Phone:
    phone = Phone(page)
    await page.goto(address)
    await phone.sign_in(user)
    await phone.shows("state", "waiting" if user == "cleo" else "signed in")
    return phone
