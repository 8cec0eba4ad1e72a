"""The pictures that the documentation shows: `./dev docs pictures` takes them anew, in docs/pictures/.

They are of the console and of the demo's web phone, each on a real server. Names after it choose some of them.
"""

from __future__ import annotations

import asyncio
import base64
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from playwright.async_api import Browser, Page

from tests.chromium import MISSING, chromium_path, running_chromium
from tests.console.demo import demo
from tests.console.visitor import Visitor, make_administrator, sign_in, visiting
from tests.docs.pages import ROOT
from tests.docs.phones import NAMES as PHONES
from tests.docs.phones import phones
from tests.servers import Server, Servers

FOLDER = ROOT / "docs" / "pictures"
NAME = "olivia@operator.example"
QUALITY = 82


async def _as_it_is(_visitor: Visitor) -> None:
    """Nothing is to be done on the page first."""


async def _forced_out(visitor: Visitor) -> None:
    """The switch of the first user is moved, and the question filled in."""
    row = visitor.row("carla@acme.example").first
    await row.get_by_role("switch").click()
    asked = visitor.dialog("Force out")
    await asked.get_by_label("Reason").fill("Your shift is over")
    await asked.get_by_label("Cool-down").select_option("5 minutes")


class Picture(NamedTuple):
    """One picture: its address in the console, what is done there first, and how large and how bright the window is."""

    address: str
    size: tuple[int, int] = (1280, 760)
    theme: str = "light"
    first: Callable[[Visitor], Awaitable[None]] = _as_it_is


PICTURES = {
    "dashboard": Picture("/dashboard", size=(1280, 840)),
    "licenses": Picture("/licenses"),
    "licenses-dark": Picture("/licenses", theme="dark"),
    "licenses-users": Picture("/licenses?users=acme-call_center-1"),
    "licenses-narrow": Picture("/licenses", size=(390, 760)),
    "force-out": Picture("/licenses?users=acme-call_center-1", first=_forced_out),
    "sessions": Picture("/sessions?customer=acme"),
    "usage": Picture("/usage?resolution=day&by=license", size=(1440, 800)),
    "customer": Picture("/customers/acme", size=(1280, 800)),
}


async def main(chosen: list[str]) -> None:
    """Takes them, with demo data."""
    path = chromium_path()
    if path is None:
        sys.exit(MISSING)
    FOLDER.mkdir(exist_ok=True)
    wanted = {name: picture for name, picture in PICTURES.items() if name in chosen or not chosen}
    async with running_chromium(path) as browser:
        if wanted:
            await _console(browser, wanted)
        if set(PHONES) & set(chosen) or not chosen:
            with tempfile.TemporaryDirectory() as folder:
                async for name, page in phones(browser, Path(folder)):
                    await _kept(page, name)


async def _console(browser: Browser, wanted: dict[str, Picture]) -> None:
    with Servers() as servers:
        node = servers.start("pictures")
        async with demo(node):
            await make_administrator(node, NAME)
            for name, picture in wanted.items():
                await _take(browser, node, name, picture)


async def _take(browser: Browser, node: Server, name: str, picture: Picture) -> None:
    async with visiting(browser, node, size=picture.size, theme=picture.theme) as visitor:
        await sign_in(visitor, NAME)
        await visitor.visit(picture.address)
        await visitor.page.wait_for_selector("h1")
        await visitor.page.wait_for_function("() => !document.querySelector('[data-loading], .skeleton')")
        await picture.first(visitor)
        await _kept(visitor.page, name)


async def _kept(page: Page, name: str) -> None:
    await asyncio.sleep(0.6)  # what moves has come to rest
    devtools = await page.context.new_cdp_session(page)
    shot = await devtools.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    (FOLDER / f"{name}.webp").write_bytes(base64.b64decode(shot["data"]))
    print(f"docs/pictures/{name}.webp", flush=True)
