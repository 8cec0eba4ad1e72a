"""A tab that nobody looks at: its timers run once a minute, and it keeps its seat all the same."""

from __future__ import annotations

import json
from typing import Any

from tests.faults.proxy import Proxy
from tests.protocol.js.people import PRODUCT
from tests.protocol.js.runtimes import HERE, site
from tests.protocol.js.tabs import Tab, tabs
from tests.scenarios.company import Company

HELD_BACK = """
    window.ticks = [];
    setInterval(() => ticks.push(performance.now()), 500);
"""
# By then a page of this visibility has had no tick of its own for longer than the server keeps a session's seats.
NO_TICK_S = 9.0
TOLD = "log.filter(({{event}}) => event?.type === '{kind}')"


async def events(tab: Tab, kind: str) -> list[dict[str, Any]]:
    return [told["event"] for told in await tab.js(TOLD.format(kind=kind))]


async def signed_in(tab: Tab, company: Company, *lines: str) -> dict[str, Any]:
    options = {
        "urls": [f"ws://{line}" for line in lines],
        "tokens": [company.token("ann")],
        "device": {"kind": "web_phone", "id": "tab"},
        "need": [PRODUCT],
    }
    await tab.until("window.driver !== undefined")
    await tab.js(f"driver.make('ann', {json.dumps(options)})")
    answer = await tab.js("driver.call('ann', 'connect')")
    welcome: dict[str, Any] = answer["value"]
    assert welcome["type"] == "welcome"
    return welcome


async def test_a_hidden_tab_keeps_its_seat_and_resumes(company: Company) -> None:
    await company.licensed(f"{PRODUCT}:competitive:1")
    async with site() as address, tabs() as browser, Proxy(company.nodes[0].clients) as proxy:
        phone = await browser.open(f"{address}/{HERE}/page.html")
        welcome = await signed_in(phone, company, proxy.address, company.nodes[1].clients)
        await phone.js(HELD_BACK)
        await browser.open("data:text/html,another tab")
        assert await phone.js("document.visibilityState") == "hidden"
        assert welcome["linger_s"] < NO_TICK_S
        await phone.until(f"performance.now() - ticks.at(-1) > {NO_TICK_S * 1000}")

        # Nothing was lost: beats are answered as they come, which no timer has to do with.
        assert await events(phone, "closed") == []
        assert await events(phone, "lapsed") == []
        assert (await phone.js("driver.look('ann')"))["usable"]

        # Nor is it when the line dies without a word, which only a timer can notice.
        ticks = await phone.js("ticks.length")
        proxy.freeze()
        await phone.until(TOLD.format(kind="welcome") + ".length === 2")
        again = (await events(phone, "welcome"))[1]
        assert (again["resumed"], again["session"]) == (True, welcome["session"])
        assert again["seats"] == welcome["seats"]
        assert (await events(phone, "closed"))[0]["reason"] == "nothing heard for 1.5 s"
        assert await phone.js("document.visibilityState") == "hidden"
        assert await phone.js("ticks.length") <= ticks + 1
        assert await company.used() == 1
        await phone.js("driver.call('ann', 'bye')")


async def test_timers_of_a_hidden_tab_run_on() -> None:
    """A timer that sets the next one, as a client does that tries again and again."""
    async with site() as address, tabs() as browser:
        page = await browser.open(f"{address}/{HERE}/page.html")
        await page.until("window.driver !== undefined")
        await page.js(HELD_BACK)
        await browser.open("data:text/html,another tab")
        await page.until(f"performance.now() - ticks.at(-1) > {NO_TICK_S * 1000}")
        ticks = await page.js("ticks.length")
        await page.js(
            """import("/protocol/js/timers.js").then(({ setTimer }) => {
                window.rounds = 0;
                const round = () => { rounds += 1; setTimer(0.1, round); };
                round();
            })"""
        )
        await page.until("rounds > 50")
        assert await page.js("ticks.length") <= ticks + 1


async def test_tabs_are_devices_of_their_own(company: Company) -> None:
    """Each tab claims an id that no other has, and has it again after a reload."""
    async with site() as address, tabs() as browser:
        claim = "import('/protocol/js/index.js').then(({ claimDeviceId }) => claimDeviceId())"
        first = await browser.open(f"{address}/{HERE}/page.html")
        second = await browser.open(f"{address}/{HERE}/page.html")
        for tab in (first, second):
            await tab.until("window.driver !== undefined")
        ids = [await tab.js(claim) for tab in (first, second)]
        assert len(set(ids)) == 2
        await first.js("window.isOld = true, location.reload()")
        await first.until("window.isOld === undefined && window.driver !== undefined")
        assert await first.js(claim) == ids[0]
