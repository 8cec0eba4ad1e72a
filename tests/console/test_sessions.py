"""Live sessions on screen: who is there, on what, and forcing them out."""

from __future__ import annotations

import re

from playwright.async_api import expect

from seatd_protocol.messages import Logout
from tests.console.conftest import Signed
from tests.scenarios.company import Company
from tests.servers import Server


async def test_a_session_is_forced_out_and_its_client_leaves(
    company: Company, signed: Signed, node: Server
) -> None:
    await company.licensed("CALL_CENTER:competitive:3")
    somebody = await signed("/sessions", "owner", customers=[company.name])
    await somebody.sees("Nobody is signed in")
    await somebody.is_accessible()
    desk = await company.sign_in(node, "ann", "CALL_CENTER", acks=True, device="desk")
    phone = await company.sign_in(node, "ann", "CALL_CENTER", acks=True, device="phone", kind="mobile")
    row = somebody.row("desk")
    await expect(row).to_contain_text("Connected")
    await expect(row).to_contain_text("CALL_CENTER")
    await expect(somebody.row(company.user("ann"))).to_have_count(2)
    await somebody.is_accessible()
    await somebody.role("button", f"Force out {company.user('ann')}, desk").click()
    await somebody.is_accessible()
    await somebody.page.get_by_role("menuitem", name="Only this device").click()
    await somebody.dialog("Force out").get_by_label("Reason").fill("your shift is over")
    await somebody.is_accessible()
    await somebody.dialog("Force out").get_by_role("button", name="Force out").click()
    told = await desk.until(Logout)
    assert told.message == "your shift is over"
    assert await desk.closed() == 4302
    await expect(somebody.dialog("Receipt")).to_contain_text("Acknowledged")
    await somebody.role("button", "Close").last.click()
    await expect(somebody.row("desk")).to_have_count(0)
    await expect(somebody.row("phone")).to_be_visible()
    assert phone.heard_nothing()  # the other device stays


async def test_filters_stand_in_the_address(company: Company, signed: Signed, node: Server) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    await company.sign_in(node, "ann", "CALL_CENTER", device="desk")
    await company.sign_in(node, "bob", "CALL_CENTER", device="handset", kind="mobile", wait_s=600)
    somebody = await signed(f"/sessions?customer={company.name}&state=waiting")
    await expect(somebody.row("bob")).to_contain_text("Waiting")
    await expect(somebody.row("ann")).to_have_count(0)
    await somebody.page.get_by_label("State").select_option("attached")
    await expect(somebody.row("ann")).to_be_visible()
    await expect(somebody.row("bob")).to_have_count(0)
    await somebody.is_at(re.compile("state=attached"))
    await somebody.page.get_by_label("State").select_option("")
    await somebody.page.get_by_label("Device").select_option("mobile")
    await expect(somebody.row("ann")).to_have_count(0)
    await expect(somebody.row("bob")).to_be_visible()
    await somebody.page.get_by_label("Search sessions").fill("nobody-like-it")
    await somebody.sees("No such session")
    await somebody.is_accessible()


async def test_who_may_not_force_out_sees_no_way_to(company: Company, signed: Signed, node: Server) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    await company.sign_in(node, "ann", "CALL_CENTER")
    somebody = await signed("/sessions", "auditor", size=(360, 780), theme="dark", customers=[company.name])
    await expect(somebody.row("ann")).to_be_visible()
    await expect(somebody.page.get_by_role("button", name="Force out")).to_have_count(0)
    await somebody.is_accessible()
