"""Customers: the list, and the page of one with its end, its audit trail and its statements."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest
from playwright.async_api import expect

from tests.console.conftest import Signed
from tests.scenarios.company import Company


async def path_of(company: Company, **fields: Any) -> str:
    """The REST path of the company's customer, with these fields changed."""
    path = f"/api/v1/customers/{company.name}"
    if fields:
        await company.nodes[0].call("PATCH", path, fields)
    return path


async def test_the_list_adds_up_what_was_bought_and_is_live(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:5", "CALL_CENTER:competitive:3", "EMAIL:nominal:4")
    await path_of(company, name="Zebra & <Co>", external_id="CRM-1")
    somebody = await signed(f"/customers?search={company.name}")
    row = somebody.row("Zebra & <Co>")
    await expect(row).to_contain_text("CRM-1")
    meter = row.get_by_role("meter", name="Use of CALL_CENTER")
    await expect(meter).to_have_attribute("aria-valuetext", "0 of 8")
    await expect(row).to_contain_text("0 seats")
    await company.sign_in(company.nodes[0], "ann", "CALL_CENTER")
    await expect(meter).to_have_attribute("aria-valuetext", "1 of 8")
    await expect(row).to_contain_text("1 seat")
    await somebody.is_accessible()
    await somebody.role("link", "Zebra & <Co>").click()
    await somebody.is_at(f"/customers/{company.name}")
    await expect(somebody.page.get_by_role("heading", name="Zebra & <Co>")).to_be_visible()


async def test_the_list_is_filtered_by_agency_and_status_in_the_address(
    company: Company, signed: Signed
) -> None:
    await company.licensed("CALL_CENTER:competitive:5")
    node, agency = company.nodes[0], f"agency-{company.name}"
    await node.call("POST", "/api/v1/agencies", {"id": agency, "name": "Northwind"})
    await node.call("PUT", f"{await path_of(company)}/agency", {"agency": agency})
    somebody = await signed("/customers")
    rows = somebody.page.get_by_role("table", name="Customers").locator("tbody tr")
    await somebody.page.get_by_label("Agency").select_option("Northwind")
    await expect(rows).to_have_count(1)
    await somebody.is_at(f"/customers?agency={agency}")
    await somebody.page.get_by_label("Status").select_option("Suspended")
    await somebody.sees("No customer found")
    await somebody.is_accessible()
    await somebody.page.go_back()
    await expect(rows).to_have_count(1)
    await somebody.page.reload()
    await expect(rows).to_have_count(1)
    await expect(somebody.page.get_by_label("Agency")).to_have_value(agency)


async def test_a_customer_is_added(company: Company, signed: Signed) -> None:
    somebody = await signed("/customers")
    somebody.expected = {409}
    await somebody.role("button", "Add customer").click()
    dialog = somebody.dialog("Add customer")
    await dialog.get_by_role("button", name="Add customer").click()
    await expect(dialog).to_contain_text("ID is needed.")
    await dialog.get_by_label("ID", exact=True).fill(company.name)
    await dialog.get_by_label("Name").fill("New Ltd")
    await somebody.is_accessible()
    await dialog.get_by_role("button", name="Add customer").click()
    await expect(somebody.page.get_by_role("heading", name="New Ltd")).to_be_visible()
    await somebody.sees("No licenses yet.")
    await somebody.is_accessible()
    await somebody.visit("/customers")
    await somebody.role("button", "Add customer").click()
    await dialog.get_by_label("ID", exact=True).fill(company.name)
    await dialog.get_by_role("button", name="Add customer").click()
    await expect(dialog.locator(".problem")).to_be_visible()
    await somebody.is_accessible()


async def test_live_use_is_on_the_page(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:2")
    somebody = await signed(f"/customers/{company.name}", "auditor", customers=[company.name])
    live = somebody.page.get_by_role("region", name="In use now")
    await expect(live.locator(".figure").first).to_contain_text("0")
    ann = await company.sign_in(company.nodes[0], "ann", "CALL_CENTER")
    await expect(live.locator(".figure").first).to_have_text("1seat")
    await expect(live.get_by_role("meter")).to_have_attribute("aria-valuetext", "1 of 2")
    await somebody.is_accessible()
    await ann.bye()
    await expect(live.locator(".figure").first).to_have_text("0seats")
    await expect(somebody.role("button", "Edit contacts")).to_have_count(0)
    await expect(somebody.role("button", "More")).to_have_count(0)


async def test_contacts_blocks_and_money_are_changed(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:2")
    somebody = await signed(f"/customers/{company.name}")
    somebody.expected = {422}
    await somebody.role("button", "Edit contacts").click()
    dialog = somebody.dialog("Contacts")
    await dialog.get_by_role("button", name="Add contact").click()
    await dialog.get_by_label("Name").fill("Nora <Berg>")
    await dialog.get_by_label("E-mail").fill("nora@acme.example")
    await somebody.is_accessible()
    await dialog.get_by_role("button", name="Save").click()
    await expect(somebody.page.get_by_role("region", name="Contacts")).to_contain_text("Nora <Berg>")
    await somebody.role("button", "Edit number blocks").click()
    dialog = somebody.dialog("Internal number blocks")
    await dialog.get_by_role("button", name="Add number block").click()
    await dialog.get_by_label("First").fill("300")
    await dialog.get_by_label("Last").fill("200")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.locator(".problem")).to_contain_text("first must not come after last")
    await somebody.is_accessible()
    await dialog.get_by_label("Last").fill("399")
    await dialog.get_by_role("button", name="Save").click()
    await expect(somebody.page.get_by_role("region", name="Internal number blocks")).to_contain_text(
        "100 numbers"
    )
    await somebody.role("button", "Edit balance and debit limit").click()
    dialog = somebody.dialog("Balance and debit limit")
    await dialog.get_by_label("Balance").fill("a lot")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog).to_contain_text("A decimal number")
    await dialog.get_by_label("Balance").fill("-12.50")
    await dialog.get_by_label("Currency").fill("eur")
    await dialog.get_by_role("button", name="Save").click()
    await expect(somebody.page.get_by_role("region", name="Balance")).to_contain_text("-12.50 EUR")
    await expect(somebody.page.get_by_role("region", name="Balance")).to_contain_text(
        "Beyond the debit limit"
    )
    await somebody.is_accessible()
    shown = await company.nodes[0].call("GET", await path_of(company))
    assert shown["contacts"][0]["name"] == "Nora <Berg>"
    assert shown["money"] == {"balance": "-12.50", "debit_limit": "0", "currency": "EUR"}


async def test_the_owner_says_what_the_agency_may_do(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:2")
    where: dict[str, Any] = {"customers": [company.name]}
    owner = await signed(f"/customers/{company.name}", "owner", **where)
    admin = await signed(f"/customers/{company.name}", "admin", **where)
    theirs = admin.page.get_by_role("switch", name="People")
    await expect(theirs).to_have_attribute("aria-disabled", "true")
    await expect(theirs).to_have_attribute("aria-checked", "false")
    await owner.page.get_by_role("switch", name="People").click()
    await expect(theirs).to_have_attribute("aria-checked", "true")
    await admin.is_accessible()
    shown = await company.nodes[0].call("GET", await path_of(company))
    assert shown["permissions"] == ["see", "licenses", "people"]


async def test_a_subscription_is_cancelled_and_withdrawn(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:2")
    path = await path_of(company)
    now = datetime.datetime.now(datetime.UTC)
    ends = (now.replace(day=1) + datetime.timedelta(days=32)).replace(day=1).date().isoformat()
    somebody = await signed(f"/customers/{company.name}", "owner", customers=[company.name])
    await somebody.role("button", "More").click()
    await somebody.page.get_by_role("menuitem", name="Cancel subscription").click()
    dialog = somebody.dialog("Cancel the subscription")
    await expect(dialog).to_contain_text(f"deleted on {ends}")
    await somebody.is_accessible()
    await dialog.get_by_role("button", name="Cancel", exact=True).click()
    assert (await company.nodes[0].call("GET", path))["status"] == "active"
    await somebody.role("button", "More").click()
    await somebody.page.get_by_role("menuitem", name="Cancel subscription").click()
    await dialog.get_by_role("button", name="Cancel subscription").click()
    await expect(somebody.page.locator(".title-line")).to_contain_text("Pending deletion")
    await expect(somebody.page.locator(".ending")).to_contain_text(ends)
    await somebody.is_accessible()
    ann = await company.sign_in(company.nodes[0], "ann", "CALL_CENTER")
    assert ann.seats  # it works as normal until then
    await somebody.role("button", "Withdraw cancellation").click()
    dialog = somebody.dialog("Withdraw the cancellation")
    await somebody.is_accessible()
    await dialog.get_by_role("button", name="Withdraw cancellation").click()
    await expect(somebody.page.locator(".title-line")).to_contain_text("Active")
    await expect(somebody.page.locator(".ending")).to_be_hidden()
    shown = await company.nodes[0].call("GET", path)
    assert (shown["status"], shown["delete_at"]) == ("active", None)


async def test_who_may_not_end_a_customer_is_not_offered_it(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:2")
    await company.nodes[0].call("POST", f"{await path_of(company)}/cancel")
    somebody = await signed(f"/customers/{company.name}", "admin", customers=[company.name])
    await expect(somebody.page.locator(".ending")).to_be_visible()
    await expect(somebody.role("button", "Withdraw cancellation")).to_have_count(0)
    await expect(somebody.role("button", "More")).to_have_count(0)
    await expect(somebody.role("tab", "Invoice statements")).to_have_count(0)


async def test_a_difference_is_read_in_the_audit_trail(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:2")
    await path_of(company, contacts=[{"name": "Nora", "role": "IT"}])
    await path_of(company, contacts=[{"name": "Nora", "role": "Head of IT"}], name="Acme <b>")
    somebody = await signed(f"/customers/{company.name}", "owner", customers=[company.name])
    await somebody.role("tab", "Audit").click()
    await somebody.is_at(f"/customers/{company.name}?tab=audit")
    first = somebody.page.get_by_role("table", name="Audit trail").locator("tbody tr").first
    await expect(first).to_contain_text("customers.change")
    await expect(first).to_contain_text("contacts")
    await somebody.is_accessible()
    await first.get_by_role("button", name="View the difference").click()
    dialog = somebody.dialog("Difference")
    json = dialog.get_by_role("region", name="contacts as JSON")
    await expect(json.locator("del")).to_contain_text('"role": "IT"')
    await expect(json.locator("ins")).to_contain_text('"role": "Head of IT"')
    await expect(json.locator("span.code-line").first).to_contain_text("[")
    await expect(dialog.get_by_role("region", name="Fields of name").locator("ins")).to_have_text("Acme <b>")
    await somebody.is_accessible()
    link = somebody.address
    await somebody.page.keyboard.press("Escape")
    await expect(dialog).not_to_be_visible()
    await somebody.is_at(f"/customers/{company.name}?tab=audit")
    await somebody.visit(link)  # a link leads to the entry
    await expect(json.locator("ins")).to_contain_text('"role": "Head of IT"')
    await somebody.page.go_back()


async def test_the_audit_trail_is_filtered_and_has_older_entries(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:2")
    for number in range(60):
        await path_of(company, name=f"Name {number}")
    somebody = await signed(f"/customers/{company.name}?tab=audit", "owner", customers=[company.name])
    rows = somebody.page.get_by_role("table", name="Audit trail").locator("tbody tr")
    await expect(rows).to_have_count(50)
    await somebody.role("button", "Show older entries").click()
    await expect(rows).to_have_count(61)
    await expect(somebody.role("button", "Show older entries")).to_be_hidden()
    await somebody.page.get_by_label("Action").select_option("Licenses")
    await expect(rows).to_have_count(1)
    await somebody.is_at(f"/customers/{company.name}?tab=audit&action=licenses")
    await somebody.page.get_by_label("By whom").fill("nobody")
    await somebody.sees("No entry found")
    await somebody.is_accessible()


async def test_a_statement_is_issued_and_read(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:2")
    prices = {"currency": "EUR", "products": {"CALL_CENTER": {"seat_hours": "0.5"}}}
    await company.nodes[0].call("PUT", f"{await path_of(company)}/prices", prices)
    somebody = await signed(f"/customers/{company.name}?tab=invoices")
    somebody.expected = {409}
    await somebody.sees("No statement has been issued yet")
    await somebody.is_accessible()
    await somebody.role("button", "Draft …").click()
    await somebody.dialog("Draft of a statement").get_by_role("button", name="Show draft").click()
    draft = somebody.page.get_by_role("dialog").last
    await expect(draft).to_contain_text("EUR")
    await somebody.is_accessible()
    await somebody.page.keyboard.press("Escape")
    await somebody.role("button", "Issue statement …").click()
    await somebody.dialog("Issue a statement").get_by_role("button", name="Issue statement").click()
    statement = somebody.page.get_by_role("dialog").filter(has_text="What it charges")
    await expect(statement).to_contain_text("0.00 EUR")
    await somebody.is_at(re.compile("invoice="))
    await somebody.is_accessible()
    await somebody.page.keyboard.press("Escape")
    await expect(
        somebody.page.get_by_role("table", name="Invoice statements").locator("tbody tr")
    ).to_have_count(1)
    await somebody.role("button", "Issue statement …").click()
    await somebody.dialog("Issue a statement").get_by_role("button", name="Issue statement").click()
    await expect(somebody.dialog("Issue a statement").locator(".problem")).to_contain_text("already")


async def test_an_error_is_told_and_tried_again(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:4")
    somebody = await signed("/sign-in", "owner", customers=[company.name])
    for path, found in (("/customers", "Customers"), (f"/customers/{company.name}", company.name)):
        somebody.is_cut_off = True
        await somebody.context.route("**/api/v1/customers*/**", lambda route: route.abort())
        await somebody.context.route("**/api/v1/customers?*", lambda route: route.abort())
        await somebody.visit(path)
        await somebody.sees("The server cannot be reached.")
        await somebody.is_accessible()
        await somebody.context.unroute_all()
        await somebody.role("button", "Try again").click()
        await expect(somebody.page.get_by_role("heading", name=found, exact=True)).to_be_visible()
        await expect(somebody.page.get_by_role("meter").first).to_be_visible()


async def test_a_customer_that_is_not_there(signed: Signed) -> None:
    somebody = await signed("/customers/nobody-such")
    somebody.expected = {404}
    await expect(somebody.page.get_by_role("alert")).to_contain_text("That did not work")
    await somebody.is_accessible()
    somebody.complaints.clear()


@pytest.mark.parametrize(
    ("size", "theme"), [((360, 740), "light"), ((1440, 900), "dark"), ((3840, 2160), "dark")]
)
async def test_it_is_readable_everywhere(
    company: Company, signed: Signed, size: tuple[int, int], theme: str
) -> None:
    await company.licensed("CALL_CENTER:competitive:2", "MOBILE:nominal:3")
    await company.sign_in(company.nodes[0], "ann", "CALL_CENTER")
    await path_of(
        company,
        contacts=[{"name": "Nora", "email": "nora@acme.example"}],
        number_blocks=[{"first": "200", "last": "299"}],
    )
    somebody = await signed(f"/customers?search={company.name}", size=size, theme=theme)
    await expect(somebody.page.get_by_role("meter").first).to_be_visible()
    await somebody.is_accessible()
    await somebody.visit(f"/customers/{company.name}")
    await expect(somebody.page.get_by_role("meter").first).to_be_visible()
    await somebody.is_accessible()
    await somebody.visit(f"/customers/{company.name}?tab=audit")
    await somebody.page.get_by_role("button", name="View the difference").first.click()
    await somebody.is_accessible()


async def test_what_cannot_be_asked_for_before_a_dialog_is_told(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:5")
    somebody = await signed(f"/customers/{company.name}")
    somebody.expected = {503}
    problem = '{"code": "unavailable", "detail": "The store is away"}'
    await somebody.context.route(
        "**/api/v1/agencies?*", lambda route: route.fulfill(status=503, body=problem)
    )
    said = somebody.page.locator(".toast.bad")
    await somebody.role("button", "Edit the account").click()
    await expect(said).to_contain_text("The store is away")
    await somebody.visit("/customers")
    await somebody.role("button", "Add customer").click()
    await expect(said).to_contain_text("The store is away")
    await somebody.context.unroute("**/api/v1/agencies?*")
    await somebody.role("button", "Add customer").click()
    await expect(somebody.dialog("Add customer")).to_be_visible()
