"""The license registry: list, look at, withdraw."""

from __future__ import annotations

from typing import Literal

import msgspec
import structlog

from seatd.licensing.names import canonical_domain
from seatd.store.audit_values import Change
from seatd.store.registry_values import LicenseRow
from seatd.turns import in_turns
from seatd.web.api.license_rows import (
    LicensePath,
    LicenseView,
    Views,
    find_license,
    find_whole_license,
    view,
    within,
)
from seatd.web.api.ops import Call, Ops
from seatd.web.api.organisation_shapes import listed, matches
from seatd.web.api.shapes import Listing, Nothing, PageQuery, Search
from seatd.web.caller import Scope
from seatd.web.errors import Problem

ops = Ops("licenses")
_log = structlog.get_logger(__name__)

Sort = Literal[
    "id", "product", "kind", "name", "type", "customer", "customer_name", "agency", "external_id",
    "valid_from", "valid_till", "validity", "used", "online", "resources", "limit", "overdraft",
    "above_limit", "week", "status", "created",
    "-id", "-product", "-kind", "-name", "-type", "-customer", "-customer_name", "-agency", "-external_id",
    "-valid_from", "-valid_till", "-validity", "-used", "-online", "-resources", "-limit", "-overdraft",
    "-above_limit", "-week", "-status", "-created",
]  # fmt: skip


class LicenseQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`search` is looked for in product, id, name, type, customer, agency and external id; the others are exact."""

    search: Search = ""
    customer: Search = ""
    agency: Search = ""
    domain: Search = ""
    sort: Sort = "product"


class LicenseKeyView(msgspec.Struct, frozen=True, kw_only=True):
    """The license key that a license came with."""

    id: str
    key: str


@ops.op("GET", "/api/v1/licenses", "licenses.read")
async def list_licenses(call: Call[Nothing, LicenseQuery, Nothing]) -> Listing[LicenseView]:
    """The registry"""
    query, services = call.query, call.services
    customers = [name for name in await call.scope.customers() if query.customer in ("", name)]
    rows = await services.store.registry(customers)
    shown = await Views.of(services, rows)
    there = [row async for row in in_turns(rows) if _is_sought(call, row)]
    page = await listed(there, query, query.sort, value_of=shown.value_of(query.sort.lstrip("-")))
    items = tuple(within(call.scope, shown.view(row)) for row in page.items)
    return Listing(items=items, page=page.page, size=page.size, total=page.total)


@ops.op("GET", "/api/v1/licenses/{id}", "licenses.read", problems=("unknown_license",))
async def one_license(call: Call[LicensePath, Nothing, Nothing]) -> LicenseView:
    """One license"""
    row = await find_license(call, call.path.id)
    return within(call.scope, await view(call.services, row))


@ops.op("GET", "/api/v1/licenses/{id}/key", "licenses.key", problems=("unknown_license",))
async def license_key(call: Call[LicensePath, Nothing, Nothing]) -> LicenseKeyView:
    """The license key that the license came with"""
    row = await find_whole_license(call, call.path.id)
    key = await call.services.store.license_key(row.customer, row.id)
    if key is None:
        raise Problem("unknown_license")
    return LicenseKeyView(id=row.id, key=key)


@ops.op("DELETE", "/api/v1/licenses/{id}", "licenses.withdraw", problems=("unknown_license",))
async def withdraw_license(call: Call[LicensePath, Nothing, Nothing]) -> None:
    """Withdraw a license: no new seats on it"""
    row = await find_whole_license(call, call.path.id)
    deed = call.caller.deed("licenses.withdraw", row.id)
    change = Change(place="licenses", field=row.id, before=msgspec.to_builtins(row))
    if not await call.services.store.drop_license(row.customer, row.id, deed=deed, changes=[change]):
        raise Problem("unknown_license")
    _log.info("license withdrawn", by=call.caller.name, customer=row.customer, license=row.id)


def _is_sought(call: Call[Nothing, LicenseQuery, Nothing], row: LicenseRow) -> bool:
    query, scope = call.query, call.scope
    texts = (
        row.product,
        row.id,
        row.name,
        row.tier,
        row.customer,
        row.customer_name,
        row.agency,
        row.external_id,
    )
    return (
        scope.any_domain(row.domains)
        and query.customer in ("", row.customer)
        and query.agency in ("", row.agency)
        and matches(query.search, *texts)
        and (not query.domain or _is_of(scope, row, canonical_domain(query.domain)))
    )


def _is_of(scope: Scope, row: LicenseRow, domain: str) -> bool:
    return domain in row.domains and scope.has_domain(domain)
