"""Somebody at a browser: a page of the console, in a browser context of its own, and what the browser complained of."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

from seatd.web.totp import STEP_S
from tests.servers import Server

CHECKS = (Path(__file__).parent / "accessibility.js").read_text()
DESKTOP = (1440, 900)
PATIENCE_S = 30.0
"""So long is waited for what is to come, however much else the machine does. What comes at once makes no test longer."""
REFUSED = re.compile(r"Failed to load resource: .* status of (\d+)")
PASSWORD = "correct horse battery staple"
expect.set_options(timeout=PATIENCE_S * 1000)


class Visitor:
    """`page` is Playwright's. `expected`: HTTP statuses that this visitor provokes (a browser calls each refusal an error);
    `is_cut_off`: so are calls that get no answer. Both are said before it comes to that, for pages also ask by themselves."""

    def __init__(self, node: Server, context: BrowserContext, page: Page) -> None:
        self.node = node
        self.context = context
        self.page = page
        self.expected: set[int] = set()
        self.is_cut_off = False
        self.complaints: list[str] = []
        page.on("console", self._noted)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("dialog", lambda dialog: self.complaints.append(f"native dialog: {dialog.message}"))

    async def visit(self, path: str = "/") -> None:
        """Opens an address of the console: "/licenses?search=call"."""
        await self.page.goto(f"http://{self.node.admin}/console{path}")

    @property
    def address(self) -> str:
        """Where the visitor is, without the console's own part, as far as the browser has told: see `is_at`."""
        return self.page.url.split("/console", 1)[1]

    async def is_at(self, path: str | re.Pattern[str]) -> None:
        """Waits until this is the address, or a pattern is in it: a browser tells of it a little after it is to be seen."""
        await expect(self.page).to_have_url(
            path if isinstance(path, re.Pattern) else f"http://{self.node.admin}/console{path}"
        )

    def role(self, role: Any, name: str, **options: Any) -> Locator:
        """What has this role and this name for a screen reader; the name counts as a whole."""
        return self.page.get_by_role(role, name=name, exact=True, **options)

    def dialog(self, title: str) -> Locator:
        """An open dialog."""
        return self.page.get_by_role("dialog", name=title)

    def row(self, text: str) -> Locator:
        """The row of a table that has this text."""
        return self.page.get_by_role("row").filter(has_text=text)

    async def sees(self, text: str) -> None:
        """Waits until it stands on the page."""
        await expect(self.page.get_by_text(text).first).to_be_visible()

    async def is_accessible(self) -> None:
        """Labels, roles, contrast, sizes of what is to be seen now: what is wrong fails the test."""
        await self.page.wait_for_selector("h1")
        await self.page.wait_for_function(
            "() => !document.getAnimations().some((one) => one.playState === 'running')"
        )
        findings = await self.page.evaluate(CHECKS)
        assert findings == [], "\n".join(findings)

    def _noted(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        if self.is_cut_off and "net::ERR_" in message.text:
            return
        refused = REFUSED.search(message.text)
        asks_who = message.location.get("url", "").endswith("/api/v1/profile")
        if refused and (int(refused[1]) in self.expected or (asks_who and refused[1] == "401")):
            return
        self.complaints.append(f"{message.type}: {message.text} ({message.location})")


@asynccontextmanager
async def visiting(
    browser: Browser, node: Server, *, size: tuple[int, int] = DESKTOP, theme: str = "light"
) -> AsyncIterator[Visitor]:
    """A visitor who has not signed in. At the end, whatever the browser complained of fails the test."""
    width, height = size
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="UTC",
    )
    context.set_default_timeout(PATIENCE_S * 1000)
    try:
        visitor = Visitor(node, context, await context.new_page())
        yield visitor
    finally:
        await context.close()
    assert not visitor.complaints, "\n".join(visitor.complaints)


async def make_administrator(node: Server, name: str, role: str = "operator", **where: Any) -> None:
    """An administrator with a password."""
    grants = [{"role": role, **where}]
    body = {"name": name, "password": PASSWORD, "grants": grants}
    await node.call("POST", "/api/v1/administrators", body)


def now_step() -> int:
    """Whose one-time code an app shows now."""
    return int(time.time()) // STEP_S


async def sign_in(visitor: Visitor, name: str) -> None:
    """Signs an administrator in, in the visitor's browser: by a link, as quickly as can be."""
    node = visitor.node
    made = await node.call("POST", "/api/v1/sign-in-links", {"name": name})
    url = f"http://{node.admin}"
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{url}/api/v1/sign-in", json={"link": made["link"]}) as response,
    ):
        assert response.status == 200, await response.text()
        cookie = response.cookies["seatd"].value
    await visitor.context.add_cookies([{"name": "seatd", "value": cookie, "url": url}])
