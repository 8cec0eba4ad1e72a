"""A customer as it is shown, and how to find one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from seatd.store.account_values import Account, Contact, NumberBlock, Permission, Status
from seatd.store.overviews import Overview
from seatd.web.api.license_totals import ProductTotal, totals_of
from seatd.web.api.ops import Call
from seatd.web.api.organisation_shapes import Id
from seatd.web.api.shapes import Moment, moment
from seatd.web.errors import Problem


class CustomerPath(msgspec.Struct, frozen=True, kw_only=True):
    """Which customer."""

    customer: Id


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts as decimal texts, in `currency` (ISO 4217)."""

    balance: str
    debit_limit: str
    currency: str


class InUse(msgspec.Struct, frozen=True, kw_only=True):
    """Channels in use now."""

    seats: int
    sessions: int


class CustomerRow(msgspec.Struct, frozen=True, kw_only=True):
    """A customer in a list, with its limits per product and its use now."""

    id: str
    name: str
    agency: str
    external_id: str
    status: Status
    delete_at: Annotated[Moment | None, msgspec.Meta(description="when it goes for good")]
    created: Moment | None
    in_use: InUse
    week: Annotated[float | None, msgspec.Meta(description="use against the week before, in percent")]
    products: tuple[ProductTotal, ...]


class CustomerView(CustomerRow, frozen=True, kw_only=True):
    """A customer's page. `permissions`: what its agency may do."""

    money: Annotated[Money | None, msgspec.Meta(description="null for whom it does not concern")]
    permissions: tuple[Permission, ...]
    contacts: tuple[Contact, ...]
    number_blocks: tuple[NumberBlock, ...]
    domains: tuple[str, ...]


async def customer_view(call: Call[Any, Any, Any], customer: str) -> CustomerView:
    """The page of a customer that is there for the caller, or the problem `unknown_customer`."""
    overview = await call.services.store.overview(await call.scope.named_customer(customer))
    domains = sorted(await call.services.store.facts(customer, "domains"))
    account = overview.account
    return CustomerView(
        **_row_fields(call, overview, await _week(call, customer)),
        money=_money(account) if await _sees_money(call, customer) else None,
        permissions=account.permissions,
        contacts=account.contacts,
        number_blocks=account.number_blocks,
        domains=tuple(filter(call.scope.has_domain, domains)),
    )


async def customer_rows(call: Call[Any, Any, Any], overviews: Sequence[Overview]) -> tuple[CustomerRow, ...]:
    """The customers in a list."""
    weeks = await call.services.customer_weeks([overview.account.id for overview in overviews])
    return tuple(
        CustomerRow(**_row_fields(call, overview, weeks.get(overview.account.id))) for overview in overviews
    )


def check_alive(account: Account) -> None:
    """The problem `customer_deleted` for a customer that is just being deleted."""
    if account.status == "deleted":
        raise Problem("customer_deleted")


def _money(account: Account) -> Money:
    return Money(balance=account.balance, debit_limit=account.debit_limit, currency=account.currency)


async def _sees_money(call: Call[Any, Any, Any], customer: str) -> bool:
    scope = call.scope
    return await scope.also("customers.money", customer) or await scope.also("invoices.read", customer)


async def _week(call: Call[Any, Any, Any], customer: str) -> float | None:
    return (await call.services.customer_weeks([customer])).get(customer)


def _row_fields(call: Call[Any, Any, Any], overview: Overview, week: float | None) -> dict[str, Any]:
    account, services = overview.account, call.services
    rows = [row for row in overview.licenses if call.scope.any_domain(row.domains)]
    return {
        "id": account.id,
        "name": account.name,
        "agency": account.agency,
        "external_id": account.external_id,
        "status": account.status,
        "delete_at": None if account.delete_at_ms is None else moment(account.delete_at_ms),
        "created": moment(account.created_ms) if account.created_ms else None,
        "in_use": InUse(seats=overview.seats, sessions=overview.sessions),
        "week": week,
        "products": tuple(totals_of(overview, rows, services.catalog, services.now_ms())),
    }
