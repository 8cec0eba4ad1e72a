"""What was in use, reckoned from nothing but the stream of events: the meters must say the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgpack
from msgspec.structs import replace

from seatd.store.event_values import Event
from seatd.store.keys import customer_key
from seatd.store.redis import Store
from seatd.store.usage_values import (
    HOUR_MS,
    Level,
    UsageRow,
    bucket,
    canonical,
    merged,
    number_of,
    row_of,
    start_ms,
)

HEAL_MS = 5000
REMEMBERED = 16
MENDED = ("no_seat", "queue_full", "wait_timeout")
LEVELS: tuple[Level, ...] = ("hour", "day", "month")
KEPT: dict[Level, int] = {"hour": 960, "day": 800, "month": 1200}
"""What is older may have been forgotten, row by row, at random."""

Rows = dict[str, dict[int, UsageRow]]
"""By scope and number of the hour."""


class Replay:
    """Takes events in order; `rows` are the hours so far."""

    def __init__(self) -> None:
        self.rows: Rows = defaultdict(lambda: defaultdict(UsageRow))
        self._in_use: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
        self._since_ms: dict[str, int] = {}
        self._denied: dict[tuple[str | None, str | None], list[tuple[int, str | None]]] = defaultdict(list)

    def take(self, event: Event) -> None:
        match event.type:
            case "granted":
                self._heal(event)
                self._move(event, 1, grants=1)
            case "restored":
                self._move(event, 1)
            case "freed":
                self._move(event, -1)
            case "denied":
                self._deny(event)
            case "recounted":
                for scope, (count, over) in event.counts.items():
                    self._pass(scope, event.at_ms)
                    self._in_use[scope] = count, over
                    self._add(scope, event.at_ms, UsageRow(peak=count))

    def finish(self, now_ms: int) -> None:
        """Time goes by until now."""
        for scope in list(self._since_ms):
            self._pass(scope, now_ms, touch=False)

    def _move(self, event: Event, by: int, grants: int = 0) -> None:
        for scope in _scopes(event.product, event.domain, event.license):
            self._pass(scope, event.at_ms)
            count, over = self._in_use[scope]
            self._in_use[scope] = max(0, count + by), max(0, over + by * event.overdraft)
            self._add(scope, event.at_ms, UsageRow(peak=self._in_use[scope][0], grants=grants))

    def _deny(self, event: Event) -> None:
        assert event.code is not None
        for scope in _scopes(event.product, event.domain, event.license):
            self._pass(scope, event.at_ms)
            self._add(scope, event.at_ms, UsageRow(denials={event.code: event.times}))
        if event.code in MENDED and event.user and event.product:
            recent = self._recent(event)
            self._denied[event.product, event.user] = [*recent, (event.at_ms, event.license)][-REMEMBERED:]

    def _heal(self, event: Event) -> None:
        for _, license in self._recent(event):
            for scope in _scopes(event.product, event.domain, license):
                self._pass(scope, event.at_ms)
                self._add(scope, event.at_ms, UsageRow(healed=1))
        self._denied.pop((event.product, event.user), None)

    def _recent(self, event: Event) -> list[tuple[int, str | None]]:
        known = self._denied[event.product, event.user]
        return [denial for denial in known if denial[0] >= event.at_ms - HEAL_MS]

    def _pass(self, scope: str, till_ms: int, *, touch: bool = True) -> None:
        """Hour by hour, from the last change to this moment; who is in use in an hour's first moment counts for its peak."""
        count, over = self._in_use[scope]
        at_ms = self._since_ms.get(scope, till_ms)
        while at_ms < till_ms:
            end_ms = min(till_ms, (at_ms // HOUR_MS + 1) * HOUR_MS)
            ms = end_ms - at_ms
            if count:
                row = UsageRow(
                    peak=count, seat_ms=count * ms, over_ms=over * ms, by_count={bucket(count): ms}
                )
                self._add(scope, at_ms, row)
            at_ms = end_ms
        if touch:
            self._add(scope, till_ms, UsageRow(peak=count))
        self._since_ms[scope] = till_ms

    def _add(self, scope: str, at_ms: int, row: UsageRow) -> None:
        self.rows[scope][at_ms // HOUR_MS] += row


def _scopes(product: str | None, domain: str | None, license: str | None) -> Iterable[str]:
    yield "c"
    if product:
        yield f"p\0{product}"
        yield f"d\0{domain}\0{product}"
    if license:
        yield f"l\0{license}"


async def stream(store: Store, customer: str) -> list[Event]:
    """All events, oldest first."""
    found: list[Event] = []
    while page := await store.events(customer, before=found[-1].seq if found else None):
        found += page
    return found[::-1]


async def check_usage(store: Store, customer: str, now_ms: int) -> Replay:
    """What is read of every scope is what the stream says, for every hour, day and month; and so are the closed rows."""
    replay = Replay()
    for event in await stream(store, customer):
        replay.take(event)
    replay.finish(now_ms)
    scopes = await store.scopes(customer)
    assert {name for name, hours in replay.rows.items() if _told(hours)} <= {scope.name for scope in scopes}
    for level in LEVELS:
        expected = {scope.name: _by(level, replay.rows[scope.name]) for scope in scopes}
        oldest = number_of(level, now_ms) - KEPT[level] + 1
        numbers = sorted({number for rows in expected.values() for number in rows if number >= oldest})
        found = await store.usage(customer, scopes, level, numbers)
        for scope, rows in zip(scopes, found, strict=True):
            told = {number: canonical(row) for number, row in zip(numbers, rows, strict=True)}
            assert told == {n: expected[scope.name].get(n, UsageRow()) for n in numbers}, scope
        plainly = await store.usage(customer, scopes, level, numbers, shares=False)
        assert _without_shares(plainly) == _without_shares(found)
    await _check_closed(store, customer, replay)
    return replay


def _without_shares(found: list[list[UsageRow]]) -> list[list[UsageRow]]:
    return [[replace(canonical(row), by_count={}) for row in rows] for rows in found]


async def _check_closed(store: Store, customer: str, replay: Replay) -> None:
    """No hour, day or month was closed of which the stream knows nothing."""
    name = customer_key("usage", store.partition(customer), customer)
    levels: dict[str, Level] = {"h": "hour", "d": "day", "m": "month"}
    known: dict[tuple[str, str], dict[int, UsageRow]] = {}
    for field, packed in (await store.client.hgetall(name)).items():  # type: ignore[misc]
        place, scope = field.decode().split("\0", 1)
        if (place[0], scope) not in known:
            known[place[0], scope] = _by(levels[place[0]], replay.rows[scope])
        hours = known[place[0], scope]
        closed = canonical(row_of(msgpack.unpackb(packed, strict_map_key=False)))
        whole = hours.get(int(place[1:]), UsageRow())
        if place[0] == "h":
            assert closed == whole, field
        assert closed.seat_ms <= whole.seat_ms


def _by(level: Level, hours: dict[int, UsageRow]) -> dict[int, UsageRow]:
    numbers: dict[int, list[UsageRow]] = defaultdict(list)
    for hour, row in hours.items():
        numbers[number_of(level, start_ms("hour", hour))].append(row)
    return {number: canonical(merged(rows)) for number, rows in numbers.items()}


def _told(hours: dict[int, UsageRow]) -> bool:
    return merged(hours.values()) != UsageRow()
