"""Webhooks on screen, with a receiver that works and one that does not."""

from __future__ import annotations

from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Locator, expect

from tests.console.visitor import Visitor, make_administrator, sign_in, visiting
from tests.scenarios.company import Company
from tests.servers import Server, Servers, eventually
from tests.web.receiver import Receiver, documented_receiver


async def chosen(visitor: Visitor, url: str, item: str) -> None:
    """Chooses from the menu of a webhook."""
    await visitor.role("button", f"More for {url}").click()
    await visitor.role("menuitem", item).click()


async def added(visitor: Visitor, url: str) -> tuple[Locator, str]:
    """Adds a webhook; the dialog that shows its secret, and the secret."""
    await visitor.role("button", "Add webhook").first.click()
    dialog = visitor.dialog("Add webhook")
    await dialog.get_by_label("Address").fill(url)
    await visitor.is_accessible()
    await dialog.get_by_role("button", name="Add webhook").click()
    shown = visitor.dialog("The webhook's secret")
    return shown, await shown.locator("code").inner_text()


async def was_denied(node: Server, customer: str) -> bool:
    """Whether the stream of events tells of a denial: what a node refuses by itself it tells the store a little later."""
    events = await node.call("GET", f"/api/v1/events?customer={customer}")
    return any(event["type"] == "denied" for event in events["items"])


async def has_dead_letter(node: Server, customer: str) -> bool:
    """Whether something was given up: that happens when its next try is due."""
    path = f"/api/v1/customers/{customer}/webhooks"
    (hook,) = (await node.call("GET", path))["items"]
    return bool((await node.call("GET", f"{path}/{hook['id']}/dead-letters"))["total"])


async def test_a_webhook_from_its_secret_to_its_dead_letters(browser: Browser) -> None:
    receiver = Receiver(204)
    async with TestServer(receiver.app()) as server:
        with Servers() as servers:
            node = servers.start("hooks", WEBHOOKS_ALLOW_PRIVATE="true", WEBHOOKS_ALLOW_HTTP="true")
            company = Company(node)
            await company.licensed("CALL_CENTER:competitive:1")
            await make_administrator(node, "hanna", "owner", customers=[company.name])
            async with visiting(browser, node) as visitor:
                await sign_in(visitor, "hanna")
                await visitor.visit("/webhooks")
                await visitor.sees("No webhooks")
                await visitor.is_accessible()
                url = str(server.make_url("/seatd"))
                shown, secret = await added(visitor, url)
                await visitor.is_accessible()
                await shown.get_by_role("button", name="Done").click()
                await visitor.role("button", f"Test {url}").click()
                await visitor.sees("Delivered in")
                assert receiver.got[-1]["type"] == "test"
                names = documented_receiver(secret)
                signature, body = receiver.raw[-1]
                assert names["is_genuine"](signature, body, names["time"].time())
                await visitor.page.reload()
                await expect(visitor.row(url)).to_be_visible()
                assert secret not in await visitor.page.content()
                await visitor.is_accessible()
                receiver.statuses = [503]
                await visitor.role("button", f"Test {url}").click()
                await visitor.sees("Not delivered:")
                await company.sign_in(node, "eve", "MOBILE")  # a denial, which does not get through
                await eventually(lambda: was_denied(node, company.name))
                await visitor.page.get_by_role("switch", name=f"Send to {url}").click()
                await visitor.sees("The webhook is off.")
                await eventually(lambda: has_dead_letter(node, company.name))
                await chosen(visitor, url, "Dead letters")
                letters = visitor.dialog("Dead letters")
                row = letters.get_by_role("row").filter(has_text="Denial")
                await expect(row).to_contain_text("MOBILE")
                await visitor.is_accessible()
                receiver.statuses = [204]
                before = len(receiver.got)
                await visitor.page.keyboard.press("Escape")
                await visitor.page.get_by_role("switch", name=f"Send to {url}").click()
                await visitor.sees("The webhook is on.")
                await chosen(visitor, url, "Dead letters")
                await letters.get_by_role("button", name="Send all once more").click()
                await visitor.sees("1 delivery sent once more.")
                await expect(row).to_have_count(0)
                while len(receiver.got) == before:
                    await visitor.page.wait_for_timeout(50)
                assert receiver.got[-1]["type"] == "denial"
                await visitor.page.keyboard.press("Escape")
                await chosen(visitor, url, "Delete …")
                await visitor.dialog("Delete this webhook?").get_by_role("button", name="Delete").click()
                await visitor.sees("No webhooks")
            company.leave()
