"""The registry: rows, search, sorting, pages, keys, withdrawal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import get_args

import pytest

from seatd.store.registry_values import LicenseRow
from seatd.web.api.license_rows import DAY_MS, Views, days_left, views
from seatd.web.api.license_use import validity
from seatd.web.api.licenses import Sort
from seatd.web.api.organisation_shapes import listed
from seatd.web.api.shapes import PageQuery, moment
from tests.web.conftest import Site, license_key

PROFILE = {"name": "Beta GmbH", "agency": "wholesale", "external_id": "X-1"}


async def ids(site: Site, query: str = "") -> list[str]:
    status, listing = await site.call("GET", f"/api/v1/licenses?{query}")
    assert status == 200, listing
    return [row["id"] for row in listing["items"]]


@pytest.fixture
async def stocked(site: Site) -> Site:
    """Two customers: acme with three licenses, beta with one."""
    await site.imported(
        {"product": "CALL_CENTER", "limit": 5, "name": "Order 7"},
        {"product": "EMAIL", "kind": "nominal", "limit": 50},
        {"product": "MOBILE", "limit": 20, "valid_till": "2026-09-22T00:00:00Z"},
    )
    await site.imported({"limit": 9}, customer="beta", profile=PROFILE, jti="key-2")
    return site


async def test_a_row_has_everything_that_is_shown(site: Site) -> None:
    license_ = {"id": "cc-1", "name": "Order 7", "tier": "gold", "overdraft": 2}
    await site.imported(license_, customer="beta", profile=PROFILE)
    await site.signed_in("alice@beta.example", "CALL_CENTER", customer="beta")
    status, row = await site.call("GET", "/api/v1/licenses/cc-1")
    created = row.pop("created")
    assert created.endswith("Z")
    assert (status, row) == (
        200,
        {
            "id": "cc-1",
            "product": "CALL_CENTER",
            "kind": "competitive",
            "competitive": True,
            "valid_from": "2020-01-01T00:00:00Z",
            "valid_till": "2099-01-01T00:00:00Z",
            "used": 1,
            "online": 1,
            "resources": None,
            "limit": 5,
            "overdraft": 2,
            "above_limit": 0,
            "week": None,
            "status": 26399,
            "validity": "valid",
            "name": "Order 7",
            "type": "gold",
            "customer": "beta",
            "customer_name": "Beta GmbH",
            "agency": "wholesale",
            "external_id": "X-1",
            "domains": ["beta.example"],
        },
    )
    _, listing = await site.call("GET", "/api/v1/licenses")
    assert listing == {"items": [{**row, "created": created}], "page": 1, "size": 50, "total": 1}


async def test_a_nominal_license_is_not_competitive(stocked: Site) -> None:
    _, row = await stocked.call("GET", "/api/v1/licenses/acme-2")
    assert (row["kind"], row["competitive"], row["used"]) == ("nominal", None, 0)


async def test_an_expired_license_is_shown_with_the_days_since(stocked: Site) -> None:
    _, row = await stocked.call("GET", "/api/v1/licenses/acme-3")
    assert (row["validity"], row["status"]) == ("valid", 0)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["acme-1", "beta-1", "acme-2", "acme-3"]),
        ("search=call", ["acme-1", "beta-1"]),
        ("search=CALL_CENTER&customer=acme", ["acme-1"]),
        ("search=order%207", ["acme-1"]),
        ("search=gmbh", ["beta-1"]),
        ("search=%25", []),
        ("search=.*", []),
        ("customer=beta", ["beta-1"]),
        ("customer=bet", []),
        ("domain=acme.example", ["acme-1", "acme-2", "acme-3"]),
        ("domain=ACME.EXAMPLE", ["acme-1", "acme-2", "acme-3"]),
        ("domain=example", []),
        ("sort=limit", ["acme-1", "beta-1", "acme-3", "acme-2"]),
        ("sort=-limit", ["acme-2", "acme-3", "beta-1", "acme-1"]),
        ("sort=valid_till", ["acme-3", "acme-1", "acme-2", "beta-1"]),
        ("sort=-product&size=1", ["acme-3"]),
        ("sort=-customer", ["beta-1", "acme-1", "acme-2", "acme-3"]),
        ("sort=id&size=2&page=2", ["acme-3", "beta-1"]),
        ("size=2&page=3", []),
        ("page=1000000&size=500", []),
    ],
)
async def test_lists(stocked: Site, query: str, found: list[str]) -> None:
    assert await ids(stocked, query) == found


async def test_total_counts_what_is_found_not_what_is_shown(stocked: Site) -> None:
    _, listing = await stocked.call("GET", "/api/v1/licenses?customer=acme&size=2&page=2")
    assert (len(listing["items"]), listing["page"], listing["size"], listing["total"]) == (1, 2, 2, 3)


@pytest.mark.parametrize(
    "field",
    [
        "id",
        "product",
        "kind",
        "name",
        "customer",
        "valid_from",
        "valid_till",
        "used",
        "online",
        "limit",
        "status",
    ],
)
async def test_every_column_sorts_both_ways(stocked: Site, field: str) -> None:
    _, up = await stocked.call("GET", f"/api/v1/licenses?sort={field}")
    _, down = await stocked.call("GET", f"/api/v1/licenses?sort=-{field}")
    column = [row[field] for row in up["items"]]
    assert column == sorted(column, key=lambda value: value.casefold() if isinstance(value, str) else value)
    assert [row[field] for row in down["items"]] == column[::-1]


async def test_the_key_of_a_license(site: Site) -> None:
    await site.imported({"id": "cc-1"})
    assert await site.call("GET", "/api/v1/licenses/cc-1/key") == (
        200,
        {"id": "cc-1", "key": license_key({"id": "cc-1"})},
    )


async def test_names_with_any_character_are_found(site: Site) -> None:
    name = "a{b}?c#d%25&e=\u00fc"
    await site.imported({"id": name})
    quoted = "a%7Bb%7D%3Fc%23d%2525%26e%3D%C3%BC"
    status, row = await site.call("GET", f"/api/v1/licenses/{quoted}")
    assert (status, row.get("id")) == (200, name)
    assert (await site.call("DELETE", f"/api/v1/licenses/{quoted}"))[0] == 204


async def test_withdrawal(site: Site) -> None:
    await site.imported({}, {"product": "MOBILE"})
    assert await site.call("DELETE", "/api/v1/licenses/acme-1") == (204, None)
    assert await ids(site) == ["acme-2"]
    _, first = await site.signed_in("alice@acme.example", "CALL_CENTER")
    assert (first["type"], first["code"]) == ("denied", "not_licensed")
    status, body = await site.call("DELETE", "/api/v1/licenses/acme-1")
    assert (status, body["code"]) == (404, "unknown_license")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "/key"),
        ("GET", "/users"),
        ("DELETE", ""),
        ("PUT", "/users/a@x"),
        ("DELETE", "/users/a@x"),
    ],
)
async def test_a_license_that_is_not_there(site: Site, method: str, path: str) -> None:
    status, body = await site.call(method, f"/api/v1/licenses/none{path}")
    assert (status, body["code"]) == (404, "unknown_license")


@pytest.mark.parametrize(
    ("till_ms", "days"),
    [(10 * DAY_MS, 9), (DAY_MS + 1, 1), (DAY_MS, 0), (1, 0), (0, -1), (-DAY_MS + 1, -1), (-DAY_MS, -2)],
)
def test_days_to_the_end(till_ms: int, days: int) -> None:
    assert days_left(till_ms, 0) == days


@pytest.mark.parametrize(
    ("now_ms", "state"), [(9, "not_yet_valid"), (10, "valid"), (19, "valid"), (20, "expired")]
)
def test_validity(now_ms: int, state: str) -> None:
    assert validity(10, 20, now_ms) == state


async def test_the_registry_finds_and_sorts_by_whom_it_is(site: Site) -> None:
    for customer, agency, external_id in (
        ("acme", "west", "X-2"),
        ("beta", "east", "X-1"),
        ("gamma", "", "Y-3"),
    ):
        profile = {"agency": agency, "external_id": external_id}
        await site.imported({"tier": external_id[0]}, customer=customer, jti=customer, profile=profile)

    async def found(query: str) -> list[str]:
        _, page = await site.call("GET", f"/api/v1/licenses?{query}")
        return [row["customer"] for row in page["items"]]

    assert await found("sort=external_id") == ["beta", "acme", "gamma"]
    assert await found("sort=-agency") == ["acme", "beta", "gamma"]
    assert await found("search=x-") == ["acme", "beta"]
    assert await found("agency=east") == ["beta"]
    assert await found("search=west") == ["acme"]


async def test_weeks_are_shown_where_somebody_knows_them(site: Site) -> None:
    await site.imported({}, {}, {})

    async def weeks(rows: Sequence[LicenseRow]) -> Mapping[str, float]:
        return {row.id: 12.5 if row.id == "acme-2" else -3.0 for row in rows if row.id != "acme-1"}

    rows = await views(replace(site.services, week_changes=weeks), await site.services.store.registry())
    page = await listed(rows, PageQuery(), "-week")
    assert [(row.id, row.week) for row in page.items] == [
        ("acme-2", 12.5),
        ("acme-3", -3.0),
        ("acme-1", None),
    ]


@pytest.mark.parametrize("field", sorted({name.lstrip("-") for name in get_args(Sort)}))
async def test_what_the_registry_sorts_by_is_what_it_shows(site: Site, field: str) -> None:
    await site.imported(
        {"tier": "gold", "name": "b", "limit": 3},
        {"product": "CHAT", "kind": "nominal", "limit": 7, "name": "a"},
        {"valid_from_ms": site.services.now_ms() + DAY_MS, "limit": 1},
    )
    rows = await site.services.store.registry()

    async def weeks(rows: Sequence[LicenseRow]) -> Mapping[str, float]:
        return {rows[0].id: 2.0}

    shown = await Views.of(replace(site.services, week_changes=weeks), rows)
    values = [getattr(shown.view(row), field) for row in rows]
    value_of = shown.value_of(field)
    if isinstance(values[0], datetime):
        assert [moment(value_of(row)) for row in rows] == values
    else:
        assert list(map(value_of, rows)) == values
