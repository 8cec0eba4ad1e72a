"""One-time codes of whoever calls: set up in two steps, so nobody is locked out by a code that no app knows."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec.structs import replace

from seatd.store.administrator_values import Administrator
from seatd.web import totp
from seatd.web.api.ops import Call, Ops
from seatd.web.api.people import ProfileView, change_person, next_generation, person, session_anew
from seatd.web.api.profile import prove_password
from seatd.web.api.shapes import Input, Nothing
from seatd.web.api.throttled import throttled
from seatd.web.errors import Problem
from seatd.web.passwords import LONGEST

ops = Ops("profile")


class BeginBody(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The present password; none, for who has none. A present one-time code, of who has codes already."""

    password: Annotated[str, msgspec.Meta(max_length=LONGEST)] = ""
    code: Annotated[str, msgspec.Meta(max_length=16)] = ""


class CodeBody(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A one-time code."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=16)]


class TotpView(msgspec.Struct, frozen=True, kw_only=True):
    """What an authenticator app is given; it is shown this once."""

    secret: str
    uri: str


PROBLEMS = ("no_session", "wrong_code", "too_many_attempts")


@ops.op(
    "POST",
    "/api/v1/profile/totp",
    "profile",
    problems=("no_session", "wrong_password", "wrong_code", "too_many_attempts"),
)
async def begin_totp(call: Call[Nothing, Nothing, BeginBody]) -> TotpView:
    """Begin to set up one-time codes: a secret, which counts once a code of it was sent"""
    _, administrator = await person(call)
    await prove_password(call, administrator, call.body.password)
    if administrator.totp_secret:
        await _prove_code(call, administrator, administrator.totp_secret, call.body.code)
    secret = totp.new_secret()

    def step(before: Administrator) -> Administrator:
        if before.generation != administrator.generation:
            raise Problem("unauthenticated")
        return replace(before, totp_pending=secret)

    await change_person(call, "profile.totp.begin", step)
    return TotpView(secret=secret, uri=totp.uri(secret, administrator.name))


@ops.op("PUT", "/api/v1/profile/totp", "profile", problems=PROBLEMS)
async def confirm_totp(call: Call[Nothing, Nothing, CodeBody]) -> ProfileView:
    """Set up one-time codes: signing in takes one from now on; all other sessions end"""
    session, administrator = await person(call)
    pending = administrator.totp_pending
    await _prove_code(call, administrator, pending, call.body.code)

    def step(before: Administrator) -> Administrator:
        if before.totp_pending != pending or before.generation != administrator.generation:
            raise Problem("wrong_code")
        return _with_secret(before, pending, call.services.now_ms())

    return await session_anew(call, await change_person(call, "profile.totp.confirm", step), session)


@ops.op("DELETE", "/api/v1/profile/totp", "profile", problems=(*PROBLEMS, "totp_needed"))
async def remove_totp(call: Call[Nothing, Nothing, CodeBody]) -> ProfileView:
    """Do without one-time codes, where they are not required; all other sessions end"""
    session, administrator = await person(call)
    if call.console.needs_totp(administrator):
        raise Problem("totp_needed", "One-time codes are required.")
    await _prove_code(call, administrator, administrator.totp_secret, call.body.code)

    def step(before: Administrator) -> Administrator:
        if before.generation != administrator.generation:
            raise Problem("wrong_code")
        return _with_secret(before, "", call.services.now_ms())

    return await session_anew(call, await change_person(call, "profile.totp.remove", step), session)


async def _prove_code(
    call: Call[Any, Any, Any], administrator: Administrator, secret: str, code: str
) -> None:
    async with throttled(call.services, administrator.name, call.address, "wrong_code"):
        step = totp.step_of(secret, code, call.services.now_ms()) if secret else None
        if step is None or not await call.services.store.use_code(administrator.name, step):
            raise Problem("wrong_code")


def _with_secret(before: Administrator, secret: str, now_ms: int) -> Administrator:
    return replace(before, totp_secret=secret, totp_pending="", generation=next_generation(before, now_ms))
