"""Forced logout, with the proof of what was delivered where and how fast."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from seatd.hub.receipts import Receipt
from seatd.hub.targets import LogoutTargets
from seatd.licensing.names import canonical_domain
from seatd.web.api.license_rows import find_license
from seatd.web.api.ops import Call, Ops
from seatd.web.api.sessions import DeviceView, device_view
from seatd.web.api.shapes import Input, Nothing, named_user
from seatd.web.caller import Scope
from seatd.web.errors import FieldError, Problem

WAIT_S = 5.0  # a client has 2 s for its ack; the rest is for a slow store and a distant node
MESSAGE = "An administrator has signed you out."

ops = Ops("logout")

# No control character, also no line break at the end, which `$` would let through in Python.
_PLAIN = r"^(?![\s\S]*[\x00-\x1f\x7f-\x9f\u2028\u2029])"

UserName = Annotated[str, msgspec.Meta(min_length=3, max_length=254, description="name@domain")]
SessionId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Named = Annotated[str, msgspec.Meta(min_length=1, max_length=253)]


class LogoutBody(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to force out: at least one target. `customer` alone is everybody in it; beside others it narrows
    them. `reason` is shown to the person; `cooldown_s` is how long a user is refused afterwards."""

    users: Annotated[tuple[UserName, ...], msgspec.Meta(max_length=1000)] = ()
    sessions: Annotated[tuple[SessionId, ...], msgspec.Meta(max_length=100)] = ()
    license: Named | None = None
    domain: Named | None = None
    customer: Named | None = None
    reason: Annotated[str, msgspec.Meta(max_length=200, pattern=_PLAIN)] = ""
    cooldown_s: Annotated[int, msgspec.Meta(ge=0, le=86400)] | None = None


class LogoutReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one session. `outcome`: `acknowledged` by the client; `closed`: its client closed
    the socket without a word; `offline`: it had no socket; `pending`: not known yet, its seat is free when its lease ends."""

    session: str
    user: str
    device: DeviceView
    node: str
    delivered: bool
    acknowledged: bool
    milliseconds: int | None
    outcome: Literal["acknowledged", "closed", "offline", "pending"]


class LogoutAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One receipt per session that was live; `logged_out` counts them."""

    sessions: tuple[LogoutReceipt, ...]
    logged_out: int


@ops.op(
    "POST",
    "/api/v1/logout",
    "logout",
    problems=("no_target", "unknown_session", "unknown_license", "unknown_customer", "unknown_domain"),
)
async def force_logout(call: Call[Nothing, Nothing, LogoutBody]) -> LogoutAnswer:
    """Force users out"""
    services, body = call.services, call.body
    targets = await _targets(call.scope, body)
    await _check_known(call, targets)
    receipts = await services.hub.logouts.logout(
        targets,
        message=body.reason or MESSAGE,
        cooldown_s=services.cooldown_s if body.cooldown_s is None else body.cooldown_s,
        by=call.caller.name,
        deed=call.caller.deed("logout", reason=body.reason),
        wait_s=WAIT_S,
    )
    return LogoutAnswer(sessions=tuple(map(_receipt, receipts)), logged_out=len(receipts))


async def _targets(scope: Scope, body: LogoutBody) -> LogoutTargets:
    if not (body.users or body.sessions or body.license or body.domain or body.customer):
        raise Problem("no_target", "Give users, sessions, license, domain or customer.")
    users = (named_user(user, f"users[{place}]")[0] for place, user in enumerate(body.users))
    domain = body.domain and canonical_domain(body.domain)
    return LogoutTargets(
        users=tuple(dict.fromkeys(users)),
        sessions=tuple(dict.fromkeys(body.sessions)),
        license=body.license,
        domain=domain,
        customer=body.customer,
        customers=tuple(await scope.customers()),
        domains=scope.domains,
    )


async def _check_known(call: Call[Any, Any, Any], targets: LogoutTargets) -> None:
    """A mistyped target is told before anybody is forced out: all of it or nothing."""
    if targets.customer is not None and targets.customer not in (targets.customers or ()):
        raise Problem("unknown_customer")
    _check_domains(targets)
    if targets.license is not None:
        row = await find_license(call, targets.license)
        if targets.customer not in (None, row.customer):
            raise Problem("unknown_license")
    unknown = []
    for place, session in enumerate(targets.sessions):
        found = await call.services.store.session(session)
        if found is None or not targets.has(found):
            unknown.append(FieldError(path=f"sessions[{place}]", message="there is no such session"))
    if unknown:
        raise Problem("unknown_session", errors=tuple(unknown))


def _check_domains(targets: LogoutTargets) -> None:
    """Whoever may force out users of some domains only is told of all others as of domains that are not there."""
    named = [(f"users[{place}]", user.rpartition("@")[2]) for place, user in enumerate(targets.users)]
    named += [("domain", targets.domain)] if targets.domain else []
    foreign = [
        path for path, domain in named if targets.domains is not None and domain not in targets.domains
    ]
    if foreign:
        message = "there is no such domain"
        raise Problem(
            "unknown_domain", errors=tuple(FieldError(path=path, message=message) for path in foreign)
        )


def _receipt(receipt: Receipt) -> LogoutReceipt:
    return LogoutReceipt(
        session=receipt.session,
        user=receipt.user,
        device=device_view(receipt.device),
        node=receipt.node,
        delivered=receipt.delivered,
        acknowledged=receipt.acknowledged,
        milliseconds=receipt.milliseconds,
        outcome=receipt.outcome,
    )
