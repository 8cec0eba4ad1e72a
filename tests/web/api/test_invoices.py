"""Invoice statements over REST: prices, drafts, what is issued and read, and who sees that one was changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from seatd.store.keys import customer_key
from seatd.web.api.table import OPS
from tests.web.conftest import TOKEN, Site

INVOICES = "/api/v1/customers/acme/invoices"
PRICES = "/api/v1/customers/acme/prices"
JANUARY = {"from": "2026-01-01", "to": "2026-01-31"}


@pytest.fixture
async def acme(site: Site) -> Site:
    """A customer with a license, and a user who is assigned another one."""
    await site.imported({}, {"kind": "nominal", "product": "QUALITY_AUDITOR"})
    await site.call("PUT", "/api/v1/licenses/acme-2/users/zoe@acme.example")
    status, told = await site.call(
        "PUT",
        PRICES,
        json={"currency": "EUR", "products": {"QUALITY_AUDITOR": {"assigned_months": "9.990"}}},
    )
    assert (status, told["products"]["QUALITY_AUDITOR"]["assigned_months"]) == (200, "9.990")
    return site


def not_over() -> dict[str, str]:
    """A period that goes on: the store of these tests goes by the real time."""
    today = datetime.now(UTC).date()
    return {"from": today.isoformat(), "to": (today + timedelta(days=30)).isoformat()}


async def issued(site: Site, **period: str) -> dict[str, Any]:
    status, told = await site.call("POST", INVOICES, json=period or JANUARY)
    assert status == 200, told
    found: dict[str, Any] = told
    return found


async def refused(site: Site, method: str, path: str, **request: Any) -> tuple[int, str, str]:
    status, told = await site.call(method, path, **request)
    return status, told["code"], told["errors"][0]["path"] if told["errors"] else ""


async def test_a_statement(acme: Site) -> None:
    statement = await issued(acme)
    assert (statement["number"], statement["total"], statement["currency"]) == (
        "acme-2026-0001",
        "9.99",
        "EUR",
    )
    assert (statement["from"], statement["to"]) == ("2026-01-01", "2026-01-31")
    assert await acme.call("GET", f"{INVOICES}/acme-2026-0001") == (200, statement)
    status, page = await acme.call("GET", INVOICES)
    assert (status, page["total"]) == (200, 1)
    assert page["items"][0] == {
        name: statement[name]
        for name in ("number", "issued", "from", "to", "currency", "total", "metering")
    }  # fmt: skip


async def test_as_csv(acme: Site) -> None:
    await issued(acme)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with acme.admin.get(f"{INVOICES}/acme-2026-0001?format=csv", headers=headers) as response:
        assert response.headers["Content-Disposition"] == 'attachment; filename="acme-2026-0001.csv"'
        table = (await response.text()).splitlines()
    assert table[1] == (
        "acme-2026-0001,acme,2026-01-01,2026-01-31,EUR,whole,line,QUALITY_AUDITOR,,assigned_months,1.0000,9.990,9.99"
    )
    assert table[-1].endswith(",total,,,,,,9.99")
    assert sum(",usage," in line for line in table) == 10


async def test_a_draft_goes_on_and_a_statement_does_not(acme: Site) -> None:
    status, draft = await acme.call("GET", f"{INVOICES}/draft", params=JANUARY)
    assert (status, draft["number"], draft["issued"], draft["total"]) == (200, None, None, "9.99")
    assert (await acme.call("GET", f"{INVOICES}/draft", params=not_over()))[0] == 200
    await issued(acme)
    await acme.call("PUT", PRICES, json={"products": {}})
    assert (await acme.call("GET", f"{INVOICES}/acme-2026-0001"))[1]["total"] == "9.99"
    assert (await acme.call("GET", f"{INVOICES}/draft", params=JANUARY))[1]["total"] == "0.00"


async def test_numbers_go_on(acme: Site) -> None:
    await issued(acme)
    february = await issued(acme, **{"from": "2026-02-01", "to": "2026-02-28"})
    december = await issued(acme, **{"from": "2025-12-01", "to": "2025-12-31"})
    assert (february["number"], december["number"]) == ("acme-2026-0002", "acme-2025-0001")
    _, page = await acme.call("GET", f"{INVOICES}?size=2&page=2")
    assert [row["number"] for row in page["items"]] == ["acme-2026-0001"]


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ({"from": "2026-01-01", "to": "2026-02-28"}, (409, "invoice_overlaps", "")),
        ({"from": "2026-02-02", "to": "2026-02-01"}, (422, "invalid", "to")),
        ({"from": "2024-01-01", "to": "2025-12-31"}, (422, "invalid", "to")),
        ({"from": "1969-12-01", "to": "1969-12-31"}, (422, "invalid", "from")),
        ({"from": "2016-01-02", "to": "2016-01-31"}, (422, "invalid", "from")),
        ({"from": "2098-01-01", "to": "2098-01-31"}, (422, "invalid", "from")),
        ({"from": "yesterday", "to": "2026-02-28"}, (422, "invalid", "from")),
    ],
)
async def test_refusals(acme: Site, period: dict[str, str], expected: tuple[int, str, str]) -> None:
    await issued(acme)
    assert await refused(acme, "POST", INVOICES, json=period) == expected


async def test_a_period_that_is_not_over(acme: Site) -> None:
    assert (await refused(acme, "POST", INVOICES, json=not_over()))[:2] == (409, "period_not_over")


async def test_no_such_statement(acme: Site) -> None:
    assert (await refused(acme, "GET", f"{INVOICES}/acme-2026-0001"))[:2] == (404, "unknown_invoice")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"products": {"NO_SUCH": {"seat_hours": "1"}}}, "products.NO_SUCH"),
        ({"products": {"CALL_CENTER": {"seat_hours": 0.05}}}, "products[...].seat_hours"),
        ({"products": {"CALL_CENTER": {"seat_hours": "-1"}}}, "products[...].seat_hours"),
        ({"products": {"CALL_CENTER": {"seat_hours": "1e3"}}}, "products[...].seat_hours"),
        ({"products": {}, "currency": "euro"}, "currency"),
    ],
)
async def test_prices_that_are_none(acme: Site, body: dict[str, Any], path: str) -> None:
    assert await refused(acme, "PUT", PRICES, json=body) == (422, "invalid", path)


async def test_prices_need_a_currency_and_leave_a_trail(site: Site) -> None:
    await site.imported()
    body: dict[str, Any] = {"products": {"CALL_CENTER": {"seat_hours": "0.05"}}}
    assert await refused(site, "PUT", PRICES, json=body) == (422, "invalid", "currency")
    assert (await site.call("PUT", PRICES, json=body | {"currency": "CHF"}))[0] == 200
    assert (await site.call("GET", PRICES))[1]["currency"] == "CHF"
    assert (await site.call("GET", "/api/v1/customers/acme"))[1]["money"]["currency"] == "CHF"
    _, trail = await site.call("GET", "/api/v1/audit?customer=acme&action=customers.prices")
    fields = {change["field"] for change in trail["items"][0]["changes"]}
    assert fields == {"prices", "currency"}


def test_no_call_changes_a_statement() -> None:
    calls = {(op.method, op.url) for op in OPS if "/invoices" in op.url}
    prefix = "/api/v1/customers/{customer}/invoices"
    assert calls == {
        ("GET", f"{prefix}/draft"),
        ("POST", prefix),
        ("GET", prefix),
        ("GET", f"{prefix}/{{number}}"),
    }


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST"])
async def test_no_method_changes_a_statement(acme: Site, method: str) -> None:
    statement = await issued(acme)
    path = f"{INVOICES}/acme-2026-0001"
    assert (await acme.call(method, path, json={"total": "0.00"}))[0] == 405
    assert (await acme.call("GET", path))[1] == statement


@pytest.mark.parametrize("harm", ["none", "changed", "gone", "forged"])
async def test_verifying_the_trail_finds_what_was_changed(acme: Site, harm: str) -> None:
    store = acme.services.store
    statement = await issued(acme)
    name = customer_key("invoices", store.partition("acme"), "acme")
    match harm:
        case "changed":
            text = msgspec.json.encode(statement | {"total": "0.01"})
            await store.pipeline.command("HSET", name, "acme-2026-0001", text)
        case "gone":
            await store.pipeline.command("HDEL", name, "acme-2026-0001")
        case "forged":
            await store.pipeline.command("HSET", name, "acme-2026-0002", msgspec.json.encode(statement))
    _, verified = await acme.call("GET", "/api/v1/audit/verify?customer=acme")
    assert (verified["broken"], verified["statements"]) == (None, 1)
    assert verified["changed"] == (["acme-2026-0001"] if harm in ("changed", "gone") else [])
    _, trails = await acme.call("GET", "/api/v1/audit/trails")
    kept = {trail["customer"]: trail["statements"] for trail in trails["items"]}
    assert kept == {None: 0, "acme": {"gone": 0, "forged": 2}.get(harm, 1)}


async def test_statements_of_a_deleted_customer(acme: Site) -> None:
    statement = await issued(acme)
    store = acme.services.store
    await store.pipeline.command("SREM", f"seatd:{{{store.partition('acme'):02}}}:customers", "acme")
    assert (await refused(acme, "GET", INVOICES))[:2] == (404, "unknown_customer")
    await store.pipeline.command("SADD", f"seatd:{{{store.partition('acme'):02}}}:former_customers", "acme")
    assert await acme.call("GET", f"{INVOICES}/acme-2026-0001") == (200, statement)
    assert (await refused(acme, "POST", INVOICES, json=JANUARY))[:2] == (404, "unknown_customer")
