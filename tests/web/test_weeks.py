"""Week over week in lists: asked once a minute, sorted by, and null where there was nothing before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgpack

from seatd.store.keys import customer_key
from seatd.store.redis import Store
from seatd.store.usage_values import Scope, field_of, number_of
from seatd.web.api.license_rows import views
from seatd.web.api.organisation_shapes import listed
from seatd.web.api.shapes import PageQuery
from seatd.web.services import SERVICES
from seatd.web.weeks import KEPT_S, Weeks
from tests.web.conftest import Site

HOUR_MS = 3_600_000


async def put(store: Store, scope: Scope, days_ago: int, hours: int, customer: str = "acme") -> None:
    """A row of a day, as the store would have closed it."""
    day = number_of("day", await store.time_ms()) - days_ago
    packed = msgpack.packb([1, hours * HOUR_MS, 0, 1, 0, {}, {1: hours * HOUR_MS}])
    name = customer_key("usage", store.partition(customer), customer)
    await store.pipeline.command("HSET", name, field_of("day", day, scope.name), packed)


class Moved:
    """A clock that a test moves."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


async def test_it_is_remembered_for_a_minute(site: Site) -> None:
    await site.imported({}, {"product": "EMAIL"}, {"product": "CALL_MANAGER"})
    store, clock = site.services.store, Moved()
    weeks = Weeks(store, clock)
    first, second = (Scope("license", license=f"acme-{number}") for number in (1, 2))
    await put(store, first, 10, 4)
    await put(store, first, 3, 6)
    await put(store, second, 3, 6)
    rows = await store.registry()
    assert await weeks.of_licenses(rows) == {"acme-1": 50.0}
    await put(store, second, 9, 12)
    assert await weeks.of_licenses(rows) == {"acme-1": 50.0}
    clock.now_s += KEPT_S
    assert await weeks.of_licenses(rows) == {"acme-1": 50.0, "acme-2": -50.0}
    shown = await views(replace(site.services, week_changes=weeks.of_licenses), rows)
    page = await listed(shown, PageQuery(), "-week")
    assert [(row.id, row.week) for row in page.items] == [
        ("acme-1", 50.0), ("acme-2", -50.0), ("acme-3", None),
    ]  # fmt: skip


async def test_customers(site: Site) -> None:
    await site.imported()
    await site.imported(customer="beta", jti="key-2")
    store = site.services.store
    await put(store, Scope("customer"), 8, 2)
    await put(store, Scope("customer"), 1, 3)
    assert await Weeks(store).of_customers(["acme", "beta"]) == {"acme": 50.0}


async def test_a_list_asks_once_for_its_page(site: Site) -> None:
    await site.imported()
    await site.imported(customer="beta", jti="key-2")
    asked: list[Sequence[str]] = []

    async def weeks(customers: Sequence[str]) -> dict[str, float]:
        asked.append(customers)
        return {"beta": 7.5}

    site.admin.app._state[SERVICES] = replace(site.services, customer_weeks=weeks)
    _, page = await site.call("GET", "/api/v1/customers")
    found: list[Any] = page["items"]
    assert [(row["id"], row["week"]) for row in found] == [("acme", None), ("beta", 7.5)]
    assert asked == [["acme", "beta"]]
    assert (await site.call("GET", "/api/v1/customers/beta"))[1]["week"] == 7.5
