"""Administrators: who may sign in, and with which grants. Nobody gives away, changes or sees more than he has himself."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from seatd.licensing.names import MAX_USER, BadName, check_administrator
from seatd.store.access_values import Grant
from seatd.store.administrator_values import Administrator
from seatd.store.administrators import changed
from seatd.store.audit_values import Change
from seatd.web.api.grants import GrantBody, GrantView, given_grant, grant_view
from seatd.web.api.ops import Call, Ops
from seatd.web.api.people import next_generation
from seatd.web.api.shapes import Input, Listing, Moment, Nothing, PageQuery, Search, moment
from seatd.web.api.throttled import fresh_hash
from seatd.web.errors import Problem, invalid
from seatd.web.granting import covers, within
from seatd.web.passwords import LONGEST, fault_of

ops = Ops("administrators")

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_USER)]
Password = Annotated[str, msgspec.Meta(max_length=LONGEST)]
Grants = Annotated[tuple[GrantBody, ...], msgspec.Meta(min_length=1, max_length=50)]


class AdministratorPath(msgspec.Struct, frozen=True, kw_only=True):
    """Which administrator."""

    name: Name


class AdministratorQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of whose name this is a part."""

    search: Search = ""


class NewAdministrator(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Without a password, a sign-in link is the way in."""

    name: Name
    grants: Grants
    password: Password = ""
    must_totp: bool = False


class AdministratorPatch(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be another. `totp` "off" takes away the one-time codes of somebody who has lost his phone."""

    grants: Grants | UnsetType = UNSET
    password: Password | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET
    must_totp: bool | UnsetType = UNSET
    totp: Literal["off"] | UnsetType = UNSET


class AdministratorView(msgspec.Struct, frozen=True, kw_only=True):
    """An administrator: of the grants those that are there for the caller."""

    name: str
    grants: tuple[GrantView, ...]
    has_password: bool
    totp: bool
    must_totp: bool
    disabled: bool
    created: Moment
    created_by: str


@ops.op("GET", "/api/v1/administrators", "administrators.read")
async def list_administrators(call: Call[Nothing, AdministratorQuery, Nothing]) -> Listing[AdministratorView]:
    """Administrators who have a grant with the caller's customers"""
    query = call.query
    found = [
        view
        for one in await call.services.store.administrators()
        if query.search.casefold() in one.name.casefold() and (view := _view(call, one))
    ]
    items = tuple(found[query.offset : query.offset + query.size])
    return Listing(items=items, page=query.page, size=query.size, total=len(found))


@ops.op("GET", "/api/v1/administrators/{name}", "administrators.read", problems=("unknown_administrator",))
async def one_administrator(call: Call[AdministratorPath, Nothing, Nothing]) -> AdministratorView:
    """One administrator"""
    return _shown(call, await call.services.store.administrator(call.path.name))


@ops.op(
    "POST",
    "/api/v1/administrators",
    "administrators.change",
    problems=("administrator_exists", "unknown_customer", "too_many_attempts"),
)
async def create_administrator(call: Call[Nothing, Nothing, NewAdministrator]) -> AdministratorView:
    """Make an administrator, with grants no wider than the caller's"""
    body, now_ms = call.body, call.services.now_ms()
    made = Administrator(
        name=_checked_name(body.name),
        grants=await _given_grants(call, body.grants),
        password_hash=await _hashed(call, body.password, body.name) if body.password else "",
        must_totp=body.must_totp,
        created_ms=now_ms,
        created_by=call.caller.name,
        generation=now_ms,
    )

    async def decide() -> list[Change]:
        if await call.services.store.administrator(made.name) is not None:
            raise Problem("administrator_exists")
        return [changed(None, made)]

    await call.services.store.amend(None, call.caller.deed("administrator.create", made.name), decide)
    return _shown(call, made)


@ops.op(
    "PATCH",
    "/api/v1/administrators/{name}",
    "administrators.change",
    problems=("unknown_administrator", "unknown_customer", "last_operator", "too_many_attempts"),
)
async def change_administrator(
    call: Call[AdministratorPath, Nothing, AdministratorPatch],
) -> AdministratorView:
    """Change an administrator; what he has open ends, unless only `must_totp` changes"""
    store = call.services.store
    own(call, await store.administrator(call.path.name))
    if call.caller.via == "session" and call.path.name == call.caller.name:
        _refuse_shortcuts(call.body)
    new = await _new_fields(call, call.body)
    made: list[Administrator] = []

    async def decide() -> list[Change]:
        before = own(call, await store.administrator(call.path.name))
        made[:] = [before, _with(before, new, call.services.now_ms())]
        await _keep_an_operator(call, before, made[1])
        return [changed(before, made[1])]

    await store.amend(None, call.caller.deed("administrator.change", call.path.name), decide)
    before, after = made
    if after.generation != before.generation:
        await call.console.end_all(after.name)
    return _shown(call, after)


@ops.op(
    "DELETE",
    "/api/v1/administrators/{name}",
    "administrators.change",
    problems=("unknown_administrator", "last_operator"),
)
async def delete_administrator(call: Call[AdministratorPath, Nothing, Nothing]) -> None:
    """Remove an administrator; his sessions are over, the API tokens that he made stay"""
    store = call.services.store

    async def decide() -> list[Change]:
        before = own(call, await store.administrator(call.path.name))
        await _keep_an_operator(call, before, None)
        return [changed(before, None)]

    await store.amend(None, call.caller.deed("administrator.delete", call.path.name), decide)
    await call.console.end_all(call.path.name)


def own(call: Call[Any, Any, Any], found: Administrator | None) -> Administrator:
    """The administrator, if the caller may change all that he has: who has a grant that is wider, or elsewhere, is others' to
    change (`forbidden`), and who has none that is there for the caller is not there (`unknown_administrator`). An API token
    changes nothing of who made it: what must be proven of oneself is not proven by what one has made."""
    if found is None or _view(call, found) is None:
        raise Problem("unknown_administrator")
    if not all(covers(call.caller.grant, grant) for grant in found.grants):
        raise Problem("forbidden", "The administrator has grants that the caller has not.")
    if call.caller.made_by == found.name:
        raise Problem("forbidden", "An API token changes nothing of the administrator who made it.")
    return found


def _view(call: Call[Any, Any, Any], found: Administrator) -> AdministratorView | None:
    there = [
        grant_view(common, number)
        for number, grant in enumerate(found.grants)
        if (common := within(call.caller.grant, grant))
    ]
    if not there:
        return None
    return AdministratorView(
        name=found.name,
        grants=tuple(there),
        has_password=bool(found.password_hash),
        totp=bool(found.totp_secret),
        must_totp=found.must_totp,
        disabled=found.disabled,
        created=moment(found.created_ms),
        created_by=found.created_by,
    )


def _shown(call: Call[Any, Any, Any], found: Administrator | None) -> AdministratorView:
    view = _view(call, found) if found else None
    if view is None:
        raise Problem("unknown_administrator")
    return view


async def _new_fields(call: Call[AdministratorPath, Any, Any], body: AdministratorPatch) -> dict[str, Any]:
    """The fields of an `Administrator` that the body gives; no others can be written."""
    new: dict[str, Any] = {}
    if body.grants is not UNSET:
        new["grants"] = await _given_grants(call, body.grants)
    if body.password is not UNSET:
        new["password_hash"] = await _hashed(call, body.password, call.path.name)
    if body.totp is not UNSET:
        new |= {"totp_secret": "", "totp_pending": ""}
    given = {name: getattr(body, name) for name in ("disabled", "must_totp")}
    return new | {name: value for name, value in given.items() if value is not UNSET}


def _checked_name(name: str) -> str:
    try:
        return check_administrator(name)
    except BadName as error:
        raise invalid("name", str(error)) from None


async def _given_grants(call: Call[Any, Any, Any], bodies: tuple[GrantBody, ...]) -> tuple[Grant, ...]:
    return tuple([await given_grant(call, body, f"grants[{at}]") for at, body in enumerate(bodies)])


async def _hashed(call: Call[Any, Any, Any], password: str, name: str) -> str:
    if fault := fault_of(password, name):
        raise invalid("password", fault)
    return await fresh_hash(call.services, password)


def _refuse_shortcuts(body: AdministratorPatch) -> None:
    """One's own password and codes are changed where they must be proven first; and nobody frees himself of codes."""
    for name in ("password", "totp", "must_totp"):
        if getattr(body, name) is not UNSET:
            raise invalid(name, "one's own is changed in the profile, or by somebody else")


def _with(before: Administrator, new: dict[str, Any], now_ms: int) -> Administrator:
    after = replace(before, **new)
    if replace(after, must_totp=before.must_totp) == before:
        return after
    return replace(after, generation=next_generation(before, now_ms))


async def _keep_an_operator(
    call: Call[Any, Any, Any], before: Administrator, after: Administrator | None
) -> None:
    if not _operates(before) or (after is not None and _operates(after)):
        return
    others = await call.services.store.administrators()
    if not any(_operates(other) for other in others if other.name != before.name):
        raise Problem("last_operator")


def _operates(administrator: Administrator) -> bool:
    """Whether he is an operator who can sign in. (A link ends in minutes: it does not count.)"""
    can_sign_in = bool(administrator.password_hash) and not administrator.disabled
    return can_sign_in and any(grant.role == "operator" for grant in administrator.grants)
