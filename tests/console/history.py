"""Use of the days before, for a company of a test's own."""

from __future__ import annotations

from collections.abc import Mapping

import msgpack

from seatd.store.connect import ConnectOptions, connect
from seatd.store.keys import customer_key
from seatd.store.redis import Store
from seatd.store.usage_values import HOUR_MS, Scope, UsageRow, field_of, number_of
from seatd.store.verbs import StoreOptions
from tests.scenarios.company import Company


def used(seats: int, hours: int, *, grants: int = 0, refused: int = 0) -> UsageRow:
    """So many seats for so many hours."""
    ms = hours * HOUR_MS
    denials = {"no_seat": refused} if refused else {}
    return UsageRow(peak=seats, seat_ms=seats * ms, grants=grants, denials=denials, by_count={seats: ms})


async def write_days(company: Company, days: Mapping[int, UsageRow], product: str = "CALL_CENTER") -> None:
    """Writes what was in use so many days ago, of the customer and of a product that somebody uses now."""
    store = Store(connect(company.nodes[0].store, ConnectOptions()), StoreOptions())
    try:
        today = number_of("day", await store.time_ms())
        fields: list[str | bytes] = []
        for ago, row in days.items():
            words = [row.peak, row.seat_ms, row.over_ms, row.grants, row.healed, row.denials, row.by_count]
            for scope in (Scope("customer"), Scope("product", product=product)):
                fields += [field_of("day", today - ago, scope.name), msgpack.packb(words)]
        name = customer_key("usage", store.partition(company.name), company.name)
        await store.pipeline.command("HSET", name, *fields)
    finally:
        await store.close_client()
