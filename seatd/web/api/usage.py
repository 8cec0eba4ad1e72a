"""What was in use: now, by hour, day and month, and last week against the week before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial
from itertools import groupby

from seatd.store.ahead import one_ahead
from seatd.store.redis import Store
from seatd.store.usage_values import Level, Meter, UsageRow, number_of, row_until, start_ms
from seatd.turns import in_turns
from seatd.web.api.activity import ActivityView, activity_of
from seatd.web.api.downloads import Cell, Download, table
from seatd.web.api.ops import Call, Ops
from seatd.web.api.shapes import Listing, Nothing
from seatd.web.api.usage_targets import (
    CUSTOMERS_AT_ONCE,
    Target,
    UsageQuery,
    Which,
    bounds,
    numbers_of,
    targets_of,
)
from seatd.web.api.usage_views import COLUMNS, UsageView, cells, usage_view
from seatd.web.caller import Scope
from seatd.web.errors import invalid

ops = Ops("usage")

MOST_EXPORTED = 100_000
EXPORTED_AT_ONCE = 500


@ops.op("GET", "/api/v1/usage", "usage.read", problems=("unknown_customer",))
async def usage(call: Call[Nothing, UsageQuery, Nothing]) -> Listing[UsageView] | Download:
    """What was in use, and what was refused"""
    query = call.query
    if query.resolution == "live" and (query.from_ or query.to):
        raise invalid("resolution", "live is now: it takes no from and no to")
    asked = await _table(call.services.store, call.scope, query)
    if query.format == "json":
        page = tuple(await asked.rows(query.offset, query.size))
        return Listing(items=page, page=query.page, size=query.size, total=asked.total)
    if asked.total > MOST_EXPORTED:
        raise invalid("format", f"more than {MOST_EXPORTED} rows: ask for less, or for longer times")
    return table(f"usage-{query.resolution}", COLUMNS, _all_rows(asked))


@ops.op("GET", "/api/v1/usage/activity", "usage.read", problems=("unknown_customer",))
async def activity(call: Call[Nothing, Which, Nothing]) -> ActivityView:
    """Last week against the week before"""
    store = call.services.store
    now_ms = await store.time_ms()
    today = number_of("day", now_ms)
    targets = await targets_of(store, call.scope, call.query)
    rows = await _of_targets(store, targets, "day", range(today - 14, today), shares=False)
    return activity_of(today, rows)


class Table:
    """Rows of every target, each with its periods in order; read as far as they are asked for."""

    def __init__(
        self, store: Store, targets: Sequence[Target], level: Level, numbers: range, now_ms: int
    ) -> None:
        self._store = store
        self._targets = targets
        self._level = level
        self._numbers = numbers
        self._now_ms = now_ms
        self.total = len(targets) * len(numbers)

    async def rows(self, offset: int, size: int) -> list[UsageView]:
        """So many rows from the offset on."""
        each = len(self._numbers)
        wanted = range(offset, min(offset + size, self.total))
        if not wanted:
            return []
        first, last = wanted[0] // each, wanted[-1] // each
        numbers = self._numbers
        if first == last:
            numbers = numbers[wanted[0] % each : wanted[-1] % each + 1]
        targets = self._targets[first : last + 1]
        rows = await _of_targets(self._store, targets, self._level, numbers)
        views = [
            usage_view(target, row, *bounds(self._level, number, self._now_ms))
            async for target, found in in_turns(zip(targets, rows, strict=True))
            for number, row in zip(numbers, found, strict=True)
        ]
        skipped = 0 if first == last else wanted[0] % each
        return views[skipped : skipped + len(wanted)]


class LiveTable(Table):
    """What is in use now, with the figures of the hour so far."""

    async def rows(self, offset: int, size: int) -> list[UsageView]:
        """So many targets from the offset on."""
        groups = _by_customer(self._targets[offset : offset + size])
        answers = one_ahead(partial(self._meters, group) for group in groups)
        return [
            _live_view(target, now_ms, meter)
            async for answer in answers
            for targets, now_ms, meters in answer
            async for target, meter in in_turns(zip(targets, meters, strict=True))
        ]

    async def _meters(
        self, group: list[tuple[str, list[Target]]]
    ) -> list[tuple[list[Target], int, list[Meter | None]]]:
        """Of each customer the targets, the store's time, and the meters."""
        asked = (self._store.meters(customer, [target.scope for target in own]) for customer, own in group)
        found = await asyncio.gather(*asked)
        return [(own, *answer) for (_, own), answer in zip(group, found, strict=True)]


def _live_view(target: Target, now_ms: int, meter: Meter | None) -> UsageView:
    number = number_of("hour", now_ms)
    row = (meter and row_until(meter, "hour", number, now_ms)) or UsageRow()
    return usage_view(target, row, start_ms("hour", number), now_ms, meter.count if meter else 0)


async def _table(store: Store, scope: Scope, query: UsageQuery) -> Table:
    now_ms = await store.time_ms()
    targets = await targets_of(store, scope, query)
    if query.resolution == "live":
        hour = number_of("hour", now_ms)
        return LiveTable(store, targets, "hour", range(hour, hour + 1), now_ms)
    numbers = numbers_of(query.resolution, query.from_, query.to, now_ms)
    return Table(store, targets, query.resolution, numbers, now_ms)


async def _all_rows(table: Table) -> AsyncIterator[Sequence[Cell]]:
    for offset in range(0, table.total, EXPORTED_AT_ONCE):
        for view in await table.rows(offset, EXPORTED_AT_ONCE):
            yield cells(view)


async def _of_targets(
    store: Store, targets: Sequence[Target], level: Level, numbers: Sequence[int], *, shares: bool = True
) -> list[list[UsageRow]]:
    """A row per number for each target."""

    async def of_group(group: list[tuple[str, list[Target]]]) -> list[list[list[UsageRow]]]:
        asked = (
            store.usage(customer, [target.scope for target in own], level, numbers, shares=shares)
            for customer, own in group
        )
        return await asyncio.gather(*asked)

    groups = one_ahead(partial(of_group, group) for group in _by_customer(targets))
    return [row async for rows in groups for own in rows for row in own]


def _by_customer(targets: Sequence[Target]) -> list[list[tuple[str, list[Target]]]]:
    """The targets of each customer, so many customers at once as may be asked together."""
    each = [(name, list(own)) for name, own in groupby(targets, key=lambda target: target.customer)]
    return [each[start : start + CUSTOMERS_AT_ONCE] for start in range(0, len(each), CUSTOMERS_AT_ONCE)]
