"""So many licenses that a page could come to work for more than a moment."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.console.busy import Busy
from tests.console.conftest import Signed
from tests.console.test_licenses import license_key, seat
from tests.scenarios.company import Company


@pytest.mark.timeout(300)  # a busy machine takes its time, and so much is much
async def test_a_thousand_licenses_stay_smooth(company: Company, signed: Signed) -> None:
    entries = [{"id": f"{company.name}-{number:04}", "limit": 10 + number} for number in range(1, 1001)]
    await company.nodes[0].call("POST", "/api/v1/licenses", {"key": license_key(company, *entries)})
    somebody = await signed("/licenses?size=250", "owner", customers=[company.name])
    rows = somebody.page.get_by_role("table", name="Licenses").locator("tbody tr")
    await expect(rows).to_have_count(250)
    shown = somebody.page.locator(":has(> .pages)")  # a search through all texts is work for the page, too
    await expect(shown).to_contain_text("1–250 of 1,000")
    busy = await Busy.of(somebody)
    await seat(company, "ann")
    used = somebody.page.locator(".used-number").filter(has_text=re.compile("^1$"))
    await expect(used).to_have_count(1)
    await busy.at_most(4, "live changes")
    await somebody.page.get_by_label("Search licenses").fill(f"{company.name}-09")
    await expect(rows).to_have_count(100)
    await busy.at_most(4, "a search")
    await somebody.page.get_by_label("Search licenses").fill("")
    await expect(rows).to_have_count(250)
    await busy.at_most(10, "250 rows")
    await somebody.role("button", "Page 4").click()
    await expect(shown).to_contain_text("751–1,000 of 1,000")
    await busy.at_most(10, "another page")
