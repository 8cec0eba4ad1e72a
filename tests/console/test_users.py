"""Users and provisioning: who has which license, extensions one by one, and many from a CSV file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Locator, expect

from tests.console.busy import Busy
from tests.console.conftest import Signed
from tests.console.visitor import Visitor
from tests.scenarios.company import Company
from tests.servers import READY_S

ADD_ONS = (
    "device_web_rtc:competitive:10",
    "device_mobile_app:competitive:10",
    "call_recording:competitive:2",
)
HEADER = "Ext key,Number,User,Addon license,Addon license"


async def phones(company: Company, limit: int = 20) -> None:
    """The company may have extensions from 200 to 299, with add-ons."""
    await company.licensed(f"phone_system:competitive:{limit}", *ADD_ONS)
    blocks = [{"first": "200", "last": "299"}, {"first": "10000", "last": "19999"}]
    await company.nodes[0].call("PATCH", f"/api/v1/customers/{company.name}", {"number_blocks": blocks})


async def has_users(company: Company, *names: str, **fields: Any) -> None:
    for name in names:
        body = {"user": company.user(name), **fields}
        await company.nodes[0].call("POST", f"/api/v1/customers/{company.name}/users", body)


async def extensions(company: Company) -> dict[str, dict[str, Any]]:
    page = await company.nodes[0].call("GET", f"/api/v1/customers/{company.name}/extensions?size=500")
    return {one["extension"]: one for one in page["items"]}


async def assigned(company: Company, license: str, *users: str) -> None:
    """Waits until exactly these have a license: the grid shows at once what it has only asked for."""
    async with asyncio.timeout(READY_S):
        while True:
            page = await company.nodes[0].call("GET", f"/api/v1/licenses/{license}/users")
            if [row["user"] for row in page["items"]] == list(users):
                return
            await asyncio.sleep(0.05)


def rows_of(visitor: Visitor, name: str) -> Locator:
    return visitor.page.get_by_role("table", name=name).locator("tbody tr")


async def choose(visitor: Visitor, text: str) -> Locator:
    """Chooses a CSV file in the dialog, which it answers."""
    dialog = visitor.dialog("Extensions from a CSV file")
    file: Any = {"name": "extensions.csv", "mimeType": "text/csv", "buffer": text.encode()}
    await dialog.get_by_label("CSV file").set_input_files(file)
    return dialog


async def test_a_license_is_given_and_taken_back_in_the_grid(company: Company, signed: Signed) -> None:
    mobile, auditor = await company.licensed("MOBILE:nominal:1", "QUALITY_AUDITOR:nominal:2")
    await has_users(company, "ann", "bob")
    somebody = await signed("/users", "owner", customers=[company.name])
    somebody.expected = {409}
    ann, bob = company.user("ann"), company.user("bob")
    await somebody.role("checkbox", f"MOBILE for {ann}").click()
    await expect(somebody.role("checkbox", f"MOBILE for {ann}")).to_be_checked()
    await assigned(company, mobile, ann)
    client = await company.sign_in(company.nodes[0], "ann", "MOBILE", kind="mobile")
    assert client.seats[0].license == mobile
    await expect(somebody.row(ann)).to_contain_text("Online")
    await somebody.role("checkbox", f"MOBILE for {bob}").click()  # there is only one
    await expect(somebody.page.locator(".toast.bad")).to_contain_text(bob)
    await expect(somebody.role("checkbox", f"MOBILE for {bob}")).not_to_be_checked()
    await somebody.is_accessible()
    await somebody.page.locator(".toast.bad").get_by_role("button", name="Dismiss").click()
    await somebody.role("checkbox", f"MOBILE for {ann}").click()
    await expect(somebody.role("checkbox", f"MOBILE for {ann}")).not_to_be_checked()
    await somebody.role("checkbox", f"QUALITY_AUDITOR for {bob}").click()
    await assigned(company, mobile)
    await assigned(company, auditor, bob)  # a page that is left takes with it what it has not yet sent
    await somebody.page.reload()
    await expect(somebody.role("checkbox", f"QUALITY_AUDITOR for {bob}")).to_be_checked()
    await expect(somebody.role("checkbox", f"MOBILE for {ann}")).not_to_be_checked()


async def test_the_grid_tells_who_has_a_seat(company: Company, signed: Signed) -> None:
    await phones(company)  # whose licenses have their columns by the extension
    await company.licensed("CALL_CENTER:competitive:2", "MOBILE:nominal:1")
    await has_users(company, "ann", "bob")
    somebody = await signed("/users", "owner", customers=[company.name])
    grid = somebody.page.get_by_role("table", name="Users and their licenses")
    heads = grid.locator("thead th")
    await expect(heads.filter(has_text="CALL_CENTER")).to_have_count(1)
    await expect(heads.filter(has_text="phone_system")).to_have_count(1)
    seats = grid.locator("td[data-label=CALL_CENTER]")
    await expect(seats).to_have_text(["", ""])
    desk = await company.sign_in(company.nodes[0], "bob", "CALL_CENTER")
    await expect(seats).to_have_text(["", "In use"])
    await somebody.is_accessible()
    await desk.bye()
    await expect(seats).to_have_text(["", ""])


async def test_columns_are_chosen_and_kept(company: Company, signed: Signed) -> None:
    await company.licensed("MOBILE:nominal:3", "QUALITY_AUDITOR:nominal:3")
    await has_users(company, "ann")
    somebody = await signed("/users", "owner", customers=[company.name])
    head = somebody.page.get_by_role("table", name="Users and their licenses").locator("thead")
    await expect(head).to_contain_text("QUALITY_AUDITOR")
    await somebody.role("button", "Columns").click()
    await somebody.page.get_by_role("menuitemcheckbox", name="QUALITY_AUDITOR").click()
    await expect(head).not_to_contain_text("QUALITY_AUDITOR")
    await somebody.is_accessible()
    await somebody.page.reload()
    await expect(head).to_contain_text("MOBILE")
    await expect(head).not_to_contain_text("QUALITY_AUDITOR")


async def test_a_user_is_added_changed_found_and_deleted(company: Company, signed: Signed) -> None:
    await company.licensed("MOBILE:nominal:3")
    somebody = await signed("/users", "owner", customers=[company.name])
    somebody.expected = {404, 409}
    await somebody.sees("No users yet")
    await somebody.is_accessible()
    await somebody.role("button", "Add user").click()
    dialog = somebody.dialog("Add user")
    await dialog.get_by_label("User", exact=True).fill("ann@elsewhere.example")
    await dialog.get_by_role("button", name="Add user").click()
    await expect(dialog.locator(".problem")).to_be_visible()
    await somebody.is_accessible()
    await dialog.get_by_label("User", exact=True).fill(company.user("ann"))
    await dialog.get_by_label("Name").fill("Ann <A>")
    await dialog.get_by_role("button", name="Add user").click()
    await expect(somebody.row("Ann <A>")).to_contain_text("Agent")
    await somebody.role("button", f"Actions for {company.user('ann')}").click()
    await somebody.page.get_by_role("menuitem", name="Edit").click()
    dialog = somebody.dialog(f"Edit {company.user('ann')}")
    await dialog.get_by_label("Role").select_option("Supervisor")
    await dialog.get_by_role("button", name="Save").click()
    await expect(somebody.row("Ann <A>")).to_contain_text("Supervisor")
    await somebody.page.get_by_label("Search users").fill("nobody")
    await somebody.sees("No user found")
    await somebody.is_at("/users?search=nobody")
    await somebody.page.get_by_label("Search users").fill("")
    await somebody.role("button", f"Actions for {company.user('ann')}").click()
    await somebody.page.get_by_role("menuitem", name="Delete").click()
    await somebody.is_accessible()
    await somebody.dialog("Delete the user").get_by_role("button", name="Delete user").click()
    await somebody.sees("No users yet")


async def test_extensions_are_provisioned_assigned_and_get_add_ons(company: Company, signed: Signed) -> None:
    await phones(company)
    await has_users(company, "ann")
    somebody = await signed("/users?tab=extensions", "owner", customers=[company.name])
    somebody.expected = {422, 409, 400}
    await somebody.sees("No extensions yet")
    await somebody.is_accessible()
    await somebody.role("button", "Provision …").click()
    dialog = somebody.dialog("Provision extensions")
    await dialog.get_by_label("First extension").fill("299")
    await dialog.get_by_label("How many").fill("2")
    await dialog.get_by_label("call_recording").check()
    await dialog.get_by_role("button", name="Provision").click()
    await expect(dialog.locator(".problem")).to_contain_text("number blocks")
    await somebody.is_accessible()
    assert await extensions(company) == {}
    await dialog.get_by_label("First extension").fill("201")
    await dialog.get_by_role("button", name="Provision").click()
    rows = rows_of(somebody, "Extensions")
    await expect(rows).to_have_count(2)
    await somebody.role("button", "Assign extension 201").click()
    dialog = somebody.dialog("Assign extension 201")
    await expect(dialog.locator(f"option[value='{company.user('ann')}']")).to_have_count(1)
    await dialog.get_by_label("User").fill(company.user("ann"))
    await somebody.is_accessible()
    await dialog.get_by_role("button", name="Assign").click()
    await expect(rows.first).to_contain_text(company.user("ann"))
    await somebody.role("button", "Actions for extension 201").click()
    await somebody.page.get_by_role("menuitem", name="Manage add-ons").click()
    dialog = somebody.dialog("Add-ons of extension 201")
    await dialog.get_by_label("call_recording").uncheck()
    await dialog.get_by_label("device_mobile_app").fill("2")
    await somebody.is_accessible()
    await dialog.get_by_role("button", name="Save").click()
    await expect(rows.first).to_contain_text("2 × device_mobile_app")
    made = await extensions(company)
    assert made["201"]["add_ons"] == ["device_mobile_app", "device_mobile_app"]
    await somebody.page.get_by_label("Only without a user").check()
    await expect(rows).to_have_count(1)
    await somebody.is_at("/users?tab=extensions&free=true")
    await somebody.role("button", "Actions for extension 202").click()
    await somebody.page.get_by_role("menuitem", name="Remove").click()
    await somebody.dialog("Remove extension 202").get_by_role("button", name="Remove extension").click()
    await somebody.sees("No extension found")
    assert list(await extensions(company)) == ["201"]
    await somebody.role("tab", "Users").click()
    ann = somebody.row(company.user("ann"))
    await expect(ann).to_contain_text("201")
    await expect(ann).to_contain_text("device_mobile_app: 2 licenses")
    await somebody.is_accessible()


async def test_a_file_is_made_wholly_or_not_at_all(company: Company, signed: Signed) -> None:
    await phones(company)
    somebody = await signed("/users?tab=extensions", "owner", customers=[company.name])
    await somebody.role("button", "From CSV …").click()
    await somebody.is_at("/users?tab=extensions&bulk=open")
    dialog = somebody.dialog("Extensions from a CSV file")
    make = dialog.get_by_role("button", name="Create")
    await expect(make).to_be_disabled()
    await somebody.is_accessible()
    async with somebody.page.expect_download() as downloading:
        await dialog.get_by_role("link", name="Download template").click()
    downloaded = await (await downloading.value).path()
    template = await asyncio.to_thread(Path(downloaded).read_text)
    assert template.startswith("Ext key,Number,User,Addon license,Addon license,Addon license")

    user = company.user("ann")
    bad = f"{HEADER}\n201,+43 1 5550201,{user},device_web_rtc,call_recording\n999,,,device_web_rtc,\n203,nonsense,,no_such,\n"
    await choose(somebody, bad)
    await expect(dialog.get_by_role("alert")).to_contain_text("3 faults in the file. Nothing was changed.")
    report = rows_of(somebody, "Report")
    await expect(report).to_have_count(4)
    for at, cells in enumerate(
        (
            ("3", "999", "Wrong", "Ext key"),
            ("4", "203", "Wrong", "Number"),
            ("4", "203", "Wrong", "Addon license"),
            ("2", "201", "Not made"),
        )
    ):
        for cell in cells:
            await expect(report.nth(at)).to_contain_text(cell)
    await expect(report.first).to_contain_text("number blocks")
    await expect(make).to_be_disabled()
    await somebody.is_accessible()
    assert await extensions(company) == {}

    await choose(somebody, "Who,What\nann,201\n")
    await expect(dialog.get_by_role("alert")).to_contain_text("Nothing was changed.")
    await somebody.is_accessible()

    good = f"{HEADER}\n201,+43 1 5550201,{user},device_web_rtc,call_recording\n202,,,,\n"
    await choose(somebody, good)
    await expect(dialog).to_contain_text("All 2 rows are good. Nothing is made yet.")
    await expect(make).to_have_text("Create 2 extensions")
    await somebody.is_accessible()
    assert await extensions(company) == {}
    await make.click()
    await expect(dialog).to_contain_text("2 extensions made.")
    await expect(report.first).to_contain_text("Created")
    await somebody.is_accessible()
    made = await extensions(company)
    assert list(made) == ["201", "202"]
    assert made["201"]["user"] == user
    assert made["201"]["add_ons"] == ["device_web_rtc", "call_recording"]
    await somebody.page.keyboard.press("Escape")
    await expect(rows_of(somebody, "Extensions")).to_have_count(2)
    await expect(somebody.row(user)).to_contain_text("call_recording")


async def test_what_has_changed_since_the_check_is_told(company: Company, signed: Signed) -> None:
    await phones(company)
    somebody = await signed("/users?tab=extensions&bulk=open", "owner", customers=[company.name])
    dialog = await choose(somebody, f"{HEADER}\n201,,,,\n202,,,,\n")
    await expect(dialog).to_contain_text("All 2 rows are good.")
    path = f"/api/v1/customers/{company.name}/provision"
    await company.nodes[0].call("POST", path, {"start": "202"})
    await dialog.get_by_role("button", name="Create 2 extensions").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("1 fault in the file. Nothing was changed.")
    await expect(rows_of(somebody, "Report").first).to_contain_text("the extension is there already")
    assert list(await extensions(company)) == ["202"]


async def test_who_may_only_look_changes_nothing(company: Company, signed: Signed) -> None:
    await phones(company)
    await company.licensed("MOBILE:nominal:3")
    await has_users(company, "ann")
    somebody = await signed("/users", "auditor", customers=[company.name])
    await expect(somebody.role("checkbox", f"MOBILE for {company.user('ann')}")).to_be_disabled()
    await expect(somebody.role("button", "Add user")).to_have_count(0)
    await expect(somebody.page.get_by_role("button", name="Actions for")).to_have_count(0)
    await somebody.is_accessible()
    await somebody.role("tab", "Extensions").click()
    await somebody.sees("No extensions yet")
    await expect(somebody.role("button", "Provision …")).to_have_count(0)
    await expect(somebody.role("button", "From CSV …")).to_have_count(0)


async def test_an_operator_chooses_a_customer(company: Company, signed: Signed) -> None:
    await company.licensed("MOBILE:nominal:3")
    await has_users(company, "ann")
    somebody = await signed("/users")
    await somebody.sees("Whose users?")
    await somebody.is_accessible()
    await somebody.role("button", "Choose a customer").click()
    dialog = somebody.dialog("Choose a customer")
    await dialog.get_by_label("Search customers").fill(company.name)
    await dialog.get_by_role("button", name=company.name).first.click()
    await expect(somebody.row(company.user("ann"))).to_be_visible()
    await somebody.is_at(f"/users?customer={company.name}")
    await somebody.is_accessible()


async def test_an_error_is_told_and_tried_again(company: Company, signed: Signed) -> None:
    await company.licensed("MOBILE:nominal:3")
    await has_users(company, "ann")
    somebody = await signed("/sign-in", "owner", customers=[company.name])
    somebody.is_cut_off = True
    await somebody.context.route("**/api/v1/customers/*/users?*", lambda route: route.abort())
    await somebody.visit("/users")
    await somebody.sees("The server cannot be reached.")
    await somebody.is_accessible()
    await somebody.context.unroute_all()
    await somebody.role("button", "Try again").click()
    await expect(somebody.row(company.user("ann"))).to_be_visible()


@pytest.mark.parametrize(
    ("size", "theme"), [((360, 740), "light"), ((1440, 900), "dark"), ((3840, 2160), "dark")]
)
async def test_it_is_readable_everywhere(
    company: Company, signed: Signed, size: tuple[int, int], theme: str
) -> None:
    await phones(company)
    await company.licensed("MOBILE:nominal:3")
    await has_users(company, "ann", name="Ann")
    path = f"/api/v1/customers/{company.name}/provision"
    await company.nodes[0].call("POST", path, {"start": "201", "count": 2, "add_ons": ["device_web_rtc"]})
    somebody = await signed("/users", "owner", size=size, theme=theme, customers=[company.name])
    await expect(somebody.row(company.user("ann"))).to_be_visible()
    await somebody.is_accessible()
    await somebody.role("tab", "Extensions").click()
    await expect(rows_of(somebody, "Extensions")).to_have_count(2)
    await somebody.is_accessible()
    await somebody.role("button", "From CSV …").click()
    await choose(somebody, f"{HEADER}\n201,,,,\n")
    await somebody.sees("the extension is there already")
    await somebody.is_accessible()


@pytest.mark.timeout(300)  # a busy machine takes its time, and so much is much
async def test_five_thousand_users_stay_smooth(company: Company, signed: Signed) -> None:
    await phones(company, 6000)
    mobile, _, _ = await company.licensed(
        "MOBILE:nominal:5000", "QUALITY_AUDITOR:nominal:5000", "EMAIL:nominal:5000"
    )
    lines = [f"{10_000 + number},,user-{number:04}@{company.domain},," for number in range(5000)]
    node = company.nodes[0]
    url = f"http://{node.admin}/api/v1/customers/{company.name}/provision/bulk"
    head = {"Authorization": f"Bearer {node.token}", "Content-Type": "text/csv"}
    data = "\n".join([HEADER, *lines]).encode()
    async with aiohttp.ClientSession() as http, http.post(url, data=data, headers=head) as response:
        assert response.status == 200, await response.text()
    somebody = await signed("/users?size=100", "owner", customers=[company.name])
    rows = rows_of(somebody, "Users and their licenses")
    await expect(rows).to_have_count(100)
    await expect(somebody.page.get_by_text("1–100 of 5,000")).to_be_visible()
    busy = await Busy.of(somebody)
    await somebody.role("button", "Page 50").click()
    await expect(rows.first).to_contain_text("user-4900")
    await busy.at_most(4, "another page")
    await somebody.page.get_by_label("Search users").fill("user-47")
    await expect(somebody.page.get_by_text("1–100 of 100")).to_be_visible()
    await busy.at_most(4, "a search")
    user = f"user-4700@{company.domain}"
    await somebody.role("checkbox", f"MOBILE for {user}").click()
    await expect(somebody.role("checkbox", f"MOBILE for {user}")).to_be_checked()
    await assigned(company, mobile, user)
    await company.sign_in(node, "user-4700", "MOBILE", kind="mobile")
    await expect(somebody.row(user)).to_contain_text("Online")
    await busy.at_most(4, "live changes")
    await somebody.role("tab", "Extensions").click()
    await expect(rows_of(somebody, "Extensions")).to_have_count(50)
    await busy.at_most(4, "the extensions")
