"""An invoice statement: what a customer used in some days, what that costs, and the figures that it was made of. No I/O."""

from __future__ import annotations

import hashlib
from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Literal, NamedTuple

import msgspec

from seatd.store.audit_values import Change, Recorded
from seatd.store.price_values import AMOUNT_PLACES, ITEMS, QUANTITY_PLACES, Item, PriceList, amount, rounded
from seatd.store.usage_values import DAY_MS, HOUR_MS, UsageRow
from seatd.store.values import Value

PLACE = "invoices"
EPOCH = date(1970, 1, 1)
MOST_DAYS = 366
"""So many days may be on a statement."""

Metered = Literal["whole", "in_part", "not_known"]


class Period(NamedTuple):
    """Whole days in UTC, from the first to the last; both belong to it."""

    first: date
    last: date

    @property
    def from_ms(self) -> int:
        """Its first millisecond since 1970."""
        return (self.first - EPOCH).days * DAY_MS

    @property
    def till_ms(self) -> int:
        """The first millisecond after it."""
        return ((self.last - EPOCH).days + 1) * DAY_MS

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    def overlaps(self, other: Period) -> bool:
        """Whether a day belongs to both."""
        return self.first <= other.last and other.first <= self.last

    def parts(self) -> tuple[list[int], list[int]]:
        """The numbers of the whole months in it, and of the days that are left (see `number_of`)."""
        months: list[int] = []
        days: list[int] = []
        for year, month, first, last in self._by_month():
            if (first, last) == (1, monthrange(year, month)[1]):
                months.append(year * 12 + month - 1)
            else:
                start = (date(year, month, first) - EPOCH).days
                days += range(start, start + last - first + 1)
        return months, days

    def months(self) -> Fraction:
        """How many months it is: of a month of which it has some days, that part."""
        parts = (Fraction(last - first + 1, monthrange(y, m)[1]) for y, m, first, last in self._by_month())
        return sum(parts, Fraction(0))

    def _by_month(self) -> Iterator[tuple[int, int, int, int]]:
        """Year, month, and of it the first and the last day that belong to the period."""
        at = self.first
        while at <= self.last:
            end = at.replace(day=monthrange(at.year, at.month)[1])
            yield at.year, at.month, at.day, min(end, self.last).day
            at = end + timedelta(days=1)


class Figures(Value, frozen=True, kw_only=True):
    """What was metered of a product (`license` None) or a license; `product` None: of a license that is not there any more.
    `assigned`: users assigned when the statement was made."""

    product: str | None
    license: str | None
    seat_ms: int
    overdraft_ms: int
    seat_hours: str
    overdraft_hours: str
    average: str
    peak: int
    assigned: int


class Line(Value, frozen=True, kw_only=True):
    """Something that costs: `amount` is `quantity` times `unit_price`, rounded half to even to two places."""

    product: str
    item: Item
    quantity: str
    unit_price: str
    amount: str


class Metering(Value, frozen=True, kw_only=True):
    """Whether all was metered. `in_part`: the store had lost data in this time (so many seats were put back, so often all was
    counted anew), and what was in use meanwhile is not in the figures. `not_known`: the events do not reach back further than
    `known_from`."""

    state: Metered = "whole"
    restored: int = 0
    recounted: int = 0
    known_from: datetime | None = None


class Statement(Value, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A statement; a draft has no number. `to` is its last day. `unpriced`: products that were used and cost nothing."""

    number: str | None = None
    issued: datetime | None = None
    issued_by: str | None = None
    customer: str
    customer_name: str
    external_id: str
    agency: str
    from_: date
    to: date
    currency: str
    lines: tuple[Line, ...]
    total: str
    unpriced: tuple[str, ...]
    prices: PriceList
    usage: tuple[Figures, ...]
    metering: Metering

    @property
    def period(self) -> Period:
        """Its days."""
        return Period(self.from_, self.to)


class StatementRow(Value, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A statement in a list."""

    number: str
    issued: datetime
    from_: date
    to: date
    currency: str
    total: str
    metering: Metering

    @property
    def period(self) -> Period:
        """Its days."""
        return Period(self.from_, self.to)


class Sealed(Change, frozen=True, kw_only=True):
    """A statement that is issued: the audit trail has its SHA-256, so that it shows when one is changed later."""

    def shown(self) -> Change:
        """The hash of the text that is kept."""
        digest = digest_of(msgspec.json.encode(self.after))
        return Change(place=self.place, field=self.field, after={"sha256": digest})


def digest_of(text: bytes) -> str:
    """The SHA-256 of a statement as it is kept, in hex."""
    return hashlib.sha256(text).hexdigest()


def issued_in(recorded: Recorded) -> dict[str, str]:
    """The statements that an entry of the audit trail tells of: number to SHA-256."""
    if f'"place":"{PLACE}"'.encode() not in recorded.text:  # most entries: they need not be decoded
        return {}
    changes = recorded.entry().changes
    return {change.field: change.after["sha256"] for change in changes if change.place == PLACE}


def figures_of(product: str | None, license: str | None, row: UsageRow, ms: int, assigned: int) -> Figures:
    """The figures of a row; the average is over so many milliseconds."""
    return Figures(
        product=product,
        license=license,
        seat_ms=row.seat_ms,
        overdraft_ms=row.over_ms,
        seat_hours=rounded(Fraction(row.seat_ms, HOUR_MS), QUANTITY_PLACES),
        overdraft_hours=rounded(Fraction(row.over_ms, HOUR_MS), QUANTITY_PLACES),
        average=rounded(Fraction(row.seat_ms, ms) if ms > 0 else Fraction(0), QUANTITY_PLACES),
        peak=row.peak,
        assigned=assigned,
    )


def lines_of(usage: Iterable[Figures], prices: PriceList, months: Fraction) -> tuple[Line, ...]:
    """What the products cost. (Those of licenses are parts of them, so they cost nothing more.)"""
    return tuple(
        Line(
            product=figures.product,
            item=item,
            quantity=(quantity := _quantity(figures, item, months)),
            unit_price=price,
            amount=amount(quantity, price),
        )
        for figures in usage
        if figures.product is not None and figures.license is None and figures.product in prices.products
        for item in ITEMS
        if (price := prices.products[figures.product].of(item)) is not None
    )


def total_of(lines: Iterable[Line]) -> str:
    """The sum of the lines' amounts."""
    return rounded(sum((Fraction(line.amount) for line in lines), Fraction(0)), AMOUNT_PLACES)


def _quantity(figures: Figures, item: Item, months: Fraction) -> str:
    match item:
        case "seat_hours":
            return figures.seat_hours
        case "overdraft_hours":
            return figures.overdraft_hours
        case "peak_seats":
            return str(figures.peak)
        case "assigned_months":
            return rounded(figures.assigned * months, QUANTITY_PLACES)


def utc(at_ms: int) -> datetime:
    """Milliseconds since 1970 as a time."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
