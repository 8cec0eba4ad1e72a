"""Agencies: wholesalers and partners, who have customers."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from seatd.licensing.names import check_customer
from seatd.store.account_values import Contact
from seatd.store.agencies import Agency
from seatd.store.audit_values import Change
from seatd.web.api.given_agency import check_deleted
from seatd.web.api.ops import Call, Ops
from seatd.web.api.organisation_shapes import (
    Contacts,
    Id,
    Text,
    contacts_of,
    listed,
    matches,
    merged,
    named,
    named_fields,
    plain,
)
from seatd.web.api.shapes import Input, Listing, Moment, Nothing, PageQuery, Search, moment
from seatd.web.errors import Problem

ops = Ops("agencies")

Sort = Literal["id", "name", "external_id", "customers", "created",
               "-id", "-name", "-external_id", "-customers", "-created"]  # fmt: skip


class AgencyPath(msgspec.Struct, frozen=True, kw_only=True):
    """Which agency."""

    agency: Id


class AgenciesQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`search` is looked for in id, name and external id."""

    search: Search = ""
    sort: Sort = "id"


class NewAgency(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An agency to be made. License keys name it by its `id`."""

    id: Id
    name: Text = ""
    external_id: Text = ""
    contacts: Contacts = ()


class AgencyPatch(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be changed; what is not named stays."""

    name: Text | UnsetType = UNSET
    external_id: Text | UnsetType = UNSET
    contacts: Contacts | UnsetType = UNSET


class AgencyView(msgspec.Struct, frozen=True, kw_only=True):
    """An agency; `customers` counts those that it has and that are there for the caller."""

    id: str
    name: str
    external_id: str
    contacts: tuple[Contact, ...]
    customers: int
    created: Moment


@ops.op("GET", "/api/v1/agencies", "agencies.read")
async def list_agencies(call: Call[Nothing, AgenciesQuery, Nothing]) -> Listing[AgencyView]:
    """Agencies"""
    query = call.query
    views = [
        view for view in await _views(call) if matches(query.search, view.id, view.name, view.external_id)
    ]
    return await listed(views, query, query.sort)


@ops.op("POST", "/api/v1/agencies", "agencies.change", problems=("agency_exists",))
async def create_agency(call: Call[Nothing, Nothing, NewAgency]) -> AgencyView:
    """Make an agency"""
    body, now_ms = call.body, call.services.now_ms()
    name = named(check_customer, body.id, "id")
    record = merged(None, {**_checked(named_fields(body)), "created_ms": now_ms})
    del record["id"]

    async def decide() -> list[Change]:
        if await call.services.store.agency(name) is not None:
            raise Problem("agency_exists")
        return [Change(place="agencies", field=name, after=record)]

    await call.services.store.amend(None, call.caller.deed("agencies.create", name), decide)
    return await _view(call, name)


@ops.op("GET", "/api/v1/agencies/{agency}", "agencies.read", problems=("unknown_agency",))
async def one_agency(call: Call[AgencyPath, Nothing, Nothing]) -> AgencyView:
    """One agency"""
    return await _view(call, call.path.agency)


@ops.op("PATCH", "/api/v1/agencies/{agency}", "agencies.change", problems=("unknown_agency",))
async def change_agency(call: Call[AgencyPath, Nothing, AgencyPatch]) -> AgencyView:
    """Change an agency"""
    fields = _checked(named_fields(call.body))

    async def decide() -> list[Change]:
        before = await _record(call, call.path.agency)
        return [Change(place="agencies", field=call.path.agency, before=before, after=merged(before, fields))]

    await call.services.store.amend(None, call.caller.deed("agencies.change", call.path.agency), decide)
    return await _view(call, call.path.agency)


@ops.op(
    "DELETE", "/api/v1/agencies/{agency}", "agencies.change", problems=("unknown_agency", "agency_in_use")
)
async def delete_agency(call: Call[AgencyPath, Nothing, Nothing]) -> None:
    """Delete an agency that has no customers"""
    name, before = call.path.agency, None

    async def decide() -> list[Change]:
        nonlocal before
        before = await _record(call, name)
        if await call.services.store.customers_of(name):
            raise Problem("agency_in_use")
        return [Change(place="agencies", field=name, before=before)]

    await call.services.store.amend(None, call.caller.deed("agencies.delete", name), decide)
    await check_deleted(call, name, before)


async def _record(call: Call[Any, Any, Any], name: str) -> Any:
    agency = await call.services.store.agency(name)
    if agency is None:
        raise Problem("unknown_agency")
    return msgspec.to_builtins(agency)


async def _view(call: Call[Any, Any, Any], name: str) -> AgencyView:
    found = next((view for view in await _views(call) if view.id == name), None)
    if found is None:
        raise Problem("unknown_agency")
    return found


async def _views(call: Call[Any, Any, Any]) -> list[AgencyView]:
    """All agencies for whom is everywhere; for others those of their customers, and their own."""
    store, grant = call.services.store, call.caller.grant
    counts: dict[str, int] = {grant.agency: 0} if grant.agency else {}
    for account in await store.accounts(await call.scope.customers()):
        counts[account.agency] = counts.get(account.agency, 0) + 1
    return [
        _shown(name, agency, counts.get(name, 0))
        for name, agency in (await store.agencies()).items()
        if grant.is_everywhere or name in counts
    ]


def _shown(name: str, agency: Agency, customers: int) -> AgencyView:
    return AgencyView(
        id=name,
        name=agency.name,
        external_id=agency.external_id,
        contacts=agency.contacts,
        customers=customers,
        created=moment(agency.created_ms),
    )


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    for field in ("name", "external_id"):
        plain(fields.get(field, UNSET), field)
    if "contacts" in fields:
        fields["contacts"] = contacts_of(fields["contacts"])
    return fields
