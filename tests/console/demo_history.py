"""What the demo deployment's customers used in the weeks before: closed rows, in the store's own format.

Rows tell of hours that are over, and the store makes them only as time goes by; so these are written beside it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

import msgpack
from msgspec.structs import replace

from seatd.store.connect import ConnectOptions, connect
from seatd.store.keys import customer_key
from seatd.store.redis import Store
from seatd.store.usage_values import HOUR_MS, Level, Scope, UsageRow, field_of, merged, number_of, start_ms
from seatd.store.verbs import StoreOptions
from tests.servers import Server

DAYS = 35
SALES = 4
"""Each so-many-th seat is one of the second domain."""
LEVELS: tuple[Level, ...] = ("hour", "day", "month")
Row = tuple[Scope, int, UsageRow]


async def write_history(
    node: Server, customer: str, domains: tuple[str, str], limits: Mapping[str, int]
) -> None:
    """Writes the last weeks of a customer with these seats by product; today until the hour that goes on."""
    store = Store(connect(node.store, ConnectOptions()), StoreOptions())
    try:
        name = customer_key("usage", store.partition(customer), customer)
        fields = _fields(_history(customer, domains, limits, await store.time_ms()))
        for start in range(0, len(fields), 1000):
            await store.pipeline.command("HSET", name, *fields[start : start + 1000])
    finally:
        await store.close_client()


def _fields(rows: Iterable[Row]) -> list[str | bytes]:
    """Names and packed rows of all hours, and of the days and months that they add up to."""
    found: dict[str, UsageRow] = {}
    for scope, hour, row in rows:
        for level in LEVELS:
            field = field_of(level, number_of(level, hour * HOUR_MS), scope.name)
            found[field] = found.get(field, UsageRow()) + row
    return [word for field, row in found.items() for word in (field, _packed(row))]


def _packed(row: UsageRow) -> bytes:
    words = [row.peak, row.seat_ms, row.over_ms, row.grants, row.healed, row.denials, row.by_count]
    return bytes(msgpack.packb(words))


def _history(
    customer: str, domains: tuple[str, str], limits: Mapping[str, int], now_ms: int
) -> Iterator[Row]:
    chance = random.Random(customer)
    last = number_of("hour", now_ms)
    first = (number_of("day", now_ms) - DAYS) * 24
    for hour in range(first, last):
        of_hour = {product: _hour(chance, hour, first, limit) for product, limit in limits.items()}
        for product, row in of_hour.items():
            if not row.peak:
                continue
            yield Scope("product", product=product), hour, row
            yield Scope("license", license=f"{customer}-{product.lower()}-1"), hour, row
            for domain, share in ((domains[0], 1 - 1 / SALES), (domains[1], 1 / SALES)):
                yield Scope("domain", product=product, domain=domain), hour, _part(row, share)
        yield Scope("customer"), hour, _whole(of_hour.values())


def _hour(chance: random.Random, hour: int, first: int, limit: int) -> UsageRow:
    """An hour of a product: how many are at work at that time of that weekday, a little more from week to week."""
    at = datetime.fromtimestamp(start_ms("hour", hour) / 1000, UTC)
    of_day = max(0.0, math.sin(math.pi * (at.hour - 6) / 14)) ** 0.7 if 6 <= at.hour < 20 else 0.0
    of_week = (0.94, 1.0, 1.02, 0.97, 0.86, 0.3, 0.12)[at.weekday()]
    trend = 0.8 + 0.2 * (hour - first) / (DAYS * 24)
    wanted = 1.05 * limit * of_day * of_week * trend * chance.uniform(0.88, 1.12)
    counts = [max(0, round(wanted + chance.gauss(0, limit / 18))) for _ in range(12)]
    if not any(counts):
        return UsageRow()
    seats = [min(limit, count) for count in counts]
    refused = sum(max(0, count - limit) for count in counts)
    healed = round(refused * 0.3)
    by_count: dict[int, int] = {}
    for count in seats:
        if count:
            by_count[count] = by_count.get(count, 0) + HOUR_MS // 12
    return UsageRow(
        peak=max(seats),
        seat_ms=sum(seats) * HOUR_MS // 12,
        grants=round(max(seats) * chance.uniform(0.2, 0.7)),
        healed=healed,
        denials={"no_seat": refused} if refused else {},
        by_count=by_count,
    )


def _part(row: UsageRow, share: float) -> UsageRow:
    by_count: dict[int, int] = {}
    for count, ms in row.by_count.items():
        if (of_it := round(count * share)) > 0:
            by_count[of_it] = by_count.get(of_it, 0) + ms
    return UsageRow(
        peak=max(by_count, default=0),
        seat_ms=sum(count * ms for count, ms in by_count.items()),
        grants=round(row.grants * share),
        denials={code: times for code, number in row.denials.items() if (times := round(number * share))},
        by_count=by_count,
    )


def _whole(rows: Iterable[UsageRow]) -> UsageRow:
    """All products of an hour together: their seats add up."""
    rows = list(rows)
    average = sum(row.seat_ms for row in rows) // HOUR_MS
    spread = {average: HOUR_MS} if average else {}
    return replace(merged(rows), peak=sum(row.peak for row in rows), by_count=spread)
