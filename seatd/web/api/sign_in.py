"""Signing in and out.

A name that is not known, a wrong password, a wrong code and a disabled administrator get the same answer after the same work.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
import structlog
from msgspec.structs import replace

from seatd.store.administrator_values import Administrator
from seatd.store.administrators import changed
from seatd.store.audit_values import Actor, Change, Deed
from seatd.web import totp
from seatd.web.api.ops import Call, OpenCall, Ops
from seatd.web.api.people import ProfileView, profile_view
from seatd.web.api.shapes import Input, Nothing
from seatd.web.api.throttled import throttled
from seatd.web.errors import Problem, invalid
from seatd.web.passwords import Busy
from seatd.web.session_cookie import digest_of

ops = Ops("sign-in")
_log = structlog.get_logger(__name__)

REFUSED = "sign_in_refused"
Typed = Annotated[str, msgspec.Meta(max_length=254)]
Password = Annotated[str, msgspec.Meta(max_length=256)]
Code = Annotated[str, msgspec.Meta(max_length=16)]


class SignInBody(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A name and a password, or the secret of a sign-in link; and the one-time code of an administrator who has one."""

    name: Typed = ""
    password: Password = ""
    code: Code = ""
    link: Typed = ""


OpenSignIn = OpenCall[Nothing, Nothing, SignInBody]


@ops.open("POST", "/api/v1/sign-in", problems=(REFUSED, "too_many_attempts"))
async def sign_in(call: OpenCall[Nothing, Nothing, SignInBody]) -> ProfileView:
    """Sign in: the answer sets the session's cookie"""
    body = call.body
    if bool(body.link) == bool(body.name):
        raise invalid("name", "give a name and a password, or a link")
    administrator = await (_by_link(call) if body.link else _by_password(call))
    secret = await call.console.begin(administrator, call.address, instead_of=call.jar.secret)
    _log.info("signed in", administrator=administrator.name, address=call.address)
    call.jar.keep(secret)
    session = await call.services.store.sign_in(digest_of(secret))
    if session is None:
        raise Problem(REFUSED)
    return profile_view(call.console, administrator, session, secret)


@ops.op("POST", "/api/v1/sign-out", "profile")
async def sign_out(call: Call[Nothing, Nothing, Nothing]) -> None:
    """Sign out: the session is over"""
    if call.caller.via == "session":
        await call.console.end(call.caller.id)
        call.jar.drop()


async def _by_password(call: OpenSignIn) -> Administrator:
    store, name = call.services.store, call.body.name
    async with throttled(call.services, name, call.address, REFUSED):
        found = await store.administrator(name)
        kept = found.password_hash if found else ""
        good = await call.services.passwords.check(call.body.password, kept)
        if found is None or found.disabled or not good or not await _code_fits(call, found):
            raise _refused(call, found)
    if call.services.passwords.is_outdated(kept):
        return await _rehashed(call, found)
    return found


async def _by_link(call: OpenSignIn) -> Administrator:
    """Whoever makes a link does so instead of a password; a one-time code is needed all the same."""
    store, digest = call.services.store, digest_of(call.body.link)
    link = await store.link(digest)
    async with throttled(call.services, link.name if link else "", call.address, REFUSED):
        found = await store.administrator(link.name) if link else None
        if link is None or found is None or found.disabled or link.ends_ms <= call.services.now_ms():
            raise _refused(call, found)
        if link.generation != found.generation or not await _code_fits(call, found):
            raise _refused(call, found)
        if not await store.use_link(digest):
            raise _refused(call, found)
    return found


def _refused(call: OpenSignIn, found: Administrator | None) -> Problem:
    """The one answer to all that is wrong. The log names whom there is, never what was typed: it may be a password."""
    _log.warning("sign-in refused", administrator=found.name if found else "", address=call.address)
    return Problem(REFUSED)


async def _code_fits(call: OpenSignIn, administrator: Administrator) -> bool:
    """Asked for last: only who knows the password may use a code up."""
    secret = administrator.totp_secret
    if not secret:
        return True
    step = totp.step_of(secret, call.body.code, call.services.now_ms())
    return step is not None and await call.services.store.use_code(administrator.name, step)


async def _rehashed(call: OpenSignIn, administrator: Administrator) -> Administrator:
    """The password is known now: its hash gets the cost that is asked for today, unless too many others are being made."""
    try:
        fresh = await call.services.passwords.hash(call.body.password)
    except Busy:
        return administrator  # the next sign-in will do it
    deed = Deed(
        by=Actor(name=administrator.name, role=administrator.grants[0].role, address=call.address),
        action="profile.rehash",
        target=administrator.name,
    )
    after = replace(administrator, password_hash=fresh)

    async def decide() -> list[Change]:
        present = await call.services.store.administrator(administrator.name)
        return [changed(administrator, after)] if present == administrator else []

    await call.services.store.amend(None, deed, decide)
    return after
