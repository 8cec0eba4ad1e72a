"""A license as the registry shows it, and how to find one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from seatd.store.registry_values import LicenseRow
from seatd.web.api.ops import Call
from seatd.web.api.shapes import Moment, moment
from seatd.web.errors import Problem

DAY_MS = 86_400_000

Validity = Literal["valid", "not_yet_valid", "expired"]


class LicensePath(msgspec.Struct, frozen=True, kw_only=True):
    """Which license; its id is the only one of that name in the whole store."""

    id: Annotated[str, msgspec.Meta(min_length=1)]


class LicenseView(msgspec.Struct, frozen=True, kw_only=True):
    """A license with its use now. `status`: whole days to the end, negative once it is over."""

    id: str
    product: str
    kind: Literal["competitive", "nominal"]
    competitive: Annotated[bool | None, msgspec.Meta(description="true, or null for a nominal license")]
    valid_from: Moment
    valid_till: Moment
    used: Annotated[int, msgspec.Meta(description="holders now, or users assigned if nominal")]
    online: int
    limit: int
    overdraft: int
    above_limit: int
    status: int
    validity: Validity
    name: str
    type: str
    customer: str
    customer_name: str
    agency: str
    external_id: str
    domains: tuple[str, ...]
    created: Moment


def view(row: LicenseRow, now_ms: int) -> LicenseView:
    """The row as it is shown at this moment."""
    return LicenseView(
        id=row.id,
        product=row.product,
        kind=row.kind,
        competitive=True if row.kind == "competitive" else None,
        valid_from=moment(row.valid_from_ms),
        valid_till=moment(row.valid_till_ms),
        used=row.used,
        online=row.online,
        limit=row.limit,
        overdraft=row.overdraft,
        above_limit=row.above_limit,
        status=days_left(row.valid_till_ms, now_ms),
        validity=validity(row.valid_from_ms, row.valid_till_ms, now_ms),
        name=row.name,
        type=row.tier,
        customer=row.customer,
        customer_name=row.customer_name,
        agency=row.agency,
        external_id=row.external_id,
        domains=row.domains,
        created=moment(row.created_ms),
    )


def days_left(till_ms: int, now_ms: int) -> int:
    """Whole days from now to the last millisecond of a license: 0 on its last day, -1 from its end on."""
    return (till_ms - 1 - now_ms) // DAY_MS


def validity(from_ms: int, till_ms: int, now_ms: int) -> Validity:
    """Whether a license counts at this moment: from its first millisecond until before its end."""
    if now_ms >= till_ms:
        return "expired"
    return "not_yet_valid" if now_ms < from_ms else "valid"


async def find_license(call: Call[Any, Any, Any], license_id: str) -> LicenseRow:
    """The license with this id if it is there for the caller, or the problem `unknown_license`."""
    store = call.services.store
    owner = await store.owner_of_license(license_id)
    if owner is None or not await call.scope.has_customer(owner):
        raise Problem("unknown_license")
    for row in await store.registry([owner]):
        if row.id == license_id and call.scope.any_domain(row.domains):
            return row
    raise Problem("unknown_license")
