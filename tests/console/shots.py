"""`./dev shots`: pictures of all pages of the console, light, dark and narrow, with demo data, in shots/.

Pages come from js/pages/index.js by themselves. One whose path has a name in it, or that has more to show, says in `PLACES`
which addresses to visit; arguments choose pages by a part of their path.
"""

from __future__ import annotations

import asyncio
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from playwright.async_api import Browser

from seatd.web.console_files import FOLDER
from tests.chromium import MISSING, chromium_path, running_chromium
from tests.console.demo import Demo, demo
from tests.console.visitor import Visitor, make_administrator, sign_in, visiting
from tests.servers import Server, Servers

ROOT = Path(__file__).parent.parent.parent
SHOTS = ROOT / "shots"
VIEWS = {"light": ((1440, 900), "light"), "dark": ((1440, 900), "dark"), "narrow": ((360, 780), "light")}
NAME = "olivia@operator.example"


def places(made: Demo) -> dict[str, tuple[str, ...]]:
    """Addresses to visit by a page's path, where that is not enough by itself."""
    return {
        "/customers/:customer": tuple(f"/customers/acme{tab}" for tab in ("", "?tab=audit", "?tab=invoices")),
        "/users": tuple(
            f"/users?customer=acme{tab}" for tab in ("", "&tab=extensions", "&tab=extensions&bulk=open")
        ),
        "/licenses": ("/licenses", f"/licenses?users={made.license}", "/licenses?search=nothing+like+it"),
        "/activity": ("/activity", "/activity?resolution=hour&by=license&customer=acme"),
        "/usage": ("/usage", "/usage?resolution=day&by=license", f"/usage?by=license&details={_seats(made)}"),
        "/denials": ("/denials?customer=bluebay", "/denials"),
        "/events": ("/events?customer=acme",),
        "/audit": ("/audit?customer=acme", "/audit"),
        "/tokens": ("/tokens", "/tokens?create=1"),
        "/administrators": ("/administrators", "/administrators?create=1"),
        "/queue": ("/queue", "/queue?customer=bluebay"),
        "/webhooks": ("/webhooks?customer=acme", "/webhooks"),
    }


def _seats(made: Demo) -> str:
    """Names the row of usage that is about the demo's license now."""
    hour = datetime.now(UTC).strftime("%Y-%m-%dT%H:00:00Z")
    return quote(f"acme|||{made.license}|{hour}")


def pages() -> list[str]:
    """The paths of all pages."""
    return re.findall(r'path: "([^"]+)"', (FOLDER / "js/pages/index.js").read_text())


async def main(chosen: list[str]) -> None:
    """Makes the pictures."""
    path = chromium_path()
    if path is None:
        sys.exit(MISSING)
    SHOTS.mkdir(exist_ok=True)
    with Servers() as servers:
        node = servers.start("shots")
        async with demo(node) as made, running_chromium(path) as browser:
            await make_administrator(node, NAME)
            for view in VIEWS:
                await _view(browser, node, view, made, chosen)
    print(f"The pictures are in {SHOTS}")


async def _view(browser: Browser, node: Server, view: str, made: Demo, chosen: list[str]) -> None:
    size, theme = VIEWS[view]
    async with visiting(browser, node, size=size, theme=theme) as visitor:
        if not chosen or "sign-in" in chosen:
            await _shot(visitor, "/sign-in", f"sign-in-{view}")
        await sign_in(visitor, NAME)
        for path in pages():
            if chosen and not any(part in path for part in chosen):
                continue
            for number, address in enumerate(places(made).get(path, (path,))):
                if ":" not in address:
                    name = path.strip("/").replace("/", "-").replace(":", "") or "start"
                    await _shot(visitor, address, f"{name}{number or ''}-{view}")


async def _shot(visitor: Visitor, address: str, name: str) -> None:
    await visitor.visit(address)
    await visitor.page.wait_for_selector("h1")
    await visitor.page.wait_for_function("() => !document.querySelector('[data-loading], .skeleton')")
    await asyncio.sleep(0.6)
    is_wide = not name.endswith("narrow")  # there a list is many screens long
    await visitor.page.screenshot(path=SHOTS / f"{name}.png", full_page=is_wide)
    print(name, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
