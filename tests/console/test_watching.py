"""The queue, denials and events, as they happen."""

from __future__ import annotations

import json
import re

import pytest
from playwright.async_api import expect

from tests.console.conftest import Signed
from tests.scenarios.company import Company
from tests.servers import Server


async def test_the_queue_moves_up_when_a_seat_becomes_free(
    company: Company, signed: Signed, node: Server
) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    somebody = await signed("/queue", "owner", customers=[company.name])
    await somebody.sees("Nobody waits")
    await somebody.is_accessible()
    ann = await company.sign_in(node, "ann", "CALL_CENTER")
    for name in ("bob", "eve"):
        await company.sign_in(node, name, "CALL_CENTER", wait_s=600)
    await expect(somebody.row("bob")).to_contain_text("Next")
    await expect(somebody.row("eve").get_by_role("cell").first).to_have_text("2")
    await somebody.is_accessible()
    await ann.bye()
    await expect(somebody.row("eve")).to_contain_text("Next")
    await expect(somebody.row("bob")).to_have_count(0)


async def test_who_was_refused_and_why(company: Company, signed: Signed, node: Server) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    somebody = await signed("/denials", "owner", customers=[company.name])
    await somebody.sees("Nobody was refused")
    await company.sign_in(node, "ann", "CALL_CENTER")
    await company.sign_in(node, "bob", "CALL_CENTER")
    await company.sign_in(node, "eve", "CALL_MANAGER")
    await expect(somebody.row("bob")).to_contain_text("No seat")
    await expect(somebody.row("eve")).to_contain_text("Not licensed")
    await expect(somebody.page.locator(".figure").filter(has_text="True denials")).to_contain_text("1")
    await somebody.is_accessible()
    await somebody.page.get_by_label("Code").select_option("no_seat")
    await expect(somebody.row("eve")).to_have_count(0)
    await somebody.is_at(re.compile("code=no_seat"))
    async with somebody.page.expect_download() as started:
        await somebody.role("link", "CSV").click()
    text = (await (await started.value).path()).read_text()
    assert "no_seat" in text
    assert "not_licensed" not in text


async def test_who_has_some_domains_sees_their_denials(
    company: Company, signed: Signed, node: Server
) -> None:
    other = f"other.{company.domain}"
    await company.licensed("CALL_CENTER:competitive:1", domains=[company.domain, other])
    somebody = await signed("/denials", "supervisor", customers=[company.name], domains=[other])
    await somebody.sees("Nobody was refused")
    for user in (f"ann@{other}", f"bob@{other}", "eve"):
        await company.sign_in(node, user, "CALL_CENTER")
    await expect(somebody.row("No seat")).to_contain_text(other)
    figures = somebody.page.locator(".figure")
    await expect(figures.filter(has_text="True denials")).to_contain_text("1")
    await expect(figures.filter(has_text="Refused1")).to_be_visible()  # not Eve
    await somebody.is_accessible()


async def test_denials_are_listed_without_their_figures(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    somebody = await signed("/licenses", "owner", customers=[company.name])
    somebody.expected = {503}
    problem = '{"code": "unavailable", "detail": "The store is away"}'
    await somebody.page.route("**/api/v1/usage?*", lambda route: route.fulfill(status=503, body=problem))
    await somebody.page.locator('nav a[data-path="/denials"]').click()
    await somebody.sees("Nobody was refused")
    await expect(somebody.page.locator(".figure")).to_have_count(0)


async def test_whose_denials_is_chosen_first(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    somebody = await signed("/denials", size=(360, 780), theme="dark")
    await somebody.sees("Whose?")
    await somebody.is_accessible()
    await somebody.role("button", "Choose a customer").last.click()
    await somebody.page.get_by_label("Search customers").fill(company.name)
    await somebody.page.locator(".choices button").filter(has_text=company.name).first.click()
    await somebody.sees("Nobody was refused")
    await somebody.is_at(re.compile(f"customer={company.name}"))


async def test_events_come_as_they_happen_and_a_pause_holds_them(
    company: Company, signed: Signed, node: Server
) -> None:
    await company.licensed("CALL_CENTER:competitive:2")
    somebody = await signed("/events", "owner", customers=[company.name])
    await expect(somebody.page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    ann = await company.sign_in(node, "ann", "CALL_CENTER")
    await expect(somebody.row("ann")).to_contain_text("Granted")
    await somebody.is_accessible()
    await somebody.role("button", "Pause").click()
    await somebody.sees("Paused")
    await ann.bye()
    await company.sign_in(node, "bob", "CALL_CENTER")
    await expect(somebody.row("ann")).to_have_count(1)
    await expect(somebody.row("bob")).to_have_count(0)
    await somebody.is_accessible()
    await somebody.role("button", "Go on").click()
    await expect(somebody.row("bob")).to_be_visible()
    await expect(somebody.row("ann").filter(has_text="Freed")).to_be_visible()
    await somebody.page.get_by_label("Type").select_option("freed")
    await expect(somebody.row("bob")).to_have_count(0)
    await somebody.is_at(re.compile("type=freed"))


async def test_events_that_newer_ones_have_pushed_out_are_the_first_older_ones(
    company: Company, signed: Signed, node: Server
) -> None:
    await company.licensed("CALL_CENTER:competitive:2")
    await company.sign_in(node, "ann", "CALL_CENTER")
    somebody = await signed("/licenses", "owner", customers=[company.name])
    names = ("type", "at", "user", "product", "license", "domain", "session")
    event = dict.fromkeys(names, "") | {"type": "freed", "at": "2090-01-01T00:00:00Z", "product": "CHAT"}
    told = [json.dumps(event | {"seq": f"3786912000000-{number}"}) for number in range(600)]
    body = "".join(f"event: freed\ndata: {data}\n\n" for data in told)
    await somebody.page.route(
        "**/api/v1/stream?*", lambda route: route.fulfill(body=body, content_type="text/event-stream")
    )
    await somebody.page.locator('nav a[data-path="/events"]').click()
    await expect(somebody.row("CHAT")).to_have_count(500)
    await expect(somebody.row("ann")).to_have_count(0)
    await somebody.role("button", "Older").click()
    await somebody.is_at("/events?before=3786912000000-100")
    await expect(somebody.row("ann")).to_contain_text("Granted")


@pytest.mark.parametrize("path", ["sessions", "queue", "denials", "events", "audit", "webhooks", "tokens"])
async def test_a_failure_is_told_and_tried_again(company: Company, signed: Signed, path: str) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    somebody = await signed("/licenses", "owner", customers=[company.name])
    somebody.expected = {503}
    away = re.compile(rf"/api/v1/(.*/)?{path}(\?|$)")
    problem = '{"code": "unavailable", "detail": "The store is away"}'
    await somebody.page.route(away, lambda route: route.fulfill(status=503, body=problem))
    await somebody.page.locator(f'nav a[data-path="/{path}"]').click()
    await somebody.sees("That did not work")
    await somebody.is_accessible()
    await somebody.page.unroute(away)
    retry = somebody.role("button", "Try again")  # unless it has come back by itself
    await retry.evaluate_all("(all) => all.forEach((one) => one.click())")
    await expect(somebody.page.get_by_text("That did not work")).to_have_count(0)


async def test_a_strangers_page_instead_of_an_answer_ends_no_view(
    company: Company, signed: Signed, node: Server
) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    somebody = await signed("/queue", "owner", customers=[company.name])
    badge = somebody.page.locator("live-badge")
    await expect(badge).to_have_text("Live")
    pages = [{"body": "<p>Back soon</p>", "content_type": "text/html"}] * 2
    # An answer of the server's own may be on its way: it is the stranger's that is waited for.
    async with somebody.page.expect_response(
        lambda answer: answer.headers.get("content-type") == "text/html"
    ):
        await somebody.page.route("**/api/v1/queue?*", lambda route: route.fulfill(**pages.pop()), times=2)
    await expect(badge).to_contain_text("Stale since")
    await company.sign_in(node, "ann", "CALL_CENTER")
    await company.sign_in(node, "bob", "CALL_CENTER", wait_s=600)
    await expect(somebody.row("bob")).to_be_visible()
    await expect(badge).to_have_text("Live")


async def test_a_strangers_page_instead_of_a_stream_is_no_stream(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    somebody = await signed("/licenses", "owner", customers=[company.name])
    await somebody.page.route(
        "**/api/v1/stream?*", lambda route: route.fulfill(body="<p>Back soon</p>", content_type="text/html")
    )
    await somebody.page.locator('nav a[data-path="/events"]').click()
    badge = somebody.page.locator("live-badge")
    await expect(badge).to_contain_text("Stale since")
    await somebody.page.unroute("**/api/v1/stream?*")
    await expect(badge).to_have_text("Live")


async def test_a_view_that_is_refused_is_not_called_live(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    somebody = await signed("/queue", "owner", customers=[company.name])
    badge = somebody.page.locator("live-badge")
    await expect(badge).to_have_text("Live")
    somebody.expected = {403}
    problem = '{"code": "forbidden", "detail": "Your role does not allow this"}'
    await somebody.page.route("**/api/v1/queue?*", lambda route: route.fulfill(status=403, body=problem))
    await expect(badge).to_have_text("Not live any more")
    await somebody.is_accessible()
