"""Licenses live on screen, as two people in two browsers see them."""

from __future__ import annotations

import asyncio
import itertools
import re
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.console.conftest import Signed
from tests.console.visitor import Visitor, make_administrator, sign_in, visiting
from tests.licensing.build import careless
from tests.scenarios.client import Client
from tests.scenarios.company import Company
from tests.servers import Servers

_jtis = itertools.count(1)


def license_key(company: Company, *licenses: dict[str, Any], iat: int = 1_700_000_500) -> str:
    """A key for these licenses; each needs only what differs from a CALL_CENTER of 5."""
    entries = [
        {
            "id": f"{company.name}-cc",
            "product": "CALL_CENTER",
            "kind": "competitive",
            "limit": 5,
            "valid_from": "2020-01-01T00:00:00Z",
            "valid_till": "2099-01-01T00:00:00Z",
            **entry,
        }
        for entry in licenses or ({},)
    ]
    claims = {
        "iss": "vendor",
        "jti": f"{company.name}-console-{next(_jtis)}",
        "iat": iat,
        "customer": {"id": company.name, "name": "Acme & <Sons>"},
        "domains": [company.domain],
        "licenses": entries,
    }
    return careless(claims)


async def paste(visitor: Visitor, text: str) -> None:
    await visitor.role("button", "Add license").first.click()
    await visitor.dialog("Add license").get_by_label("License key").fill(text)


async def seat(company: Company, name: str, **hello: Any) -> Client:
    client = await company.sign_in(company.nodes[0], name, "CALL_CENTER", acks=True, **hello)
    assert client.seats
    return client


async def test_a_key_is_imported_and_the_other_browser_sees_it(company: Company, signed: Signed) -> None:
    await company.licensed("MOBILE:nominal:3")
    where: dict[str, Any] = {"customers": [company.name]}
    first = await signed("/licenses", "owner", **where)
    second = await signed("/licenses", "auditor", **where)
    await expect(second.row("MOBILE")).to_be_visible()
    await expect(second.role("button", "Add license")).to_have_count(0)
    await first.role("button", "Add license").click()
    dialog = first.dialog("Add license")
    add = dialog.get_by_role("button", name="Add license")
    await expect(add).to_be_disabled()
    await first.is_accessible()
    await dialog.get_by_label("License key").fill(license_key(company))
    await expect(add).to_be_enabled()
    await expect(dialog.get_by_role("row").filter(has_text="CALL_CENTER")).to_contain_text("New")
    await first.is_accessible()
    await add.click()
    await expect(dialog).not_to_be_visible()
    await first.sees("1 license added")
    for each in (first, second):
        row = each.row("CALL_CENTER")
        await expect(row).to_contain_text(f"{company.name}-cc")
        await expect(row).to_contain_text("true")
        await expect(row).to_contain_text("Acme & <Sons>")
        await each.is_accessible()


async def test_what_was_imported_is_shown_though_it_cannot_be_told_apart(
    company: Company, signed: Signed
) -> None:
    await company.licensed("MOBILE:nominal:3")
    somebody = await signed("/licenses?size=20", "owner", customers=[company.name])
    somebody.expected = {503}
    problem = '{"code": "unavailable", "detail": "The store is away"}'
    await somebody.page.route(
        f"**/api/v1/licenses/{company.name}-cc", lambda route: route.fulfill(status=503, body=problem)
    )
    await somebody.page.route(
        "**/api/v1/stream?*", lambda route: route.abort()
    )  # which would tell of it, too
    somebody.is_cut_off = True
    await paste(somebody, license_key(company))
    await somebody.dialog("Add license").get_by_role("button", name="Add license").click()
    await expect(somebody.row("CALL_CENTER")).to_be_visible()


async def test_a_key_that_is_no_good_says_why(company: Company, signed: Signed) -> None:
    somebody = await signed("/licenses")
    somebody.expected = {422}
    await paste(somebody, "nonsense")
    dialog = somebody.dialog("Add license")
    await expect(dialog.get_by_role("alert").first).to_be_visible()
    await somebody.is_accessible()
    wrong = license_key(company, {"product": "CHAT"}, {"id": "other", "limit": -1})
    await dialog.get_by_label("License key").fill(wrong)
    await expect(dialog.get_by_role("alert").get_by_role("listitem")).to_have_count(2)
    await expect(dialog.get_by_role("alert")).to_contain_text("licenses[0]")
    await dialog.get_by_label("License key").fill("")
    await expect(dialog.get_by_role("button", name="Add license")).to_be_disabled()


async def test_a_smaller_key_says_whom_it_would_hit(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:5", ids=[f"{company.name}-cc"])
    for name in ("ann", "bob"):
        await seat(company, name)
    somebody = await signed("/licenses", "owner", customers=[company.name])
    await paste(somebody, license_key(company, {"limit": 1}))
    dialog = somebody.dialog("Add license")
    await expect(dialog).to_contain_text("Replaced")
    await expect(dialog).to_contain_text("the limit is below the one it replaces")
    await expect(dialog.locator(".affected")).to_contain_text(company.user("bob"))
    await somebody.is_accessible()
    await dialog.get_by_role("button", name="Cancel").click()
    assert (await company.rows())[0]["limit"] == 5


async def test_both_browsers_watch_seats_being_taken_and_given_back(company: Company, signed: Signed) -> None:
    (license_,) = await company.licensed("CALL_CENTER:competitive:4")
    watching = [await signed("/licenses", "owner", customers=[company.name]) for _ in range(2)]
    for each in watching:
        await expect(each.row(license_).get_by_role("meter")).to_have_attribute("aria-valuetext", "0 of 4")
    ann = await seat(company, "ann")
    await seat(company, "bob")
    for each in watching:
        await expect(each.row(license_).get_by_role("meter")).to_have_attribute("aria-valuetext", "2 of 4")
        await expect(each.role("button", f"Users of {license_}: 2")).to_be_visible()
        await expect(each.page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    await ann.bye()
    for each in watching:
        await expect(each.row(license_).get_by_role("meter")).to_have_attribute("aria-valuetext", "1 of 4")


async def test_the_key_is_copied(company: Company, signed: Signed) -> None:
    key = license_key(company)
    await company.nodes[0].call("POST", "/api/v1/licenses", {"key": key})
    somebody = await signed("/licenses", "owner", customers=[company.name])
    await somebody.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await somebody.role("button", f"Copy the license key of {company.name}-cc").click()
    await somebody.sees("Copied to clipboard")
    await somebody.is_accessible()
    assert await somebody.page.evaluate("navigator.clipboard.readText()") == key


async def test_it_is_sorted_searched_and_paged_by_the_address(company: Company, signed: Signed) -> None:
    entries = [
        {"id": f"{company.name}-{number:03}", "limit": number, "product": product}
        for number, product in enumerate(["CALL_CENTER", "MOBILE"] * 30, 1)
    ]
    await company.nodes[0].call("POST", "/api/v1/licenses", {"key": license_key(company, *entries)})
    somebody = await signed("/licenses", "owner", customers=[company.name])
    table = somebody.page.get_by_role("table", name="Licenses")
    rows = table.locator("tbody tr")
    await expect(rows).to_have_count(50)
    await somebody.role("button", "Page 2").click()
    await expect(rows).to_have_count(10)
    await somebody.is_accessible()
    await somebody.is_at("/licenses?page=2")
    limit = table.get_by_role("columnheader", name="Limit")
    await limit.get_by_role("button").click()
    await expect(rows.first).to_contain_text(f"{company.name}-001")
    await limit.get_by_role("button").click()
    await expect(rows.first).to_contain_text(f"{company.name}-060")
    await expect(limit).to_have_attribute("aria-sort", "descending")
    await somebody.page.get_by_label("Search licenses").fill("mobile")
    await expect(rows).to_have_count(30)
    await somebody.is_at("/licenses?sort=-limit&search=mobile")
    await somebody.page.reload()
    await expect(rows).to_have_count(30)
    await expect(rows.first).to_contain_text(f"{company.name}-060")
    await expect(somebody.page.get_by_label("Search licenses")).to_have_value("mobile")
    await somebody.page.get_by_label("Search licenses").fill("no such thing")
    await somebody.sees("No license found")
    await somebody.is_accessible()


@pytest.mark.parametrize(
    ("days", "text"), [(400, "399 days"), (20, "19 days"), (3, "2 days"), (-5, "Ended 5 days ago")]
)
async def test_the_status_warns_in_time(company: Company, signed: Signed, days: int, text: str) -> None:
    import datetime

    till = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days, minutes=-5)
    key = license_key(company, {"valid_till": till.strftime("%Y-%m-%dT%H:%M:%SZ")})
    await company.nodes[0].call("POST", "/api/v1/licenses", {"key": key})
    somebody = await signed("/licenses", "owner", customers=[company.name])
    badge = somebody.row("CALL_CENTER").locator(".badge")
    await expect(badge).to_have_text(text)
    kind = {"399 days": "good", "19 days": "warn"}.get(text, "bad")
    await expect(badge).to_have_class(re.compile(kind))
    await somebody.is_accessible()


async def test_a_user_is_forced_out_and_the_client_leaves(company: Company, signed: Signed) -> None:
    (license_,) = await company.licensed("CALL_CENTER:competitive:4")
    ann = await seat(company, "ann")
    laptop = await seat(company, "ann", device="d2", kind="mobile")
    await seat(company, "bob")
    where: dict[str, Any] = {"customers": [company.name]}
    first = await signed("/licenses", "owner", **where)
    second = await signed(f"/licenses?users={license_}", "admin", **where)
    await first.role("button", f"Users of {license_}: 2").click()
    await first.is_at(f"/licenses?users={license_}")
    dialog = first.dialog(f"Users of {license_}")
    await dialog.get_by_label("Search users").fill("ANN")
    await expect(dialog.locator("tbody tr")).to_have_count(1)
    row = dialog.get_by_role("row").filter(has_text=company.user("ann"))
    await expect(row).to_contain_text(company.domain)
    await expect(row.locator("[data-label=Devices]")).to_have_text("2")
    await first.is_accessible()
    await row.get_by_role("switch").click()
    asked = first.dialog("Force out")
    await first.is_accessible()
    await asked.get_by_label("Reason").fill("Lunch is over")
    await asked.get_by_label("Cool-down").select_option("5 minutes")
    await asked.get_by_role("button", name="Force out").click()
    receipt = first.dialog("Receipt")
    await expect(receipt.locator("tbody tr")).to_have_count(2)
    await expect(receipt).to_contain_text("Acknowledged")
    await first.is_accessible()
    assert await ann.closed() == await laptop.closed() == 4302
    await receipt.get_by_role("button", name="Close").last.click()
    await expect(dialog.get_by_text("No user found")).to_be_visible()
    others = second.dialog(f"Users of {license_}")
    await expect(others.locator("tbody tr")).to_have_count(1)
    await expect(others).to_contain_text(company.user("bob"))
    back = await company.sign_in(company.nodes[0], "ann", "CALL_CENTER")
    assert back.denied.code == "cooldown"
    await first.page.keyboard.press("Escape")
    await expect(dialog).not_to_be_visible()
    await expect(first.row(license_).get_by_role("meter")).to_have_attribute("aria-valuetext", "1 of 4")


async def test_nobody_is_forced_out_by_who_may_only_look(company: Company, signed: Signed) -> None:
    (license_,) = await company.licensed("CALL_CENTER:competitive:4")
    ann = await seat(company, "ann")
    somebody = await signed(f"/licenses?users={license_}", "auditor", customers=[company.name])
    dialog = somebody.dialog(f"Users of {license_}")
    switch = dialog.get_by_role("switch")
    await expect(switch).to_have_attribute("aria-disabled", "true")
    await expect(switch).to_have_attribute("title", re.compile(f"users of {company.domain}"))
    await switch.click(force=True)
    await expect(somebody.dialog("Force out")).to_have_count(0)
    await somebody.is_accessible()
    assert ann.heard_nothing()


async def test_a_foreign_domain_is_refused(company: Company, signed: Signed) -> None:
    other = f"other.{company.domain}"
    (license_,) = await company.licensed("CALL_CENTER:competitive:9", domains=[company.domain, other])
    ann, bob = await seat(company, "ann"), await seat(company, f"bob@{other}")
    where: dict[str, Any] = {"customers": [company.name], "domains": [other]}
    somebody = await signed(f"/licenses?users={license_}", "supervisor", **where)
    somebody.expected = {404}
    rows = somebody.dialog(f"Users of {license_}").locator("tbody tr")
    await expect(rows).to_have_count(1)  # strangers are not even seen
    await expect(rows).to_contain_text(f"bob@{other}")
    refused = await somebody.page.evaluate(
        """async (user) => {
            const csrf = (await (await fetch("/api/v1/profile")).json()).csrf;
            const headers = { "Content-Type": "application/json", "X-Seatd-CSRF": csrf };
            const body = JSON.stringify({ users: [user] });
            return (await (await fetch("/api/v1/logout", { method: "POST", headers, body })).json()).code;
        }""",
        company.user("ann"),
    )
    assert refused == "unknown_domain"
    await rows.get_by_role("switch").click()
    await somebody.dialog("Force out").get_by_role("button", name="Force out").click()
    await expect(somebody.dialog("Receipt")).to_contain_text("Acknowledged")
    assert await bob.closed() == 4302
    assert ann.heard_nothing()


async def test_the_back_button_closes_the_users(company: Company, signed: Signed) -> None:
    (license_,) = await company.licensed("CALL_CENTER:competitive:4")
    somebody = await signed("/licenses", "owner", customers=[company.name])
    await somebody.role("button", f"Users of {license_}: 0").click()
    await somebody.sees("Nobody uses this license now")
    await somebody.is_accessible()
    await somebody.page.go_back()
    await expect(somebody.dialog(f"Users of {license_}")).not_to_be_visible()
    await somebody.page.go_forward()
    await expect(somebody.dialog(f"Users of {license_}")).to_be_visible()


@pytest.mark.parametrize(
    ("size", "theme"), [((360, 740), "light"), ((1440, 900), "dark"), ((3840, 2160), "dark")]
)
async def test_it_is_readable_everywhere(
    company: Company, signed: Signed, size: tuple[int, int], theme: str
) -> None:
    await company.licensed("CALL_CENTER:competitive:2", "MOBILE:nominal:3", name="Order 4711", tier="gold")
    for name in ("ann", "bob"):
        await seat(company, name)
    somebody = await signed("/licenses", "owner", size=size, theme=theme, customers=[company.name])
    await expect(somebody.row("CALL_CENTER").get_by_role("meter")).to_have_attribute(
        "aria-valuetext", "2 of 2"
    )
    await somebody.is_accessible()
    await somebody.page.get_by_role("button", name=re.compile("^Users of .*: 2")).click()
    await expect(somebody.page.get_by_role("dialog").get_by_role("switch")).to_have_count(2)
    await somebody.is_accessible()


async def test_nothing_moves_under_the_mouse(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:4")
    somebody = await signed("/licenses?sort=used", "owner", customers=[company.name])
    rows = somebody.page.get_by_role("table", name="Licenses").locator("tbody tr")
    await rows.first.hover()
    await company.licensed("MOBILE:nominal:3")
    await somebody.sees("The list has changed.")
    await expect(rows).to_have_count(1)
    await somebody.is_accessible()
    await somebody.page.mouse.move(5, 5)
    await expect(rows).to_have_count(2)


@pytest.mark.parametrize("role", ["owner", "operator"], ids=["by a stream", "by asking again"])
async def test_it_says_when_live_data_is_stale_and_comes_back(
    company: Company, signed: Signed, role: str
) -> None:
    (license_,) = await company.licensed("CALL_CENTER:competitive:4")
    where: dict[str, Any] = {"customers": [company.name]} if role == "owner" else {}
    somebody = await signed(f"/licenses?search={company.name}", role, **where)
    await expect(somebody.row(license_)).to_be_visible()
    somebody.is_cut_off = True
    await somebody.context.set_offline(True)
    await expect(somebody.page.locator("live-badge")).to_contain_text("Stale since")
    await somebody.is_accessible()
    await seat(company, "ann")
    await somebody.context.set_offline(False)
    await expect(somebody.page.locator("live-badge")).to_have_text("Live")
    await expect(somebody.row(license_).get_by_role("meter")).to_have_attribute("aria-valuetext", "1 of 4")


async def test_a_restart_of_the_server_is_lived_through(browser: Browser) -> None:
    with Servers() as servers:
        node = servers.start("own")
        company = Company(node)
        (license_,) = await company.licensed("CALL_CENTER:competitive:4")
        async with visiting(browser, node) as somebody:
            await make_administrator(node, "olga", "owner", customers=[company.name])
            await sign_in(somebody, "olga")
            await somebody.visit("/licenses")
            badge = somebody.page.locator("live-badge")
            await expect(badge).to_have_text("Live")
            somebody.is_cut_off = True
            await asyncio.to_thread(node.stop)
            await expect(badge).to_contain_text("Stale since")
            node.relaunch()
            await asyncio.to_thread(node.wait_ready)
            await expect(badge).to_have_text("Live", timeout=60_000)
            await seat(company, "ann")
            meter = somebody.row(license_).get_by_role("meter")
            await expect(meter).to_have_attribute("aria-valuetext", "1 of 4")
        company.leave()


async def test_an_error_is_told_and_tried_again(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:4")
    somebody = await signed("/sign-in", "owner", customers=[company.name])
    somebody.is_cut_off = True
    await somebody.context.route("**/api/v1/licenses*", lambda route: route.abort())
    await somebody.visit("/licenses")
    await somebody.sees("The server cannot be reached.")
    await somebody.is_accessible()
    await somebody.context.unroute("**/api/v1/licenses*")
    await somebody.role("button", "Try again").click()
    await expect(somebody.row("CALL_CENTER")).to_be_visible()


async def test_an_operator_sees_several_customers_live(company: Company, signed: Signed) -> None:
    (license_,) = await company.licensed("CALL_CENTER:competitive:7")
    other = Company(*company.nodes)
    await other.licensed("CALL_CENTER:competitive:7")
    somebody = await signed(f"/licenses?search={company.name}")
    await expect(somebody.row(license_).get_by_role("meter")).to_have_attribute("aria-valuetext", "0 of 7")
    await seat(company, "ann")
    await expect(somebody.row(license_).get_by_role("meter")).to_have_attribute("aria-valuetext", "1 of 7")
