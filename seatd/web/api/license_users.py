"""Who uses a license: holders and assigned users; assigning a nominal license and taking it back."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import structlog

from seatd.store.registry_values import HolderRow
from seatd.web.api.license_rows import LicensePath, find_license
from seatd.web.api.ops import Call, Ops
from seatd.web.api.shapes import Listing, Moment, Nothing, PageQuery, Search, moment, named_user
from seatd.web.caller import Scope
from seatd.web.errors import Problem

ops = Ops("license users")
_log = structlog.get_logger(__name__)

_REFUSED = {
    "full": "license_full",
    "unknown_license": "unknown_license",
    "not_nominal": "not_nominal",
    "wrong_domain": "wrong_domain",
}


class AssignmentPath(LicensePath, frozen=True, kw_only=True):
    """Which license, and whose."""

    user: Annotated[str, msgspec.Meta(min_length=1, description="name@domain")]


class UsersQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`search` is looked for in the user's name."""

    search: Search = ""


class LicenseUser(msgspec.Struct, frozen=True, kw_only=True):
    """A user of a license. `used`: online now; `since`: the start of the oldest live session; `may_logout`: whether the
    caller may force this user out."""

    domain: str
    user: str
    used: bool
    sessions: int
    since: Moment | None
    assigned: bool
    may_logout: bool


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """A nominal license given to a user; `used` of `limit` are assigned now."""

    license: str
    user: str
    status: Literal["assigned", "already"]
    used: int
    limit: int


@ops.op("GET", "/api/v1/licenses/{id}/users", "licenses.users", problems=("unknown_license",))
async def license_users(call: Call[LicensePath, UsersQuery, Nothing]) -> Listing[LicenseUser]:
    """The users of a license"""
    row = await find_license(call, call.path.id)
    query = call.query
    page = await call.services.store.license_users(
        row.customer,
        row.id,
        offset=query.offset,
        size=query.size,
        search=query.search,
        domains=call.scope.domains,
    )
    if page is None:
        raise Problem("unknown_license")
    logout = Scope(call.services.store, call.caller.grant, "logout")
    there = not logout.is_nowhere and await logout.has_customer(row.customer)
    items = tuple(_user(user, there and logout.has_domain(user.domain)) for user in page.items)
    return Listing(items=items, page=query.page, size=query.size, total=page.total)


@ops.op(
    "PUT",
    "/api/v1/licenses/{id}/users/{user}",
    "licenses.assign",
    problems=("unknown_license", "license_full", "not_nominal", "not_assignable", "wrong_domain"),
)
async def assign_license(call: Call[AssignmentPath, Nothing, Nothing]) -> Assignment:
    """Assign a nominal license to a user"""
    row = await find_license(call, call.path.id)
    user, domain = named_user(call.path.user, "user")
    if not call.scope.has_domain(domain):
        raise Problem("wrong_domain")
    product = call.services.catalog.products.get(row.product)
    if product is not None and product.device == "none":
        raise Problem("not_assignable")
    done = await call.services.store.assign(
        row.customer,
        row.id,
        user,
        domain=domain,
        combine=product.combine if product else "sum",
        deed=call.caller.deed("licenses.assign", row.id, user=user),
    )
    if done.status in _REFUSED:
        raise Problem(_REFUSED[done.status])
    _log.info("license assigned", by=call.caller.name, customer=row.customer, license=row.id, user=user)
    status: Literal["assigned", "already"] = "assigned" if done.status == "assigned" else "already"
    return Assignment(license=row.id, user=user, status=status, used=done.used, limit=done.limit)


@ops.op(
    "DELETE",
    "/api/v1/licenses/{id}/users/{user}",
    "licenses.assign",
    problems=("unknown_license", "not_assigned"),
)
async def unassign_license(call: Call[AssignmentPath, Nothing, Nothing]) -> None:
    """Take a nominal license back from a user"""
    row = await find_license(call, call.path.id)
    user, domain = named_user(call.path.user, "user")
    deed = call.caller.deed("licenses.unassign", row.id, user=user)
    taken_back = call.scope.has_domain(domain) and await call.services.store.unassign(
        row.customer, row.id, user, deed=deed
    )
    if not taken_back:
        raise Problem("not_assigned")
    _log.info("license taken back", by=call.caller.name, customer=row.customer, license=row.id, user=user)


def _user(row: HolderRow, may_logout: bool) -> LicenseUser:
    return LicenseUser(
        domain=row.domain,
        user=row.user,
        used=row.online,
        sessions=row.sessions,
        since=None if row.since_ms is None else moment(row.since_ms),
        assigned=row.assigned,
        may_logout=may_logout,
    )
