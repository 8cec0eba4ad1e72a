"""Usage as a sheet: live figures in two browsers, cells that are summed, ranges that are copied, files that are exported."""

from __future__ import annotations

import asyncio
import csv
import re
from typing import Any

import pytest
from playwright.async_api import Locator, Route, expect

from tests.console.conftest import Signed
from tests.console.history import used, write_days
from tests.console.test_licenses import seat
from tests.console.visitor import Visitor
from tests.scenarios.company import Company

ON_TOP = """
(one) => {
  const { x, y, width, height } = one.getBoundingClientRect();
  return one.contains(document.elementFromPoint(x + width / 2, y + height / 2));
}
"""


def cell(somebody: Visitor, column: str, row: int = 0) -> Locator:
    """A cell of the sheet, by its column's name."""
    return somebody.page.locator(
        f"xpath=(//data-sheet//tbody/tr)[{row + 1}]"
        f"/td[count(//data-sheet//thead//th[normalize-space()='{column}']/preceding-sibling::th) + 1]"
    )


def figure(somebody: Visitor, name: str) -> Locator:
    """What the status line says of the selection."""
    return somebody.page.locator(f"[data-figure={name}] strong")


async def worked(company: Company) -> None:
    """Two weeks of use, and somebody at work now."""
    await company.licensed("CALL_CENTER:competitive:9")
    await seat(company, "ann")
    await write_days(company, {ago: used(ago, 10, grants=ago, refused=ago % 2) for ago in range(1, 15)})


async def test_two_browsers_see_the_same_live_number(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:4")
    ann = await seat(company, "ann")
    watching = [
        await signed("/usage", "owner", customers=[company.name]),
        await signed(f"/usage?customer={company.name}"),
    ]
    for each in watching:
        await expect(cell(each, "In use")).to_have_text("1")
        await expect(each.page.locator("live-badge")).to_have_text("Live")
        await each.is_accessible()
    await seat(company, "bob")
    await seat(company, "cleo")
    for each in watching:
        await expect(cell(each, "In use")).to_have_text("3")
    await ann.bye()
    for each in watching:
        await expect(cell(each, "In use")).to_have_text("2")
        await expect(cell(each, "Peak")).to_have_text("3")


async def test_selected_cells_are_summed(company: Company, signed: Signed) -> None:
    await worked(company)
    somebody = await signed("/usage?resolution=day", "owner", customers=[company.name])
    rows = somebody.page.locator("data-sheet tbody tr")
    await expect(rows).to_have_count(30)
    await somebody.sees("Select cells for sum and average.")
    await somebody.is_accessible()
    # by mouse: from 3 days ago to yesterday, and then with shift from 14 days ago
    first, last = cell(somebody, "Seat-hours", 26), cell(somebody, "Seat-hours", 28)
    await first.scroll_into_view_if_needed()
    await first.hover()
    await somebody.page.mouse.down()
    await last.hover()
    await somebody.page.mouse.up()
    await expect(figure(somebody, "sum")).to_have_text("60")
    await expect(figure(somebody, "average")).to_have_text("20")
    await expect(figure(somebody, "count")).to_have_text("3")
    await expect(somebody.page.locator("[aria-selected=true]")).to_have_count(3)
    await somebody.is_accessible()
    await cell(somebody, "Seat-hours", 28).click()
    await cell(somebody, "Seat-hours", 15).click(modifiers=["Shift"])
    await expect(figure(somebody, "sum")).to_have_text("1,050")
    await expect(somebody.page.get_by_role("status").filter(has_text="Sum 1,050")).to_have_count(1)


async def test_cells_are_selected_by_keyboard(company: Company, signed: Signed) -> None:
    await worked(company)
    somebody = await signed("/usage?resolution=day", "owner", customers=[company.name])
    keys = somebody.page.keyboard
    await cell(somebody, "Seat-hours", 28).click()
    await keys.press("Shift+ArrowUp")
    await expect(figure(somebody, "sum")).to_have_text("30")
    await keys.press("Shift+ArrowUp")
    await expect(figure(somebody, "sum")).to_have_text("60")
    await keys.press("ArrowUp")
    await expect(figure(somebody, "sum")).to_have_text("40")
    await keys.press("Control+Space")
    await expect(somebody.page.locator("[aria-selected=true]")).to_have_count(30)
    await keys.press("Control+a")
    columns = await somebody.page.locator("data-sheet thead th[data-head]").count()
    await expect(somebody.page.locator("[aria-selected=true]")).to_have_count(30 * columns)
    await keys.press("Escape")
    await expect(somebody.page.locator("[aria-selected=true]")).to_have_count(0)
    await somebody.page.locator("data-sheet thead th").filter(has_text="Grants").click()
    await expect(figure(somebody, "sum")).to_have_text("106")  # 1 to 14, and Ann's of today


async def test_a_range_is_copied_with_and_without_headers(company: Company, signed: Signed) -> None:
    await worked(company)
    somebody = await signed("/usage?resolution=day", "owner", customers=[company.name])
    await somebody.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await cell(somebody, "Peak", 27).click()
    await cell(somebody, "Seat-hours", 28).click(modifiers=["Shift"])
    await somebody.page.keyboard.press("Control+c")
    await somebody.sees("6 cells copied")
    read = "navigator.clipboard.readText()"
    assert await somebody.page.evaluate(read) == "2\t0.833333\t20\n1\t0.416667\t10"
    await somebody.role("button", "Copy with headers").click()
    await somebody.page.wait_for_function(
        "async () => (await navigator.clipboard.readText()).startsWith('Peak')"
    )
    assert await somebody.page.evaluate(read) == "Peak\tAverage\tSeat-hours\n2\t0.833333\t20\n1\t0.416667\t10"


async def test_the_export_is_the_same_table(company: Company, signed: Signed) -> None:
    await worked(company)
    somebody = await signed("/usage?resolution=day", "owner", customers=[company.name])
    await expect(cell(somebody, "Peak", 28)).to_have_text("1")
    async with somebody.page.expect_download() as loading:
        await somebody.role("link", "Export CSV").click()
    path = await (await loading.value).path()
    rows = list(csv.DictReader((await asyncio.to_thread(path.read_text)).splitlines()))
    assert len(rows) == 30
    assert [(row["product"], row["peak"], row["seat_hours"]) for row in rows[26:29]] == [
        ("CALL_CENTER", "3", "30"),
        ("CALL_CENTER", "2", "20"),
        ("CALL_CENTER", "1", "10"),
    ]


async def test_the_details_say_how_many_seats_would_do(company: Company, signed: Signed) -> None:
    await worked(company)
    somebody = await signed("/usage?resolution=day", "owner", customers=[company.name])
    await cell(somebody, "Peak", 25).click()  # four days ago
    await somebody.page.keyboard.press("Enter")
    dialog = somebody.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("4 suggested seats")
    await expect(dialog.get_by_role("table", name="Percent of the time")).to_contain_text("41.7 %")
    await somebody.is_accessible()
    await somebody.page.go_back()
    await expect(dialog).to_have_count(0)
    await somebody.page.locator("data-sheet tbody tr").nth(26).get_by_role("button").click()
    await expect(dialog).to_contain_text("4 suggested seats")  # of three, none was free
    await expect(dialog).to_contain_text("No seat")
    address = somebody.address
    await somebody.page.reload()
    await expect(dialog).to_contain_text("4 suggested seats")
    await somebody.is_at(address)


async def test_nothing_is_opened_of_what_is_being_replaced(company: Company, signed: Signed) -> None:
    await worked(company)
    somebody = await signed("/usage?resolution=day", "owner", customers=[company.name])
    await cell(somebody, "Seat-hours", 28).click()
    arrived, goes_on = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        arrived.set()
        await goes_on.wait()
        await route.continue_()

    await somebody.page.route("**/api/v1/usage?*resolution=hour*", hold)
    await somebody.role("button", "Hours").click()
    await asyncio.wait_for(arrived.wait(), 30)
    row = somebody.page.locator("data-sheet tbody tr").nth(28)
    await row.get_by_role("button").click()
    await cell(somebody, "Peak", 27).click()
    await cell(somebody, "Seat-hours", 28).focus()
    for key in ("Enter", "ArrowUp", "Control+a", "Control+c"):
        await somebody.page.keyboard.press(key)
    await somebody.is_at("/usage?resolution=hour")
    goes_on.set()
    await expect(somebody.page.get_by_role("columnheader", name="Hour (UTC)")).to_be_visible()


async def test_what_is_shown_stands_in_the_address(company: Company, signed: Signed) -> None:
    await worked(company)
    somebody = await signed("/usage", "owner", customers=[company.name])
    await somebody.role("button", "Months").click()
    await expect(somebody.page.get_by_role("columnheader", name="Month (UTC)")).to_be_visible()
    await somebody.role("button", "Days").click()
    await somebody.page.get_by_role("button", name="Ranges").click()
    await somebody.role("menuitem", "Last 7 days").click()
    await expect(somebody.page.locator("data-sheet tbody tr")).to_have_count(7)
    await somebody.page.get_by_label("Rows by").select_option("license")
    await expect(somebody.page.get_by_role("columnheader", name="License")).to_be_visible()
    assert re.fullmatch(r"/usage\?resolution=day&from=[\d-]{10}&to=[\d-]{10}&by=license", somebody.address), (
        somebody.address
    )
    await somebody.page.reload()
    await expect(somebody.page.locator("data-sheet tbody tr")).to_have_count(7)
    await expect(somebody.page.get_by_label("Rows by")).to_have_value("license")


async def test_who_has_some_domains_sees_only_those(company: Company, signed: Signed) -> None:
    other = f"other.{company.domain}"
    await company.licensed("CALL_CENTER:competitive:9", domains=[company.domain, other])
    await seat(company, "ann")
    await seat(company, f"bob@{other}")
    where: dict[str, Any] = {"customers": [company.name], "domains": [other]}
    somebody = await signed("/usage?by=customer", "supervisor", **where)
    rows = somebody.page.locator("data-sheet tbody tr")
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text(other)
    await expect(somebody.page.get_by_label("Rows by").locator("option")).to_have_text(["Domain"])


async def test_nothing_yet_errors_and_stale_figures_are_told(company: Company, signed: Signed) -> None:
    await company.licensed("CALL_CENTER:competitive:9")
    somebody = await signed("/usage", "owner", customers=[company.name])
    await somebody.sees("Nothing was ever in use")
    await somebody.is_accessible()
    somebody.is_cut_off = True
    await somebody.context.route("**/api/v1/usage*", lambda route: route.abort())
    await somebody.role("button", "Days").click()
    await somebody.sees("The server cannot be reached.")
    await somebody.is_accessible()
    await somebody.context.unroute("**/api/v1/usage*")
    await somebody.role("button", "Try again").click()
    await somebody.sees("Nothing was ever in use")
    await somebody.role("button", "Live").click()
    await seat(company, "ann")
    await expect(cell(somebody, "In use")).to_have_text("1")
    await somebody.context.set_offline(True)
    await expect(somebody.page.locator("live-badge")).to_contain_text("Stale since")
    await somebody.is_accessible()
    await somebody.context.set_offline(False)
    await seat(company, "bob")
    await expect(cell(somebody, "In use")).to_have_text("2")


@pytest.mark.parametrize(
    ("where", "names"),
    [("", ("Customer", "Product")), ("&customer={}", ("Product", "Day (UTC)"))],  # as many as leave room
)
async def test_what_a_row_is_about_stays_in_sight(
    company: Company, signed: Signed, where: str, names: tuple[str, ...]
) -> None:
    await worked(company)
    address = f"/usage?resolution=day&by=product{where.format(company.name)}"
    somebody = await signed(address, size=(360, 740))
    last = cell(somebody, "Suggested", 28)
    await last.scroll_into_view_if_needed()
    await last.click()
    await expect(last).to_be_in_viewport(ratio=0.9)
    for name in names:
        for one in (somebody.page.get_by_role("columnheader", name=name), cell(somebody, name, 28)):
            await expect(one).to_be_in_viewport(ratio=0.9)
            assert await one.evaluate(ON_TOP)
    await somebody.is_accessible()
    peak = cell(somebody, "Peak", 28)
    await somebody.page.keyboard.press("Home")
    while await peak.get_attribute("aria-selected") != "true":
        await somebody.page.keyboard.press("ArrowRight")
    assert await peak.evaluate(ON_TOP)  # not behind what stays


@pytest.mark.parametrize(
    ("size", "theme"), [((360, 740), "light"), ((1440, 900), "dark"), ((3840, 2160), "dark")]
)
async def test_it_is_readable_everywhere(
    company: Company, signed: Signed, size: tuple[int, int], theme: str
) -> None:
    await worked(company)
    somebody = await signed(
        "/usage?resolution=day", "owner", size=size, theme=theme, customers=[company.name]
    )
    await cell(somebody, "Peak", 2).click()
    await somebody.is_accessible()
    await somebody.page.keyboard.press("Enter")
    await expect(somebody.page.get_by_role("dialog")).to_be_visible()
    await somebody.is_accessible()
