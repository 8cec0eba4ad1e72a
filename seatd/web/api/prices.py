"""A customer's price list: what its statements charge."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import msgspec

from seatd.store.audit_values import Change
from seatd.store.price_values import PriceList, price_list
from seatd.web.api.customer_views import CustomerPath, check_alive
from seatd.web.api.ops import Call, Ops
from seatd.web.api.organisation_shapes import field_changes
from seatd.web.api.shapes import Input, Nothing
from seatd.web.errors import invalid

ops = Ops("invoices")

Price = Annotated[
    str,
    msgspec.Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?\Z", description="a decimal number, such as 0.0125"),
]


class PricesInput(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one of each costs of a product; what is not named costs nothing."""

    seat_hours: Price | None = None
    overdraft_hours: Annotated[Price | None, msgspec.Meta(description="on top of seat_hours")] = None
    peak_seats: Annotated[Price | None, msgspec.Meta(description="once per statement")] = None
    assigned_months: Annotated[Price | None, msgspec.Meta(description="per user assigned and month")] = None


class PriceListBody(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole list, by product. `currency` (ISO 4217) becomes the customer's; without it that stays."""

    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")] | None = None
    products: Annotated[dict[str, PricesInput], msgspec.Meta(max_length=200)]


@ops.op("GET", "/api/v1/customers/{customer}/prices", "invoices.read", problems=("unknown_customer",))
async def one_price_list(call: Call[CustomerPath, Nothing, Nothing]) -> PriceList:
    """A customer's price list"""
    customer = await call.scope.whole_customer(call.path.customer)
    return price_list(await call.services.store.facts(customer, "account"))


@ops.op(
    "PUT",
    "/api/v1/customers/{customer}/prices",
    "customers.money",
    problems=("unknown_customer", "customer_deleted"),
)
async def change_prices(call: Call[CustomerPath, Nothing, PriceListBody]) -> PriceList:
    """Replace a customer's price list"""
    store, body = call.services.store, call.body
    customer = await call.scope.whole_customer(call.path.customer)
    for product in body.products:
        if product not in call.services.catalog.products:
            raise invalid(f"products.{product[:64]}", "there is no such product")
    prices = {product: _as_kept(given) for product, given in body.products.items()}

    async def decide() -> list[Change]:
        check_alive(await store.account(customer))
        before = await store.facts(customer, "account")
        currency = body.currency or before.get("currency")
        if prices and not currency:
            raise invalid("currency", "the customer has none yet: say which")
        after = {"prices": prices or None, **({"currency": currency} if body.currency else {})}
        return field_changes("account", before, after)

    await store.amend(customer, call.caller.deed("customers.prices", customer), decide)
    return price_list(await store.facts(customer, "account"))


def _as_kept(given: PricesInput) -> dict[str, str]:
    named = {item: getattr(given, item) for item in given.__struct_fields__}
    return {item: format(Decimal(price), "f") for item, price in named.items() if price is not None}
