"""Dialogs that somebody would close while they do something: no answer is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Route, expect

from tests.console.conftest import Signed
from tests.console.test_licenses import license_key, paste, seat
from tests.console.visitor import Visitor
from tests.scenarios.company import Company


@asynccontextmanager
async def held_up(visitor: Visitor, path: str, method: str = "POST", **answer: object) -> AsyncIterator[None]:
    """Until the end the server does not get what is sent there; then it does, unless it is answered for it."""
    arrived, goes_on = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        if route.request.method != method or "dry_run" in route.request.url:
            return await route.continue_()
        arrived.set()
        await goes_on.wait()
        return await (route.fulfill(**answer) if answer else route.continue_())  # type: ignore[arg-type]

    await visitor.page.route(f"**/api/v1{path}*", hold)
    yield
    await asyncio.wait_for(arrived.wait(), 30)
    await visitor.page.keyboard.press("Escape")
    await visitor.page.keyboard.press("Escape")  # which browsers let through
    goes_on.set()


async def test_a_token_is_shown_all_the_same(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    somebody = await signed("/tokens?create=1", "owner", customers=[company.name])
    dialog = somebody.dialog("Create token")
    await dialog.get_by_label("Name").fill("billing")
    async with held_up(somebody, "/tokens"):
        await dialog.get_by_role("button", name="Create token").click()
        await expect(dialog.get_by_role("button", name="Cancel")).to_be_disabled()
        await expect(dialog.get_by_role("button", name="Close")).to_be_disabled()
        await somebody.is_accessible()
    await expect(somebody.dialog("The new token").locator("code")).to_contain_text("seatd_")


async def test_a_receipt_is_shown_all_the_same(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    ann = await seat(company, "ann", device="desk")
    somebody = await signed("/sessions", "owner", customers=[company.name])
    await somebody.role("button", f"Force out {company.user('ann')}, desk").click()
    await somebody.page.get_by_role("menuitem", name="Only this device").click()
    async with held_up(somebody, "/logout"):
        await somebody.dialog("Force out").get_by_role("button", name="Force out").click()
    await expect(somebody.dialog("Receipt")).to_contain_text("Acknowledged")
    assert await ann.closed() == 4302


async def test_a_failure_is_told_all_the_same(company: Company, signed: Signed) -> None:
    await company.licensed("MOBILE:nominal:3")
    somebody = await signed("/licenses", "owner", customers=[company.name])
    somebody.expected = {503}
    await paste(somebody, license_key(company))
    add = somebody.dialog("Add license").get_by_role("button", name="Add license")
    problem = '{"code": "unavailable", "detail": "The store is away"}'
    async with held_up(somebody, "/licenses", status=503, body=problem):
        await add.click()
    await expect(somebody.page.locator(".toast.bad")).to_contain_text("The store is away")
