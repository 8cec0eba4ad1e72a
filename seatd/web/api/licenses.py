"""The license registry: list, look at, withdraw."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

import msgspec
import structlog

from seatd.licensing.names import canonical_domain
from seatd.store.audit_values import Change
from seatd.web.api.license_rows import LicensePath, LicenseView, find_license, view
from seatd.web.api.ops import Call, Ops
from seatd.web.api.shapes import Listing, Nothing, PageQuery, Search
from seatd.web.errors import Problem

ops = Ops("licenses")
_log = structlog.get_logger(__name__)

Sort = Literal[
    "id", "product", "kind", "name", "customer", "valid_from", "valid_till",
    "used", "online", "limit", "status", "created",
    "-id", "-product", "-kind", "-name", "-customer", "-valid_from", "-valid_till",
    "-used", "-online", "-limit", "-status", "-created",
]  # fmt: skip


class LicenseQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`search` is looked for in product, id, name and customer; `customer` and `domain` are exact."""

    search: Search = ""
    customer: Search = ""
    domain: Search = ""
    sort: Sort = "product"


class LicenseKeyView(msgspec.Struct, frozen=True, kw_only=True):
    """The license key that a license came with."""

    id: str
    key: str


@ops.op("GET", "/api/v1/licenses", "licenses.read")
async def list_licenses(call: Call[Nothing, LicenseQuery, Nothing]) -> Listing[LicenseView]:
    """The registry"""
    query, now_ms = call.query, call.services.now_ms()
    rows = [
        view(row, now_ms)
        for row in await call.services.store.registry(await call.scope.customers())
        if call.scope.any_domain(row.domains)
    ]
    found = sorted((row for row in rows if _matches(row, query)), key=lambda row: row.id)
    found.sort(key=_sort_key(query.sort.lstrip("-")), reverse=query.sort.startswith("-"))
    page = tuple(found[query.offset : query.offset + query.size])
    return Listing(items=page, page=query.page, size=query.size, total=len(found))


@ops.op("GET", "/api/v1/licenses/{id}", "licenses.read", problems=("unknown_license",))
async def one_license(call: Call[LicensePath, Nothing, Nothing]) -> LicenseView:
    """One license"""
    return view(await find_license(call, call.path.id), call.services.now_ms())


@ops.op("GET", "/api/v1/licenses/{id}/key", "licenses.key", problems=("unknown_license",))
async def license_key(call: Call[LicensePath, Nothing, Nothing]) -> LicenseKeyView:
    """The license key that the license came with"""
    row = await find_license(call, call.path.id)
    key = await call.services.store.license_key(row.customer, row.id)
    if key is None:
        raise Problem("unknown_license")
    return LicenseKeyView(id=row.id, key=key)


@ops.op("DELETE", "/api/v1/licenses/{id}", "licenses.withdraw", problems=("unknown_license",))
async def withdraw_license(call: Call[LicensePath, Nothing, Nothing]) -> None:
    """Withdraw a license: no new seats on it"""
    row = await find_license(call, call.path.id)
    deed = call.caller.deed("licenses.withdraw", row.id)
    change = Change(place="licenses", field=row.id, before=msgspec.to_builtins(row))
    if not await call.services.store.drop_license(row.customer, row.id, deed=deed, changes=[change]):
        raise Problem("unknown_license")
    _log.info("license withdrawn", by=call.caller.name, customer=row.customer, license=row.id)


def _matches(row: LicenseView, query: LicenseQuery) -> bool:
    sought = query.search.casefold()
    texts = (row.product, row.id, row.name, row.customer, row.customer_name)
    return (
        (not sought or any(sought in text.casefold() for text in texts))
        and query.customer in ("", row.customer)
        and (not query.domain or canonical_domain(query.domain) in row.domains)
    )


def _sort_key(field: str) -> Callable[[LicenseView], str | int | datetime]:
    def key(row: LicenseView) -> str | int | datetime:
        value: str | int | datetime = getattr(row, field)
        return value.casefold() if isinstance(value, str) else value

    return key
