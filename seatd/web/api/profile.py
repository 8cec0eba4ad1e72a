"""What people do to themselves: who am I, another password, acting for another customer, ending sessions."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec.structs import replace

from seatd.store.access_values import Grant
from seatd.store.administrator_values import Administrator, SignIn
from seatd.web.api.grants import grant_view
from seatd.web.api.ops import Call, Ops
from seatd.web.api.people import (
    ProfileView,
    change_person,
    next_generation,
    person,
    profile_view,
    rights_of,
    session_anew,
)
from seatd.web.api.shapes import Input, Listing, Moment, Nothing, PageQuery, moment
from seatd.web.api.throttled import fresh_hash, throttled
from seatd.web.errors import Problem, invalid
from seatd.web.granting import narrowed
from seatd.web.passwords import LONGEST, fault_of

ops = Ops("profile")


class PasswordBody(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The present password (none, for who has signed in by a link and has none yet), and the new one."""

    old: Annotated[str, msgspec.Meta(max_length=LONGEST)] = ""
    new: Annotated[str, msgspec.Meta(max_length=LONGEST)]


class SwitchBody(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to act with: a grant by its number, for one customer of it alone when `customer` is given; or only the customer."""

    grant: Annotated[int, msgspec.Meta(ge=0, le=1000)] | None = None
    customer: Annotated[str, msgspec.Meta(max_length=64)] = ""


class ConsoleSessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A session in the console. `present`: the one that asks."""

    created: Moment
    seen: Moment
    ends: Moment
    address: str
    present: bool


class EndQuery(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`keep_present`: all but the one that asks."""

    keep_present: bool = False


class EndedView(msgspec.Struct, frozen=True, kw_only=True):
    """How many sessions were ended."""

    ended: int


@ops.op("GET", "/api/v1/profile", "profile")
async def profile(call: Call[Nothing, Nothing, Nothing]) -> ProfileView:
    """Who calls, and what he acts with"""
    if call.caller.via == "session":
        session, administrator = await person(call)
        return profile_view(call.console, administrator, session, call.jar.secret)
    view = grant_view(call.caller.grant)
    ends = None if call.caller.ends_ms is None else moment(call.caller.ends_ms)
    return ProfileView(
        name=call.caller.name, via="token", grant=view, grants=(), totp=False, totp_needed=False, csrf="",
        ends=ends, rights=rights_of(call.caller.grant.role),
    )  # fmt: skip


@ops.op(
    "PUT",
    "/api/v1/profile/password",
    "profile",
    problems=("no_session", "wrong_password", "too_many_attempts"),
)
async def change_password(call: Call[Nothing, Nothing, PasswordBody]) -> ProfileView:
    """Change the own password; all other sessions end"""
    session, administrator = await person(call)
    if fault := fault_of(call.body.new, administrator.name):
        raise invalid("new", fault)
    await prove_password(call, administrator, call.body.old)
    fresh = await fresh_hash(call.services, call.body.new)

    def step(before: Administrator) -> Administrator:
        if before.generation != administrator.generation:
            raise Problem("unauthenticated")
        generation = next_generation(before, call.services.now_ms())
        return replace(before, password_hash=fresh, generation=generation)

    after = await change_person(call, "profile.password", step)
    return await session_anew(call, after, session)


@ops.op(
    "POST",
    "/api/v1/profile/switch",
    "profile",
    problems=("no_session", "unknown_grant", "unknown_customer"),
)
async def switch(call: Call[Nothing, Nothing, SwitchBody]) -> ProfileView:
    """Act with another grant, or for one customer alone; the session goes on under a new secret"""
    session, administrator = await person(call)
    if call.body.grant is None and not call.body.customer:
        raise invalid("grant", "give a grant, a customer, or both")
    number = _grant_number(administrator, call.body)
    if call.body.customer and not await call.services.store.has_customer(call.body.customer):
        raise Problem("unknown_customer")
    to = replace(session, grant=number, customer=call.body.customer)
    return await session_anew(call, administrator, to)


@ops.op("GET", "/api/v1/profile/sessions", "profile", problems=("no_session",))
async def my_sessions(call: Call[Nothing, PageQuery, Nothing]) -> Listing[ConsoleSessionView]:
    """The own sessions"""
    await person(call)
    found = await call.console.sessions(call.caller.name)
    views = [_session_view(session, digest == call.caller.id) for digest, session in found.items()]
    query = call.query
    items = tuple(views[query.offset : query.offset + query.size])
    return Listing(items=items, page=query.page, size=query.size, total=len(views))


@ops.op("DELETE", "/api/v1/profile/sessions", "profile", problems=("no_session",))
async def end_my_sessions(call: Call[Nothing, EndQuery, Nothing]) -> EndedView:
    """End all own sessions"""
    await person(call)
    keep = call.caller.id if call.query.keep_present else ""
    if not keep:
        call.jar.drop()
    return EndedView(ended=await call.console.end_all(call.caller.name, but=keep))


async def prove_password(call: Call[Any, Any, Any], administrator: Administrator, password: str) -> None:
    """The problem `wrong_password`, unless it is the administrator's; who has none yet has nothing to prove."""
    kept = administrator.password_hash
    if not kept:
        return
    async with throttled(call.services, administrator.name, call.address, "wrong_password"):
        if not await call.services.passwords.check(password, kept):
            raise Problem("wrong_password")


def _grant_number(administrator: Administrator, body: SwitchBody) -> int:
    """The grant that is meant: the one of that number, or the first one that counts for the customer."""

    def fits(grant: Grant) -> bool:
        return not body.customer or narrowed(grant, body.customer) is not None

    if body.grant is None:
        fitting = [number for number, grant in enumerate(administrator.grants) if fits(grant)]
        if not fitting:
            raise Problem("unknown_customer")
        return fitting[0]
    if body.grant >= len(administrator.grants):
        raise Problem("unknown_grant")
    if not fits(administrator.grants[body.grant]):
        raise Problem("unknown_customer")
    return body.grant


def _session_view(session: SignIn, present: bool) -> ConsoleSessionView:
    return ConsoleSessionView(
        created=moment(session.created_ms),
        seen=moment(session.seen_ms),
        ends=moment(session.ends_ms),
        address=session.address,
        present=present,
    )
