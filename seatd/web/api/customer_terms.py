"""What is settled with a customer: its money, its agency, and what that agency may do."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from seatd.store.account_values import PERMISSIONS, Permission
from seatd.store.audit_values import Change
from seatd.web.api.customer_views import CustomerPath, CustomerView, check_alive, customer_view
from seatd.web.api.given_agency import check_agency, check_given
from seatd.web.api.ops import Call, Ops
from seatd.web.api.organisation_shapes import Text, field_changes, named_fields
from seatd.web.api.shapes import END, Input, Nothing
from seatd.web.errors import invalid

ops = Ops("customers")

PROBLEMS = ("unknown_customer", "customer_deleted")
Amount = Annotated[
    str,
    msgspec.Meta(
        pattern=rf"^-?[0-9]{{1,12}}(\.[0-9]{{1,4}})?{END}", description="a decimal number, such as 12.50"
    ),
]


class MoneyPatch(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be changed; what is not named stays."""

    balance: Amount | UnsetType = UNSET
    debit_limit: Amount | UnsetType = UNSET
    currency: (
        Annotated[str, msgspec.Meta(pattern=rf"^[A-Z]{{3}}{END}", description="ISO 4217")] | UnsetType
    ) = UNSET


class PermissionsBody(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that the agency may do from now on."""

    permissions: tuple[Permission, ...]


class AgencyBody(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The agency; "" for none."""

    agency: Text


@ops.op("PATCH", "/api/v1/customers/{customer}/money", "customers.money", problems=PROBLEMS)
async def change_money(call: Call[CustomerPath, Nothing, MoneyPatch]) -> CustomerView:
    """Change a customer's balance and debit limit"""
    fields = named_fields(call.body)
    for name in ("balance", "debit_limit"):
        if name in fields:
            fields[name] = format(Decimal(fields[name]) + 0, "f")  # without the sign of a zero
    if fields.get("debit_limit", "").startswith("-"):
        raise invalid("debit_limit", "must not be negative")
    return await _settle(call, "customers.money", fields)


@ops.op("PUT", "/api/v1/customers/{customer}/permissions", "customers.permit", problems=PROBLEMS)
async def permit_agency(call: Call[CustomerPath, Nothing, PermissionsBody]) -> CustomerView:
    """Say what the agency may do"""
    given = [name for name in PERMISSIONS if name in call.body.permissions]
    return await _settle(call, "customers.permit", {"permissions": given})


@ops.op(
    "PUT",
    "/api/v1/customers/{customer}/agency",
    "customers.move",
    problems=("unknown_customer", "customer_deleted", "unknown_agency"),
)
async def move_customer(call: Call[CustomerPath, Nothing, AgencyBody]) -> CustomerView:
    """Give a customer to another agency"""
    store, agency = call.services.store, call.body.agency
    customer = await call.scope.whole_customer(call.path.customer)
    former = ""

    async def decide() -> list[Change]:
        nonlocal former
        await check_agency(call, agency)
        account = await store.account(customer)
        check_alive(account)
        former = account.agency
        return field_changes("account", await store.facts(customer, "account"), {"agency": agency})

    await store.change_account(customer, call.caller.deed("customers.move", customer), decide)
    await check_given(call, customer, agency, former)
    return await customer_view(call, customer)


async def _settle(call: Call[CustomerPath, Any, Any], action: str, fields: dict[str, Any]) -> CustomerView:
    store = call.services.store
    customer = await call.scope.whole_customer(call.path.customer)

    async def decide() -> list[Change]:
        check_alive(await store.account(customer))
        return field_changes("account", await store.facts(customer, "account"), fields)

    await store.change_account(customer, call.caller.deed(action, customer), decide)
    return await customer_view(call, customer)
