"""Administrators, API tokens and the audit trail that tells of them; and what the deployment's checks say."""

from __future__ import annotations

import re

import aiohttp
from playwright.async_api import expect

from tests.console.conftest import Signed
from tests.console.visitor import PASSWORD, Visitor
from tests.scenarios.company import Company
from tests.servers import Server


async def status_with(node: Server, token: str) -> int:
    """What a call with this token answers."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.get(f"http://{node.admin}/api/v1/licenses") as response,
    ):
        return response.status


async def test_a_token_is_shown_once_and_taken_back(company: Company, signed: Signed, node: Server) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    somebody = await signed("/tokens", "owner", customers=[company.name])
    await somebody.sees("No API tokens")
    await somebody.role("button", "Create token").first.click()
    dialog = somebody.dialog("Create token")
    await dialog.get_by_role("button", name="Create token").click()
    await somebody.sees("Name is needed.")
    await somebody.is_accessible()
    await dialog.get_by_label("Name").fill("billing")
    await dialog.get_by_role("button", name="Create token").click()
    shown = somebody.dialog("The new token")
    token = await shown.locator("code").inner_text()
    await somebody.is_accessible()
    assert token.startswith("seatd_")
    assert await status_with(node, token) == 200
    await shown.get_by_role("button", name="Done").click()
    await expect(somebody.row("billing")).to_contain_text(f"Auditor of {company.name}")
    await somebody.page.reload()
    await expect(somebody.row("billing")).to_be_visible()
    assert token not in await somebody.page.content()
    await somebody.is_accessible()
    await somebody.role("button", "Take back billing").click()
    await somebody.dialog("Take back billing?").get_by_role("button", name="Take back").click()
    await somebody.sees("No API tokens")


async def test_an_administrator_is_made_and_signs_in_by_the_link(
    company: Company, signed: Signed, visitor: Visitor
) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    name = f"adam@{company.domain}"
    somebody = await signed("/administrators", "owner", customers=[company.name])
    await somebody.role("button", "Add administrator").first.click()
    dialog = somebody.dialog("Add administrator")
    await dialog.get_by_label("Name").fill(name)
    await dialog.get_by_label("Role").select_option("supervisor")
    await dialog.get_by_role("button", name="Add administrator").click()
    await somebody.sees("Say which domains.")
    await somebody.is_accessible()
    await dialog.get_by_label("Domains").fill(company.domain)
    await dialog.get_by_role("button", name="Add administrator").click()
    shown = somebody.dialog(f"Sign-in link for {name}")
    link = await shown.locator("code").inner_text()
    await somebody.is_accessible()
    await shown.get_by_role("button", name="Done").click()
    await visitor.page.goto(link)
    await visitor.role("button", "Sign in").click()
    await expect(visitor.page.get_by_text(re.compile("^Supervisor of")).first).to_be_visible()
    await expect(somebody.row(name)).to_contain_text("Link only")
    await somebody.role("button", f"Change {name}").click()
    await somebody.role("menuitem", "Grants …").click()
    await somebody.is_accessible()
    await somebody.dialog("Grants of").get_by_label("Role").select_option("admin")
    await somebody.dialog("Grants of").get_by_label("Domains").fill("")
    await somebody.dialog("Grants of").get_by_role("button", name="Save").click()
    await expect(somebody.row(name)).to_contain_text(f"Admin of {company.name}")
    await somebody.role("button", f"Change {name}").click()
    await somebody.role("menuitem", "Disable …").click()
    visitor.expected = {401}  # whose session is over
    await somebody.page.get_by_role("dialog").get_by_role("button", name="Disable").click()
    await expect(somebody.row(name)).to_contain_text("Disabled")
    await somebody.is_accessible()
    await visitor.page.reload()
    await expect(visitor.role("heading", "Sign in")).to_be_visible()


async def test_the_trail_shows_a_difference_and_its_chain_holds(
    company: Company, signed: Signed, node: Server
) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    await node.call("PATCH", f"/api/v1/customers/{company.name}", {"name": "Acme"})
    await node.call("PATCH", f"/api/v1/customers/{company.name}", {"name": "Acme & <Sons>"})
    somebody = await signed("/audit", "auditor", customers=[company.name])
    await somebody.page.get_by_role(
        "button", name=re.compile("View difference: customers.change")
    ).first.click()
    dialog = somebody.dialog("customers.change")
    await expect(dialog).to_contain_text("Acme & <Sons>")
    await somebody.is_accessible()
    await somebody.page.reload()  # the dialog is part of the address
    await expect(dialog).to_contain_text("Acme & <Sons>")
    await dialog.get_by_role("tab", name="JSON").click()
    await expect(dialog.get_by_role("region", name="JSON")).to_contain_text('"hash"')
    await somebody.is_accessible()
    await somebody.page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await somebody.role("button", "Verify the chain").click()
    await expect(somebody.page.get_by_text(re.compile(r"Chain verified: \d+ entries"))).to_be_visible()
    await somebody.is_accessible()
    await somebody.page.get_by_label("Action").select_option("licenses")
    await expect(somebody.row("customers.change")).to_have_count(0)
    await expect(somebody.row("licenses.import")).to_be_visible()
    await somebody.role("button", "Export").click()
    async with somebody.page.expect_download() as started:
        await somebody.role("menuitem", "CSV").click()
    text = (await (await started.value).path()).read_text()
    assert "licenses.import" in text
    assert "customers.change" not in text


async def test_an_entry_that_cannot_be_fetched_is_told_and_tried_again(
    company: Company, signed: Signed, node: Server
) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    trail = await node.call("GET", f"/api/v1/audit?customer={company.name}")
    link = f"/audit?actor=nobody&entry={trail['items'][0]['id']}"  # it is not in the list
    somebody = await signed("/queue", "auditor", customers=[company.name])
    somebody.expected = {503}
    problem = '{"code": "unavailable", "detail": "The store is away"}'
    one = re.compile(r"/api/v1/audit\?.*size=1(&|$)")
    await somebody.page.route(one, lambda route: route.fulfill(status=503, body=problem))
    await somebody.visit(link)
    await expect(somebody.page.locator(".toast.bad")).to_contain_text("The store is away")
    await somebody.is_at("/audit?actor=nobody")
    await somebody.page.unroute(one)
    await somebody.visit(link)
    await expect(somebody.dialog("licenses.import")).to_be_visible()


async def test_an_operator_sees_the_deployments_own_trail(signed: Signed) -> None:
    somebody = await signed("/audit?action=administrator", size=(360, 780), theme="dark")
    await expect(somebody.row("administrator.create").first).to_be_visible()
    assert PASSWORD not in await somebody.page.content()
    await somebody.is_accessible()


async def test_the_checks_of_the_deployment(signed: Signed) -> None:
    somebody = await signed("/deployment")
    await expect(somebody.row("Clocks")).to_be_visible()
    await expect(somebody.row("Ready")).to_contain_text("Good")
    await somebody.sees("As seen by the node")
    await somebody.is_accessible()


async def test_who_may_not_sees_none_of_it(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    somebody = await signed("/tokens", "admin", customers=[company.name])
    await somebody.sees("Your role does not allow this.")
    for title in ("API tokens", "Administrators", "Deployment"):
        await expect(somebody.role("link", title)).to_have_count(0)
