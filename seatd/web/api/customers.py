"""Customers: who bought licenses."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from seatd.licensing.names import check_customer
from seatd.store.account_values import Account, NumberBlock, Status
from seatd.store.audit_values import Change
from seatd.web.api.customer_views import (
    CustomerPath,
    CustomerRow,
    CustomerView,
    check_alive,
    customer_rows,
    customer_view,
)
from seatd.web.api.given_agency import check_agency, check_given
from seatd.web.api.number_blocks import NumberBlockInput, blocks_of, check_used
from seatd.web.api.ops import Call, Ops
from seatd.web.api.organisation_shapes import (
    Contacts,
    Id,
    Text,
    contacts_of,
    field_changes,
    listed,
    matches,
    named,
    named_fields,
    plain,
)
from seatd.web.api.shapes import Input, Listing, Nothing, PageQuery, Search
from seatd.web.errors import Problem

ops = Ops("customers")

Sort = Literal["id", "name", "agency", "external_id", "status", "created",
               "-id", "-name", "-agency", "-external_id", "-status", "-created"]  # fmt: skip
Blocks = Annotated[tuple[NumberBlockInput, ...], msgspec.Meta(max_length=200)]


class CustomersQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`search` is looked for in id, name, agency and external id; `agency` and `status` are exact."""

    search: Search = ""
    agency: Search = ""
    status: Status | None = None
    sort: Sort = "id"


class NewCustomer(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A customer to be made."""

    id: Id
    name: Text = ""
    agency: Text = ""
    external_id: Text = ""
    contacts: Contacts = ()
    number_blocks: Blocks = ()


class CustomerPatch(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be changed; what is not named stays. null: as the license key says."""

    name: Text | UnsetType | None = UNSET
    external_id: Text | UnsetType | None = UNSET
    contacts: Contacts | UnsetType = UNSET
    number_blocks: Blocks | UnsetType = UNSET


@ops.op("GET", "/api/v1/customers", "customers.read")
async def list_customers(call: Call[Nothing, CustomersQuery, Nothing]) -> Listing[CustomerRow]:
    """Customers with their limits and their use now"""
    query, store = call.query, call.services.store
    accounts = await store.accounts(await call.scope.customers())
    page = await listed(
        [account for account in accounts if _is_sought(account, query)],
        query,
        query.sort.replace("created", "created_ms"),
    )
    overviews = [overview async for overview in store.overviews([account.id for account in page.items])]
    items = await customer_rows(call, overviews)
    return Listing(items=items, page=page.page, size=page.size, total=page.total)


@ops.op(
    "POST", "/api/v1/customers", "customers.create", problems=("customer_exists", "unknown_agency", "invalid")
)
async def create_customer(call: Call[Nothing, Nothing, NewCustomer]) -> CustomerView:
    """Make a customer"""
    store = call.services.store
    fields = _checked(named_fields(call.body))
    customer = named(check_customer, fields.pop("id"), "id")
    given = {name: value for name, value in fields.items() if value}

    async def decide() -> list[Change]:
        await check_agency(call, call.body.agency)
        before = await store.facts(customer, "account")
        if before.get("created_ms"):
            raise Problem("customer_exists")
        return field_changes("account", before, {**given, "created_ms": call.services.now_ms()})

    deed = call.caller.deed("customers.create", customer)
    await store.change_account(customer, deed, decide, creates=True)
    await check_given(call, customer, call.body.agency, "")
    return await customer_view(call, customer)


@ops.op("GET", "/api/v1/customers/{customer}", "customers.read", problems=("unknown_customer",))
async def one_customer(call: Call[CustomerPath, Nothing, Nothing]) -> CustomerView:
    """One customer"""
    return await customer_view(call, call.path.customer)


@ops.op(
    "PATCH",
    "/api/v1/customers/{customer}",
    "customers.change",
    problems=("unknown_customer", "customer_deleted", "block_in_use"),
)
async def change_customer(call: Call[CustomerPath, Nothing, CustomerPatch]) -> CustomerView:
    """Change a customer's names, contacts and number blocks"""
    store = call.services.store
    customer = await call.scope.whole_customer(call.path.customer)
    fields = _checked(named_fields(call.body))

    async def decide() -> list[Change]:
        account = await store.account(customer)
        check_alive(account)
        if "number_blocks" in fields:
            extensions = await store.facts(customer, "extensions")
            check_used(account.number_blocks, fields["number_blocks"], extensions)
        return field_changes("account", await store.facts(customer, "account"), fields)

    await store.change_account(customer, call.caller.deed("customers.change", customer), decide)
    return await customer_view(call, customer)


def _is_sought(account: Account, query: CustomersQuery) -> bool:
    return (
        matches(query.search, account.id, account.name, account.agency, account.external_id)
        and query.agency in ("", account.agency)
        and query.status in (None, account.status)
    )


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    for field in ("name", "agency", "external_id"):
        plain(fields.get(field, UNSET), field)
    if "contacts" in fields:
        fields["contacts"] = contacts_of(fields["contacts"])
    if "number_blocks" in fields:
        blocks: tuple[NumberBlock, ...] = blocks_of(fields["number_blocks"])
        fields["number_blocks"] = blocks
    return fields
