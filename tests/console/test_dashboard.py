"""The dashboard and Activity: last week against the week before, and what goes on now, with live clients."""

from __future__ import annotations

import datetime
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Locator, Route, expect

from tests.console.conftest import Signed
from tests.console.history import used, write_days
from tests.console.test_licenses import seat
from tests.console.visitor import Visitor
from tests.scenarios.company import Company


def card(somebody: Visitor, title: str) -> Locator:
    """The card with this heading."""
    heading = somebody.page.get_by_role("heading", name=title, exact=True)
    return somebody.page.locator("section.card").filter(has=heading)


def days_ago(days: int) -> str:
    """A day as addresses have it."""
    return (datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days)).date().isoformat()


async def worked(company: Company) -> None:
    """A week with 20 seat-hours a day, one with 10 before it, and somebody at work now."""
    await company.licensed("CALL_CENTER:competitive:9")
    await seat(company, "ann")
    week = {ago: used(2, 10, grants=3, refused=1) for ago in range(1, 8)}
    before = {ago: used(1, 10, grants=3, refused=2) for ago in range(8, 15)}
    await write_days(company, week | before)


async def test_it_is_the_start(signed: Signed) -> None:
    somebody = await signed("/")
    await expect(somebody.role("heading", "Dashboard")).to_be_visible()
    await somebody.is_at("/dashboard")


async def test_last_week_is_compared_with_the_week_before(company: Company, signed: Signed) -> None:
    await worked(company)
    somebody = await signed("/dashboard", "owner", customers=[company.name])
    for title, total, grown in (
        ("Seat-hours", "140", "+100 %"),
        ("Peak", "2", "+100 %"),
        ("Grants", "21", "±0 %"),
        ("True denials", "7", "−50 %"),
    ):
        await expect(card(somebody, title).locator(".chart-total")).to_have_text(f"{total}{grown}")
    await expect(card(somebody, "True denials").locator(".growth")).to_have_class(re.compile("up"))
    figures = card(somebody, "Seat-hours").get_by_role("table").get_by_role("row").last
    await expect(figures).to_contain_text("20")
    await expect(figures).to_contain_text("10")
    await somebody.is_accessible()


async def test_the_charge_of_last_week_is_estimated(company: Company, signed: Signed) -> None:
    await worked(company)
    prices = {"currency": "EUR", "products": {"CALL_CENTER": {"seat_hours": "0.10"}}}
    await company.nodes[0].call("PUT", f"/api/v1/customers/{company.name}/prices", prices)
    where: dict[str, Any] = {"customers": [company.name]}
    owner, admin = [await signed("/dashboard", role, **where) for role in ("owner", "admin")]
    await expect(card(owner, "Estimated charge").locator(".stat-value")).to_have_text("14.00 EUR")
    await expect(card(owner, "Estimated charge")).to_contain_text("+100 % against the week before")
    await owner.is_accessible()
    await expect(card(admin, "Seat-hours")).to_be_visible()
    await expect(card(admin, "Estimated charge")).to_have_count(0)


async def test_what_goes_on_now_is_live(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:2")
    watching = [await signed("/dashboard", "owner", customers=[company.name]) for _ in range(2)]
    for each in watching:
        await expect(card(each, "Live sessions").locator(".stat-value")).to_have_text("0")
        await expect(card(each, "Sessions by device")).to_contain_text("Nobody is signed in")
        await each.is_accessible()
    await seat(company, "ann")
    await seat(company, "bob", kind="mobile")
    await company.sign_in(company.nodes[0], "cleo", "CALL_CENTER")
    await company.sign_in(company.nodes[0], "dan", "CALL_CENTER", wait_s=60)
    for each in watching:
        await expect(card(each, "Seats in use").locator(".stat-value")).to_have_text("2")
        await expect(card(each, "Queue").locator(".stat-value")).to_have_text("1")
        await expect(card(each, "Denied today").locator(".stat-value")).to_have_text("1")
        await expect(card(each, "Sessions by device")).to_contain_text("Mobile1")
        await expect(card(each, "Seats by product")).to_contain_text("CALL_CENTER2 of 2")
        await expect(card(each, "Denials today")).to_contain_text("No seat")
        await expect(card(each, "Nodes")).to_contain_text("console")
        await expect(each.page.locator("live-badge")).to_have_text("Live")
        await each.is_accessible()


async def test_of_very_many_sessions_the_queue_is_told_all_the_same(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:2")
    somebody = await signed("/tokens", "owner", customers=[company.name])
    rows = [{"device": {"kind": "desktop"}, "node": "console", "state": "attached"}] * 500
    await somebody.context.route(
        "**/api/v1/sessions?*",
        lambda route: route.fulfill(
            json={"items": rows, "total": 7 if "state=parked" in route.request.url else 3000}
        ),
    )
    await somebody.context.route(
        "**/api/v1/queue?*", lambda route: route.fulfill(json={"items": [], "total": 12})
    )
    await somebody.context.route(
        "**/api/v1/licenses/totals?*",
        lambda route: route.fulfill(
            json={"items": [{"product": "CHAT", "used": 1, "limit": 2}] * 500, "total": 2001}
        ),
    )
    await somebody.visit("/dashboard")
    await expect(card(somebody, "Queue").locator(".stat-value")).to_have_text("12")
    await expect(card(somebody, "Live sessions")).to_contain_text("7 without a connection just now")
    for title in ("Sessions by device", "Nodes"):
        await expect(card(somebody, title)).to_contain_text("Of the first 2,000 of 3,000 sessions.")
    for title in ("Seats in use", "Seats by product"):
        await expect(card(somebody, title)).to_contain_text(
            "Of the first 2,000 of 2,001 products of customers."
        )
    await somebody.is_accessible()


async def test_what_has_ended_does_not_hide_what_ends_soon(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:2")
    somebody = await signed("/tokens", "owner", customers=[company.name])
    over = {
        "id": "L-0",
        "product": "CHAT",
        "customer": "c",
        "customer_name": "",
        "valid_till": "2020-01-01T00:00:00Z",
    }
    ended = [over | {"status": -9, "validity": "expired"}] * 500
    soon = over | {"id": "L-1", "status": 9, "validity": "valid"}
    pages = {"1": ended, "2": [*ended[1:], soon]}

    async def answer(route: Route) -> None:
        (page,) = parse_qs(urlsplit(route.request.url).query)["page"]
        await route.fulfill(json={"items": pages.get(page, []), "total": 1000})

    await somebody.context.route("**/api/v1/licenses?*", answer)
    await somebody.visit("/dashboard")
    await expect(card(somebody, "Licenses that end soon")).to_contain_text("L-1")
    await expect(card(somebody, "Licenses that end soon").get_by_role("listitem")).to_have_count(1)


async def test_what_is_asked_for_now_and_then_is_not_taken_for_silent(signed: Signed) -> None:
    somebody = await signed("/profile")
    await somebody.page.clock.install()
    await somebody.page.evaluate(
        """async () => {
            const main = document.querySelector("script[src*='main.js']").src;
            const { poll, Liveness } = await import(new URL("core/live.js", main));
            window.asked = [];
            const ask = async (signal) => window.asked.push(signal);
            poll(ask, { every_s: 60, liveness: new Liveness(), signal: new AbortController().signal });
        }"""
    )
    asked = "window.asked.map((signal) => signal.aborted)"
    await somebody.page.clock.run_for(50_000)
    assert await somebody.page.evaluate(asked) == [False]
    await somebody.page.clock.run_for(20_000)
    assert await somebody.page.evaluate(asked) == [False, False]


async def test_licenses_that_end_soon_lead_to_the_registry(company: Company, signed: Signed) -> None:
    till = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=20, minutes=5)
    (soon,) = await company.licensed("MOBILE:nominal:2", valid_till=till.strftime("%Y-%m-%dT%H:%M:%SZ"))
    (later,) = await company.licensed("CALL_CENTER:competitive:2")
    somebody = await signed("/dashboard", "owner", customers=[company.name])
    ending = card(somebody, "Licenses that end soon")
    await expect(ending).to_contain_text("20 days")
    await expect(ending).not_to_contain_text(later)
    await ending.get_by_role("link", name=soon).click()
    await expect(somebody.row(soon)).to_be_visible()


async def test_only_operators_see_the_deployment(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:2")
    owner = await signed("/dashboard", "owner", customers=[company.name])
    operator = await signed("/dashboard")
    health = card(operator, "Nodes and store")
    await expect(health).to_contain_text("its settings keep what it acknowledges")
    node = health.get_by_role("listitem").filter(has_text="console")
    await expect(node.locator(".badge")).to_have_text("Up")
    await operator.is_accessible()
    await expect(card(owner, "Nodes")).to_be_visible()
    await expect(card(owner, "Nodes and store")).to_have_count(0)


async def test_a_click_opens_activity_with_the_days(company: Company, signed: Signed) -> None:
    await worked(company)
    somebody = await signed("/dashboard", "owner", customers=[company.name])
    await card(somebody, "Grants").get_by_role("link", name="Grants").click()
    await somebody.is_at(f"/activity?from={days_ago(7)}&to={days_ago(1)}&measure=grants")
    await expect(somebody.role("heading", "Activity")).to_be_visible()
    await expect(card(somebody, "Seat-hours").locator(".stat-value")).to_have_text("140")
    await expect(card(somebody, "Seat-hours")).to_contain_text("+100 % against the week before")
    await expect(somebody.role("heading", "Grants by product")).to_be_visible()
    await expect(somebody.row("CALL_CENTER").last).to_contain_text("140")
    await somebody.is_accessible()
    await somebody.page.go_back()
    picture = card(somebody, "Seat-hours").locator("svg.chart")
    await picture.locator(".chart-1 .chart-dot").last.click(force=True)  # what takes the click is the picture
    await somebody.is_at(f"/activity?from={days_ago(1)}&to={days_ago(1)}&resolution=hour")


async def test_activity_is_told_of_other_days_and_things(company: Company, signed: Signed) -> None:
    await worked(company)
    somebody = await signed("/activity", "owner", customers=[company.name])
    await somebody.page.get_by_label("From", exact=True).fill(days_ago(3))
    await expect(card(somebody, "Seat-hours").locator(".stat-value")).to_have_text("60")
    await expect(card(somebody, "Seat-hours")).to_contain_text("±0 % against the 3 days before")
    await somebody.role("button", "Hours").click()
    await expect(somebody.role("button", "Hours")).to_have_attribute("aria-pressed", "true")
    await somebody.is_accessible()
    await somebody.page.get_by_label("Rows by").select_option("license")
    await expect(somebody.page.get_by_role("table", name="Activity by license")).to_be_visible()
    await somebody.is_at(re.compile(f"from={days_ago(3)}"))
    await somebody.is_at(re.compile("by=license"))


async def test_nothing_yet_and_errors_are_told(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:2")
    somebody = await signed("/activity", "owner", customers=[company.name])
    await somebody.sees("Nothing was in use")
    await somebody.is_accessible()
    somebody.is_cut_off = True
    await somebody.context.route("**/api/v1/usage*", lambda route: route.abort())
    await somebody.context.route("**/api/v1/usage/activity*", lambda route: route.abort())
    for path in ("/activity", "/dashboard"):
        await somebody.visit(path)
        await somebody.sees("The server cannot be reached.")
        await somebody.is_accessible()
    await somebody.context.unroute("**/api/v1/usage*")
    await somebody.context.unroute("**/api/v1/usage/activity*")
    retry = somebody.role("button", "Try again")
    await expect(retry).to_have_count(2)
    await retry.evaluate_all("(all) => all.forEach((one) => one.click())")
    await expect(card(somebody, "Live sessions").locator(".stat-value")).to_have_text("0")


async def test_stale_figures_are_told(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:2")
    somebody = await signed("/dashboard", "owner", customers=[company.name])
    badge = somebody.page.locator("live-badge")
    await expect(badge).to_have_text("Live")
    somebody.is_cut_off = True
    await somebody.context.set_offline(True)
    await expect(badge).to_contain_text("Stale since")
    await somebody.is_accessible()
    await seat(company, "ann")
    await somebody.context.set_offline(False)
    await expect(card(somebody, "Live sessions").locator(".stat-value")).to_have_text("1")


async def test_who_has_some_domains_sees_only_those(company: Company, signed: Signed) -> None:
    other = f"other.{company.domain}"
    await company.licensed("CALL_CENTER:competitive:9", domains=[company.domain, other])
    await seat(company, "ann")
    await seat(company, f"bob@{other}")
    where: dict[str, Any] = {"customers": [company.name], "domains": [other]}
    somebody = await signed("/dashboard", "supervisor", **where)
    await expect(card(somebody, "Live sessions").locator(".stat-value")).to_have_text("1")
    await somebody.is_accessible()


@pytest.mark.parametrize("path", ["/dashboard", "/activity"])
@pytest.mark.parametrize(
    ("size", "theme"), [((360, 740), "light"), ((1440, 900), "dark"), ((3840, 2160), "dark")]
)
async def test_it_is_readable_everywhere(
    company: Company, signed: Signed, path: str, size: tuple[int, int], theme: str
) -> None:
    await worked(company)
    somebody = await signed(path, "owner", size=size, theme=theme, customers=[company.name])
    await expect(card(somebody, "Seat-hours").first).to_be_visible()
    await expect(somebody.page.locator("svg.chart").first).to_be_visible()
    await somebody.is_accessible()
