"""What was in use: rows of hours, days and months, and meters of what goes on. Arithmetic only, no I/O.

A scope is what is metered: a whole customer, a product, a product in a domain, or a license.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

import msgspec

from seatd.store.values import Value

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
Level = Literal["hour", "day", "month"]
GroupBy = Literal["customer", "product", "domain", "license"]


class Scope(NamedTuple):
    """One thing that is metered. `name` is what the store calls it."""

    kind: GroupBy
    product: str = ""
    domain: str = ""
    license: str = ""

    @property
    def name(self) -> str:
        """As `scopes_of` in `events.lua` builds it."""
        match self.kind:
            case "customer":
                return "c"
            case "product":
                return f"p\0{self.product}"
            case "domain":
                return f"d\0{self.domain}\0{self.product}"
            case "license":
                return f"l\0{self.license}"

    @classmethod
    def named(cls, name: str) -> Scope:
        """The scope that the store calls so."""
        kind, *rest = name.split("\0")
        match kind, rest:
            case "p", [product]:
                return cls("product", product=product)
            case "d", [domain, product]:
                return cls("domain", product=product, domain=domain)
            case "l", [license]:
                return cls("license", license=license)
            case _:
                return cls("customer")


class UsageRow(Value, frozen=True, kw_only=True):
    """What was in use in a time. `by_count`: for how many milliseconds so many seats were (from 200 on, about so many)."""

    peak: int = 0
    seat_ms: int = 0
    over_ms: int = 0
    grants: int = 0
    healed: int = 0
    denials: dict[str, int] = msgspec.field(default_factory=dict)
    by_count: dict[int, int] = msgspec.field(default_factory=dict)

    def __add__(self, other: UsageRow) -> UsageRow:
        return UsageRow(
            peak=max(self.peak, other.peak),
            seat_ms=self.seat_ms + other.seat_ms,
            over_ms=self.over_ms + other.over_ms,
            grants=self.grants + other.grants,
            healed=self.healed + other.healed,
            denials=_added(self.denials, other.denials),
            by_count=_added(self.by_count, other.by_count),
        )


NOTHING = UsageRow()


class Meter(Value, frozen=True, kw_only=True):
    """What is in use since `last_ms`, the `row` of its hour so far, and what the day or month that it is read for had `before`
    that hour."""

    count: int
    over: int
    last_ms: int
    row: UsageRow
    before: UsageRow


def row_of(packed: Any) -> UsageRow:
    """A row as the store keeps it. (Lua does not tell a list from a map with the keys 1, 2, 3...)"""
    if not packed:
        return NOTHING
    peak, seat_ms, over_ms, grants, healed, denials, by_count = packed
    counts = dict(enumerate(by_count, 1)) if isinstance(by_count, list) else by_count
    return UsageRow(
        peak=peak,
        seat_ms=seat_ms,
        over_ms=over_ms,
        grants=grants,
        healed=healed,
        denials=dict(denials or {}),
        by_count=counts,
    )


def meter_of(body: Mapping[str, Any]) -> Meter:
    """A meter as `measured` tells it."""
    rows = {name: row_of(body.get(name)) for name in ("row", "before")}
    return Meter(count=body["count"], over=body["over"], last_ms=body["last_ms"], **rows)


# -- periods --------------------------------------------------------------------------------------


def number_of(level: Level, at_ms: int) -> int:
    """The number of the hour or day since 1970, or of the month since the year 0 (UTC)."""
    if level == "hour":
        return at_ms // HOUR_MS
    if level == "day":
        return at_ms // DAY_MS
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
    return at.year * 12 + at.month - 1


def start_ms(level: Level, number: int) -> int:
    """When that hour, day or month began, in milliseconds since 1970."""
    if level == "hour":
        return number * HOUR_MS
    if level == "day":
        return number * DAY_MS
    return int(datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC).timestamp()) * 1000


def field_of(level: Level, number: int, scope: str) -> str:
    """Where the store keeps a closed row."""
    return f"{level[0]}{number}\0{scope}"


# -- meters that go on ----------------------------------------------------------------------------


def row_until(meter: Meter, level: Level, number: int, now_ms: int) -> UsageRow | None:
    """What a period has by `now_ms`, as far as the meter, read for that level, tells; None for one that was closed before."""
    of_meter = number_of(level, meter.last_ms)
    if number < of_meter:
        return None
    from_ms, till_ms = start_ms(level, number), min(start_ms(level, number + 1), now_ms)
    since = steady(meter, till_ms - max(from_ms, meter.last_ms))
    if number > of_meter:
        return since
    return meter.before + meter.row + since


def steady(meter: Meter, ms: int) -> UsageRow:
    """What so many milliseconds add in which nothing changes."""
    if ms <= 0 or meter.count == 0:
        return NOTHING
    return UsageRow(
        peak=meter.count,
        seat_ms=meter.count * ms,
        over_ms=meter.over * ms,
        by_count={bucket(meter.count): ms},
    )


def bucket(count: int) -> int:
    """The group that a count falls into (see `bucket` in `meters.lua`)."""
    width = 1
    while count >= 200 * width:
        width *= 2
    return count - count % width


def merged(rows: Iterable[UsageRow]) -> UsageRow:
    """All of these as one: the highest peak, and the sums."""
    total = NOTHING
    for row in rows:
        total = total + row
    return total


def _added(one: Mapping[Any, int], other: Mapping[Any, int]) -> dict[Any, int]:
    few, many = (one, other) if len(one) < len(other) else (other, one)
    both = dict(many)
    for name, value in few.items():
        both[name] = both.get(name, 0) + value
    return both


def canonical(row: UsageRow) -> UsageRow:
    """A row that can be compared: without entries that say nothing."""
    return msgspec.structs.replace(
        row,
        denials={code: number for code, number in row.denials.items() if number},
        by_count={count: ms for count, ms in row.by_count.items() if ms},
    )
