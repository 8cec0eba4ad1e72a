"""Usage over REST: now and before, of customers, products, domains and licenses, as JSON and as CSV."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from seatd.web.api.downloads import written
from tests.web.conftest import TOKEN, Site

USAGE = "/api/v1/usage"


async def items(site: Site, query: str) -> list[dict[str, Any]]:
    status, page = await site.call("GET", f"{USAGE}?{query}")
    assert status == 200, page
    found: list[dict[str, Any]] = page["items"]
    return found


async def text(site: Site, path: str) -> str:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with site.admin.get(path, headers=headers) as response:
        assert response.status == 200
        assert response.content_type == "text/csv"
        return await response.text()


@pytest.fixture
async def busy(site: Site) -> Site:
    """Two seats of which both are taken, and somebody who was refused."""
    await site.imported({"limit": 2})
    for name in ("alice", "bob"):
        _, told = await site.signed_in(f"{name}@acme.example", "CALL_CENTER", device=name)
        assert told["type"] == "welcome"
    _, told = await site.signed_in("carol@acme.example", "CALL_CENTER", device="carol")
    assert told["code"] == "no_seat"
    return site


async def test_now(busy: Site) -> None:
    (row,) = await items(busy, "")
    assert (row["customer"], row["in_use"], row["peak"], row["grants"]) == ("acme", 2, 2, 2)
    assert (row["denials"], row["denied"], row["true_denials"]) == ({"no_seat": 1}, 1, 1)
    assert row["suggested_seats"] == 3
    assert row["product"] is None


@pytest.mark.parametrize(
    ("query", "field", "value"),
    [
        ("by=product", "product", "CALL_CENTER"),
        ("product=CALL_CENTER", "product", "CALL_CENTER"),
        ("by=domain", "domain", "acme.example"),
        ("domain=acme.example", "domain", "acme.example"),
        ("by=license", "license", "acme-1"),
        ("license=acme-1&customer=acme", "license", "acme-1"),
    ],
)
async def test_what_a_row_is_about(busy: Site, query: str, field: str, value: str) -> None:
    (row,) = await items(busy, query)
    assert (row[field], row["in_use"], row["true_denials"]) == (value, 2, 1)


@pytest.mark.parametrize("resolution", ["hour", "day", "month"])
async def test_the_last_row_goes_on(busy: Site, resolution: str) -> None:
    await asyncio.sleep(0.02)
    rows = await items(busy, f"resolution={resolution}&size=500")
    assert [row["peak"] for row in rows[:-1]] == [0] * (len(rows) - 1)
    last = rows[-1]
    assert (last["peak"], last["grants"], last["in_use"]) == (2, 2, None)
    assert last["average"] > 0
    assert sum(share["percent"] for share in last["shares"]) == pytest.approx(100)


async def test_pages(busy: Site) -> None:
    await busy.imported(customer="beta", jti="key-2")
    whole = await items(busy, "resolution=hour&size=500")
    assert len(whole) == 48
    for size in (7, 24, 30):
        pages = [await items(busy, f"resolution=hour&size={size}&page={n}") for n in range(1, 9)]
        together = [row for page in pages for row in page]
        assert [(row["customer"], row["from"]) for row in together] == [
            (row["customer"], row["from"]) for row in whole[: size * 8]
        ]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("resolution=live&from=2026-01-01T00:00:00Z", "resolution"),
        ("resolution=hour&from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z", "to"),
        ("resolution=hour&from=2020-01-01T00:00:00Z", "from"),
        ("resolution=day&from=1960-01-01T00:00:00Z", "from"),
        ("by=customer&product=EMAIL", "product"),
        ("by=license&domain=acme.example", "domain"),
        ("resolution=week", "resolution"),
        ("from=yesterday", "from"),
    ],
)
async def test_refusals(site: Site, query: str, path: str) -> None:
    status, body = await site.call("GET", f"{USAGE}?{query}")
    assert (status, body["code"], body["errors"][0]["path"]) == (422, "invalid", path)


async def test_as_csv(busy: Site) -> None:
    table = (await text(busy, f"{USAGE}?format=csv&by=product")).splitlines()
    assert table[0].startswith("customer,domain,product,license,from,to,in_use,peak,")
    assert table[1].startswith("acme,,CALL_CENTER,,20")
    assert ",no_seat=1," in table[1]
    assert len(table) == 2


async def test_an_empty_table(site: Site) -> None:
    assert len((await text(site, f"{USAGE}?format=csv")).splitlines()) == 1


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("=1+1", "'=1+1"),
        ("+x", "'+x"),
        ("-x", "'-x"),
        ("@x", "'@x"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("a=b", "a=b"),
        ("", ""),
        (None, ""),
        (-5, "-5"),
        (-0.5, "-0.5"),
        (True, "true"),
    ],
)
def test_no_cell_is_a_formula(cell: Any, expected: str) -> None:
    assert written(cell) == expected


async def test_last_week(busy: Site) -> None:
    status, answer = await busy.call("GET", f"{USAGE}/activity")
    assert status == 200
    assert len(answer["days"]) == 7
    assert answer["growth"]["grants"] is None
    assert answer["week"]["grants"] == 0


async def test_events_and_denials(busy: Site) -> None:
    status, page = await busy.call("GET", "/api/v1/events?customer=acme")
    assert status == 200
    types = [item["type"] for item in page["items"]]
    assert types == ["denied", "limit_reached", "granted", "granted", "license_imported"]
    assert page["next"] is None
    _, page = await busy.call("GET", "/api/v1/denials?customer=acme")
    (denial,) = page["items"]
    assert (denial["code"], denial["user"], denial["license"]) == ("no_seat", "carol@acme.example", "acme-1")
    assert len((await text(busy, "/api/v1/denials?customer=acme&format=csv")).splitlines()) == 2


async def test_pages_of_events(busy: Site) -> None:
    seen, query = [], ""
    while True:
        _, page = await busy.call("GET", f"/api/v1/events?customer=acme&size=2{query}")
        seen += [item["seq"] for item in page["items"]]
        if page["next"] is None:
            break
        query = f"&before={page['next']}"
    assert len(seen) == len(set(seen)) == 5


async def test_events_of_a_type_and_a_time(busy: Site) -> None:
    _, page = await busy.call("GET", "/api/v1/events?customer=acme&type=granted&user=bob@acme.example")
    (granted,) = page["items"]
    assert granted["holder"] == "bob@acme.example"
    at = granted["at"]
    _, page = await busy.call("GET", f"/api/v1/events?customer=acme&to={at}")
    assert granted["seq"] not in [item["seq"] for item in page["items"]]
    status, body = await busy.call("GET", "/api/v1/events")
    assert (status, body["code"]) == (422, "invalid")


async def test_what_only_the_node_denies(site: Site) -> None:
    await site.imported()
    _, told = await site.signed_in("alice@acme.example", "NO_SUCH_PRODUCT")
    assert told["type"] == "denied"
    await site.services.hub.untold.flush()
    _, page = await site.call("GET", "/api/v1/denials?customer=acme")
    (denial,) = page["items"]
    assert (denial["code"], denial["user"]) == (told["code"], "alice@acme.example")


async def test_what_the_store_denies_is_counted_once(busy: Site) -> None:
    await busy.services.hub.untold.flush()
    (row,) = await items(busy, "")
    assert row["denials"] == {"no_seat": 1}
