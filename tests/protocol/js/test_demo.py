"""The demo's web phone, as a person sees it: in tabs of a real browser, on a real server."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.chromium import SharedBrowser
from tests.protocol.js.runtimes import ROOT
from tests.servers import eventually


def demo() -> ModuleType:
    spec = importlib.util.spec_from_file_location("web_phone", ROOT / "protocol/js/demo/serve.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Phone:
    """A tab with the phone in it. Each is told in what the person reads."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", self._console)

    def _console(self, message: Any) -> None:
        if (
            message.type == "error" and "WebSocket" not in message.text
        ):  # a line that was cut is told there, too
            self.problems.append(message.text)

    async def sign_in(self, user: str) -> None:
        await self.page.fill("#user", user)
        await self.page.click("#enter")

    async def shows(self, place: str, text: str) -> None:
        """Waits until that stands there."""
        await self.page.wait_for_function(
            "([place, text]) => document.getElementById(place).textContent.includes(text)", arg=[place, text]
        )

    async def text(self, place: str) -> str:
        return str(await self.page.text_content(f"#{place}"))


async def test_a_day_of_the_web_phone(tmp_path: Path, shared_browser: SharedBrowser) -> None:
    chromium = await shared_browser.get()
    async with demo().served(tmp_path, 0) as address, await chromium.new_context() as context:
        anna, ben, cleo = phones = [Phone(await context.new_page()) for _ in range(3)]
        for phone, user in zip(phones, ("anna", "ben", "cleo"), strict=True):
            await phone.page.goto(address)
            await phone.sign_in(user)
            await phone.shows("state", "waiting" if phone is cleo else "signed in")
        await cleo.shows("queue", "place 1")
        await anna.shows("seat", "CALL_CENTER of license")
        await anna.shows("lease-left", " s")
        session = await anna.text("session")

        await anna.page.click("#call")
        await anna.page.click("#cut")
        await anna.shows("state", "reconnecting, seat still usable")
        await anna.shows("state", "signed in")
        assert await anna.text("session") == session
        assert '"resumed":true' in await anna.text("log")
        assert await anna.page.get_attribute("#call", "aria-pressed") == "true"

        await anna.page.click("#force")
        await anna.shows("words", "has signed you out: The demo's administrator has ended this session")
        await anna.shows("state", "signed out")
        await anna.shows("log", "receipt: acknowledged")
        assert await anna.page.is_disabled("#call")
        await cleo.shows("state", "signed in")
        await cleo.shows("queue", "not waiting")

        await anna.sign_in("anna")
        await anna.shows("words", "You were signed out a short while ago")
        for phone in (ben, cleo):
            await phone.page.click("#leave")
            await phone.shows("state", "signed out")
        assert [phone.problems for phone in phones] == [[], [], []]
        assert "secret" not in await cleo.text("log")


async def test_a_name_is_no_place_for_a_script(tmp_path: Path, shared_browser: SharedBrowser) -> None:
    """The page refuses what is no name, and shows what a server says as text."""
    chromium = await shared_browser.get()
    async with demo().served(tmp_path, 0) as address, await chromium.new_page() as page:
        phone = Phone(page)
        await phone.page.goto(address)
        await phone.sign_in("<b>x</b>")
        await eventually(lambda: phone.page.evaluate("!document.getElementById('user').checkValidity()"))
        assert await phone.text("state") == "signed out"
