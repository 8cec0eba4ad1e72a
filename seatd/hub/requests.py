"""What a client may ask within a session: acquire, release, refresh, take over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatd.hub.denials import UNAVAILABLE, deny
from seatd.hub.fitting import fitting
from seatd.hub.waiter import Waiter
from seatd.hub.wants import wants_of, with_add_ons
from seatd.store import values
from seatd.store.values import Denied, Gone, StoreUnavailable
from seatd_protocol import codes
from seatd_protocol.messages import (
    Acquire,
    Error,
    Granted,
    Release,
    Released,
    SessionInfo,
    Sessions,
    TakeOver,
)

if TYPE_CHECKING:
    from seatd.hub.session import Session

SHOWN_SESSIONS = 16
"""Own sessions told to a user at the most: a frame has its limit."""


async def acquire(session: Session, message: Acquire) -> None:
    """Further products: `granted` with the seats for them, or `denied`; the session goes on either way."""
    hub = session.hub
    wants = wants_of(hub.catalog, message.products, session.identity, session.device)
    if isinstance(wants, Denied):
        return deny(session, wants, message.ref)
    if message.wait_s > 0 and not await hub.queue.end(session):
        return deny(session, UNAVAILABLE, message.ref)
    with hub.orders.arriving(session):  # its turn may come before the answer that sends it to the queue
        _answer(session, message, wants, await _draw(session, wants, message))
    return None


def _answer(
    session: Session,
    message: Acquire,
    wants: tuple[values.Want, ...],
    outcome: values.Granted | values.Queued | Denied | Gone,
) -> None:
    match outcome:
        case values.Queued():
            products = frozenset(want.product for want in wants)
            waiter = Waiter(session, outcome, products, ref=message.ref, need=wants)
            session.hub.queue.wait(waiter, message.wait_s)
        case Gone():
            pass  # its client is being told why
        case Denied():
            deny(session, outcome, message.ref)
        case values.Granted():
            session.hold(outcome.seats)
            asked = {want.product for want in wants}
            seats = tuple(seat for seat in outcome.seats if seat.product in asked)
            session.send(Granted(ref=message.ref, seats=seats, sections=session.sections))


async def _draw(
    session: Session, need: tuple[values.Want, ...], message: Acquire
) -> values.Granted | values.Queued | Denied | Gone:
    hub = session.hub
    if not session.stored or not hub.leases.may_grant(session.partition):
        return UNAVAILABLE
    if not await hub.departures.acquires_are_settled(session):
        return UNAVAILABLE
    try:
        outcome = await hub.store.acquire(
            session.identity.customer,
            session=session.key,
            fence=session.fence,
            need=need,
            groups=tuple(sorted(session.identity.groups)),
            ref=message.ref,
            wait=message.wait_s > 0,
            priority=session.identity.priority,
            queue_limit=hub.options.queue_limit,
        )
    except StoreUnavailable:
        await hub.departures.undo_acquire(session, [want.product for want in need], waits=message.wait_s > 0)
        return UNAVAILABLE
    if isinstance(outcome, Gone) and not await _lose(session):
        return UNAVAILABLE
    if isinstance(outcome, Denied):
        session.denied_by_store = outcome
    hub.count_request("acquire", (want.product for want in need), outcome)
    return outcome


async def _lose(session: Session) -> bool:
    """The store says that the session is no longer this node's: closes the socket, unless an order says why.

    The store's answer may overtake that order, so orders are read first: who is forced out hears the logout. While this
    node's lease is over the session may only have been parked: then its client resumes it. False: nothing was done, for
    the store is away, or must first be told what lives here.
    """
    leases, number = session.hub.leases, session.partition
    was_over = leases.lapsed_s(number) > 0
    heard = leases.is_settled(number) and await leases.hear(number)
    if session.leaving:
        return True
    if heard and was_over:
        session.close(codes.LEASE_LOST)
    elif heard and leases.is_settled(number):
        session.replace()
    return session.closing is not None


async def release(session: Session, message: Release) -> None:
    """Gives products back, and with a base its add-ons: `released` with what was really held."""
    hub = session.hub
    if not any(product in session.seats for product in message.products):
        text = "The session holds none of these products."
        return session.send(Error(ref=message.ref, code="not_held", message=text, temporary=False))
    products = with_add_ons(hub.catalog, message.products, tuple(session.seats))
    given_back = tuple(seat for seat in session.seats.values() if seat.product in products)
    # Told to a store that recovers meanwhile, what is being given back would come to life again.
    session.hold(tuple(seat for seat in session.seats.values() if seat.product not in products))
    try:
        outcome = await hub.store.release(
            session.identity.customer, session=session.key, fence=session.fence, products=products
        )
    except StoreUnavailable:
        session.hold((*session.seats.values(), *given_back))
        return session.send(_away(message.ref))
    if isinstance(outcome, Gone):
        session.hold((*session.seats.values(), *given_back))
        return None if await _lose(session) else session.send(_away(message.ref))
    session.hold(outcome.seats)
    session.send(Released(ref=message.ref, products=outcome.products, sections=session.sections))
    return None


async def refresh(session: Session, token: str) -> None:
    """A newer token of the same user; anybody else's closes the socket."""
    identity = await session.hub.tokens.check(token)
    if session.leaving:
        return None
    if (identity.user, identity.customer) != (session.identity.user, session.identity.customer):
        return session.close(codes.FORBIDDEN)
    return session.renew_token(identity)


async def take_over(session: Session, message: TakeOver) -> None:
    """Ends another session of the same user; answers the sessions that the user then has."""
    hub, identity = session.hub, session.identity
    try:
        if await _is_busy(session, message.session):
            text = "There is a call going on in that session."
            return session.send(Error(ref=message.ref, code="busy_elsewhere", message=text, temporary=True))
        ended = await hub.logouts.take_over(identity, message.session, own=session.key)
        page = await hub.store.sessions(
            customer=identity.customer, user=identity.user, offset=0, size=SHOWN_SESSIONS
        )
    except StoreUnavailable:
        return session.send(_away(message.ref))
    if not ended:
        text = "You have no other session of that id."
        return session.send(Error(ref=message.ref, code="unknown_session", message=text, temporary=False))
    infos = tuple(
        SessionInfo(session=row.session, device=row.device, since_ms=row.since_ms, seats=row.seats)
        for row in page.items
        if row.state != "draining"
    )
    session.send(fitting(session.codec, Sessions(ref=message.ref, sessions=infos)))
    return None


async def _is_busy(session: Session, other: str) -> bool:
    row = await session.hub.store.session_of(session.identity.customer, session.identity.user, other)
    return row is not None and row.busy


def _away(ref: int) -> Error:
    text = "The seat store is away; try again in a moment."
    return Error(ref=ref, code="unavailable", message=text, temporary=True)
