"""What a customer pays: prices by product, as decimal texts. Never floating-point numbers. Arithmetic only, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Literal, get_args

import msgspec

from seatd.store.audit_values import Json
from seatd.store.values import Value

Item = Literal["seat_hours", "overdraft_hours", "peak_seats", "assigned_months"]
ITEMS: tuple[Item, ...] = get_args(Item)
"""What is charged for, in the order of a statement."""

QUANTITY_PLACES = 4
AMOUNT_PLACES = 2


class Prices(Value, frozen=True, kw_only=True):
    """What one of each costs of a product; None: nothing is charged for it. Hours in the overdraft are seat-hours as well, so
    their price comes on top. A peak seat is paid once per statement."""

    seat_hours: str | None = None
    overdraft_hours: str | None = None
    peak_seats: str | None = None
    assigned_months: str | None = None

    def of(self, item: Item) -> str | None:
        """The price of an item."""
        price: str | None = getattr(self, item)
        return price


class PriceList(Value, frozen=True, kw_only=True):
    """By product, in `currency` (ISO 4217; "": nothing was said of money)."""

    currency: str = ""
    products: dict[str, Prices] = msgspec.field(default_factory=dict)


def price_list(account: Mapping[str, Json]) -> PriceList:
    """The price list from what is kept of a customer's account."""
    kept = {"currency": account.get("currency") or "", "products": account.get("prices") or {}}
    return msgspec.convert(kept, PriceList)


def rounded(value: Fraction, places: int) -> str:
    """A number as a decimal text with so many places, rounded half to even."""
    return format(Decimal(round(value * 10**places)).scaleb(-places), "f")


def amount(quantity: str, unit_price: str) -> str:
    """What so much costs: from the texts themselves, so that whoever reads them gets the same."""
    return rounded(Fraction(quantity) * Fraction(unit_price), AMOUNT_PLACES)
