"""What all pages share: signing in and out, navigation, addresses, theme, rights, and what the browser is told."""

from __future__ import annotations

import re

import aiohttp
import pytest
from playwright.async_api import expect

from seatd.web.console_files import POLICY
from seatd.web.totp import code_at
from tests.console.conftest import Signed
from tests.console.visitor import PASSWORD, Visitor, make_administrator, now_step, sign_in
from tests.scenarios.company import Company
from tests.servers import Server


async def test_somebody_signs_in_with_a_password_and_out_again(visitor: Visitor, node: Server) -> None:
    await make_administrator(node, "olga")
    visitor.expected = {401}
    await visitor.visit("/licenses?search=call")
    await visitor.is_accessible()
    await visitor.page.get_by_label("Name").fill("olga")
    await visitor.page.get_by_label("Password").fill("something else entirely")
    await visitor.page.keyboard.press("Enter")
    await visitor.sees("Name, password, code or link is wrong")
    await visitor.is_accessible()
    await visitor.page.get_by_label("Password").fill(PASSWORD)
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.role("heading", "Licenses")).to_be_visible()
    await visitor.is_at("/licenses?search=call")  # where he wanted to go
    await visitor.page.get_by_role("button", name="Account of olga").click()
    await visitor.role("menuitem", "Sign out").click()
    await expect(visitor.role("heading", "Sign in")).to_be_visible()
    await visitor.page.reload()
    await expect(visitor.role("heading", "Sign in")).to_be_visible()


async def test_a_link_signs_in_once_and_its_secret_does_not_stay(visitor: Visitor, node: Server) -> None:
    await make_administrator(node, "lena")
    made = await node.call("POST", "/api/v1/sign-in-links", {"name": "lena"})
    await visitor.visit(made["path"].removeprefix("/console"))
    await visitor.role("button", "Sign in").click()
    await expect(visitor.page.get_by_role("button", name="Account of lena")).to_be_visible()
    assert made["link"] not in visitor.page.url


async def test_who_must_have_one_time_codes_sets_them_up_and_signs_in_with_one(
    visitor: Visitor, node: Server
) -> None:
    await make_administrator(node, "tom")
    await node.call("PATCH", "/api/v1/administrators/tom", {"must_totp": True})
    await sign_in(visitor, "tom")
    await visitor.visit("/licenses")
    await expect(visitor.role("heading", "Set up one-time codes")).to_be_visible()
    await visitor.page.get_by_label("Password").fill(PASSWORD)
    await visitor.role("button", "Continue").click()
    secret = (await visitor.page.locator(".secret-line code").inner_text()).replace(" ", "")
    await visitor.is_accessible()
    step = now_step()
    await visitor.page.get_by_label("Code that the app shows").fill(code_at(secret, step))
    await visitor.role("button", "Set up").click()
    await expect(visitor.role("heading", "Licenses")).to_be_visible()
    await visitor.page.goto("about:blank")  # what the page still asks for is not asked without the cookie
    await visitor.context.clear_cookies()
    await visitor.visit("/licenses")
    await visitor.page.get_by_label("Name").fill("tom")
    await visitor.page.get_by_label("Password").fill(PASSWORD)
    await visitor.page.get_by_label("One-time code").fill(
        code_at(secret, max(step + 1, now_step()))
    )  # each is good once
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.role("heading", "Licenses")).to_be_visible()


async def test_a_browser_is_led_from_the_root_to_the_console(visitor: Visitor, node: Server) -> None:
    await visitor.page.goto(f"http://{node.admin}/")
    await expect(visitor.role("heading", "Sign in")).to_be_visible()


async def test_an_address_leads_nowhere(signed: Signed) -> None:
    somebody = await signed("/nothing/of/the/kind")
    await somebody.sees("There is no page at this address.")


async def test_the_back_button_goes_back(signed: Signed) -> None:
    somebody = await signed("/licenses")
    search = somebody.page.get_by_label("Search licenses")
    await search.fill("nothing-like-it")
    await somebody.page.wait_for_url("**/licenses?search=nothing-like-it")
    await search.blur()
    await somebody.page.go_back()
    await expect(search).to_have_value("")
    await somebody.is_at("/licenses")


async def test_the_theme_is_chosen_and_remembered(signed: Signed) -> None:
    somebody = await signed("/licenses")
    await somebody.page.get_by_role("button", name=re.compile("^Account of")).click()
    await somebody.is_accessible()
    await somebody.role("menuitemradio", "Dark").click()
    await somebody.is_accessible()
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = await somebody.page.evaluate(ground)
    await somebody.page.reload()
    await expect(somebody.role("heading", "Licenses")).to_be_visible()
    assert await somebody.page.evaluate(ground) == dark == "rgb(13, 17, 23)"


async def test_the_navigation_opens_where_it_is_narrow(signed: Signed) -> None:
    somebody = await signed("/licenses", size=(360, 740))
    link = somebody.role("link", "Licenses")
    await expect(link).not_to_be_visible()
    await somebody.role("button", "Menu").click()
    await expect(link).to_be_visible()
    await somebody.is_accessible()
    await somebody.page.keyboard.press("Escape")
    await expect(link).not_to_be_visible()


async def test_everything_is_reached_by_keyboard(signed: Signed, company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:5")
    somebody = await signed("/licenses", "owner", customers=[company.name])
    await expect(somebody.row(company.name).first).to_be_visible()
    reached = []
    for _ in range(60):
        await somebody.page.keyboard.press("Tab")
        name = await somebody.page.evaluate(
            "(({ activeElement: one }) => one.ariaLabel ?? one.labels?.[0]?.textContent ?? one.textContent)(document)"
        )
        reached.append(name)
        if name.startswith("Users of"):
            break
    assert reached[0] == "Add license"
    assert {"Search licenses", "Columns", "Refresh", "Product"} <= set(reached)
    await somebody.page.keyboard.press("Enter")
    await expect(somebody.dialog("Users of")).to_be_visible()
    await somebody.page.keyboard.press("Escape")
    await expect(somebody.dialog("Users of")).not_to_be_visible()
    await expect(somebody.page.locator(":focus")).to_have_attribute("aria-label", re.compile("^Users of"))


async def test_somebody_acts_for_one_customer_alone(signed: Signed, company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:5")
    somebody = await signed("/licenses")
    await somebody.page.get_by_role("button", name=re.compile("^Account of")).click()
    await somebody.role("menuitem", "One customer alone …").click()
    await somebody.page.get_by_label("Search customers").fill(company.name)
    await somebody.page.get_by_role("button", name=re.compile(f"{company.name}$")).first.click()
    await expect(somebody.page.get_by_text(f"Owner of {company.name}").first).to_be_visible()
    await expect(somebody.row(company.name)).to_have_count(1)


async def test_what_a_session_may_no_more_leads_to_the_sign_in(signed: Signed) -> None:
    somebody = await signed("/licenses")
    somebody.expected = {401}
    await somebody.context.clear_cookies()
    await expect(somebody.role("heading", "Sign in")).to_be_visible()


@pytest.mark.parametrize("path", ["", "licenses", "customers/acme?tab=audit", "sign-in"])
async def test_every_address_is_the_page(node: Server, path: str) -> None:
    async with aiohttp.ClientSession() as http, http.get(f"http://{node.admin}/console/{path}") as response:
        assert (response.status, response.content_type) == (200, "text/html")
        assert response.headers["Content-Security-Policy"] == POLICY
        assert "unsafe" not in POLICY
