"""An administrator as he sees himself, and what the calls of the profile share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from seatd.store.access_values import Role
from seatd.store.administrator_values import Administrator, SignIn
from seatd.store.administrators import changed
from seatd.store.audit_values import Change
from seatd.web.api.grants import GrantView, grant_view
from seatd.web.api.ops import Call
from seatd.web.api.shapes import Moment, moment
from seatd.web.console import Console
from seatd.web.errors import Problem
from seatd.web.rights import RIGHTS, Reach, reach
from seatd.web.session_cookie import csrf_of


class ProfileView(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls. `grant` is what he acts with now; of an API token there are no other `grants`, and no `csrf`."""

    name: str
    via: str
    grant: GrantView
    grants: tuple[GrantView, ...]
    totp: Annotated[bool, msgspec.Meta(description="signing in takes a one-time code")]
    totp_needed: Annotated[bool, msgspec.Meta(description="nothing else may be done before it is set up")]
    csrf: Annotated[str, msgspec.Meta(description="for the header X-Seatd-CSRF")]
    ends: Moment | None
    rights: Annotated[
        dict[str, Reach],
        msgspec.Meta(description="how far the grant's role reaches, by action; not: nowhere"),
    ]


def rights_of(role: Role) -> dict[str, Reach]:
    """What a role may do anywhere, and how far: what the console shows follows from it."""
    reached = {action: reach(role, action) for action in RIGHTS}
    return {action: far for action, far in reached.items() if far}


def profile_view(console: Console, administrator: Administrator, session: SignIn, secret: str) -> ProfileView:
    """The administrator, within a session."""
    active = console.grant_of(session, administrator)
    if active is None:
        raise Problem("unauthenticated")
    return ProfileView(
        name=administrator.name,
        via="session",
        grant=grant_view(active, session.grant),
        grants=tuple(grant_view(grant, number) for number, grant in enumerate(administrator.grants)),
        totp=bool(administrator.totp_secret),
        totp_needed=console.is_held_up(administrator),
        csrf=csrf_of(secret),
        ends=moment(session.ends_ms),
        rights=rights_of(active.role),
    )


async def person(call: Call[Any, Any, Any]) -> tuple[SignIn, Administrator]:
    """The session that a call is made in, and whose it is, as they are now; the problem `no_session` for an API token."""
    if call.caller.via != "session":
        raise Problem("no_session")
    session = await call.services.store.sign_in(call.caller.id)
    administrator = await call.services.store.administrator(call.caller.name)
    if session is None or administrator is None or administrator.disabled:
        raise Problem("unauthenticated")
    if session.generation != administrator.generation:
        raise Problem("unauthenticated")
    return session, administrator


async def session_anew(
    call: Call[Any, Any, Any], administrator: Administrator, session: SignIn
) -> ProfileView:
    """The session under a new secret, after a change of what it may do; it ends when it would have."""
    secret = await call.console.begin(
        administrator,
        call.address,
        grant=session.grant,
        customer=session.customer,
        ends_ms=session.ends_ms,
        instead_of=call.jar.secret,
    )
    call.jar.keep(secret)
    return profile_view(call.console, administrator, session, secret)


Step = Callable[[Administrator], Administrator]


async def change_person(call: Call[Any, Any, Any], action: str, step: Step) -> Administrator:
    """Changes the record of whoever calls; as it is then."""
    name = call.caller.name
    after: list[Administrator] = []

    async def decide() -> list[Change]:
        before = await call.services.store.administrator(name)
        if before is None:
            raise Problem("unauthenticated")
        after[:] = [step(before)]
        return [changed(before, after[0])]

    await call.services.store.amend(None, call.caller.deed(action, name), decide)
    return after[0]


def next_generation(administrator: Administrator, now_ms: int) -> int:
    """The generation that ends all sessions and links of the present one."""
    return max(now_ms, administrator.generation + 1)
