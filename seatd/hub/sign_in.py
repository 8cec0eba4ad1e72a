"""Hello: from a token to seats, or to the reason why not."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING

import msgspec
import structlog

from seatd.hub.denials import UNAVAILABLE, deny, note
from seatd.hub.secret import hashed, new_key
from seatd.hub.waiter import Waiter
from seatd.hub.wants import wants_of
from seatd.store.values import Denied, Gone, Granted, Opening, Queued, StoreUnavailable, Want
from seatd_protocol import codes
from seatd_protocol.codec import MAX_FRAME
from seatd_protocol.messages import Hello, Resume, Welcome

if TYPE_CHECKING:
    from seatd.hub.session import Session

log = structlog.get_logger(__name__)


async def hello(session: Session, message: Hello) -> None:
    """Signs the client in: `welcome`, or `denied` and then the end (or the emergency path)."""
    hub = session.hub
    session.identity = await hub.tokens.check(message.token)
    session.device = message.device
    comes_back = message.resume is not None
    if hub.admission.refuses_hello(comes_back=comes_back):
        note(session, Denied(code="overloaded", product=next(iter(message.need), None)))
        return session.close(codes.OVERLOADED)
    async with hub.admission.hello(comes_back=comes_back):
        if not session.is_gone:
            await _answered(session, message)
    return None


async def _answered(session: Session, message: Hello) -> None:
    if message.resume and await _resume(session, message.resume):
        return
    outcome = await _open(session, message)
    if isinstance(outcome, Denied):
        await refuse(session, message, outcome)


async def refuse(session: Session, message: Hello, denial: Denied) -> None:
    """Tells the client that there is no seat; then it is the end, or the emergency path."""
    deny(session, denial)
    if not (message.allow_unseated and _emergency(session, message)):
        return session.close(codes.DENIED)
    outcome = await _open_with(session, Asked())
    if isinstance(outcome, Denied) and outcome.code == "unavailable":
        if session.closing is not None:  # it has left meanwhile, and the hub has been told so
            return None
        welcome(session, Granted(session=session.key, fence=0, seats=()), stored=False)
    elif isinstance(outcome, Denied):
        session.close(codes.DENIED)
    return None


def _emergency(session: Session, message: Hello) -> bool:
    """Whether the catalogue lets a client that is denied these products in without a seat."""
    products = session.hub.catalog.products
    return all(products[name].emergency for name in message.need if name in products)


async def _resume(session: Session, resume: Resume) -> bool:
    """True when the session is back, or when the client must try elsewhere."""
    hub, identity = session.hub, session.identity
    session.key, session.secret = resume.session, resume.secret
    with hub.orders.arriving(session):
        ending = await hub.endings.withdraw(session.partition, session.key)
        try:
            answer = await hub.store.attach(
                identity.customer,
                hub.node,
                session=resume.session,
                secret=hashed(resume.secret),
                user=identity.user,
                claim=hub.tickets.read(resume, identity, session.device),
            )
        except StoreUnavailable:
            await hub.departures.park_unsure(session)
            session.close(codes.STORE_LOST)
            return True
        except asyncio.CancelledError:
            hub.spawn(hub.departures.park_unsure(session))
            raise
        resumed = isinstance(answer, Granted)
        hub.metrics.resumes_total.labels("resumed" if resumed else "gone").inc()
        if isinstance(answer, Granted):
            session.device = answer.device or session.device
            welcome(session, answer)
        elif ending:
            await hub.endings.settle(session.partition, session.key, ending)
    return resumed


async def _open(session: Session, message: Hello) -> Granted | Queued | Denied:
    """Draws what the hello asks for; the welcome is sent when it is granted, the place when it is to wait."""
    catalog, identity, device = session.hub.catalog, session.identity, session.device
    need = wants_of(catalog, message.need, identity, device)
    if isinstance(need, Denied):
        return need
    each = (wants_of(catalog, (product,), identity, device) for product in message.want)
    groups = zip(message.want, each, strict=True)
    want = tuple(
        msgspec.structs.replace(item, group=product)
        for product, wants in groups
        if not isinstance(wants, Denied)
        for item in wants
    )
    return await _open_with(session, Asked(need=need, want=want, hello=message))


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a session is opened with: what its hello asks for, or nothing (the emergency path, `hello` None)."""

    need: tuple[Want, ...] = ()
    want: tuple[Want, ...] = ()
    hello: Hello | None = None


async def _open_with(session: Session, asked: Asked) -> Granted | Queued | Denied:
    """Opens a session in the store; the client is told of its seats or of its place, not of a denial."""
    hub, hello = session.hub, asked.hello
    if (asked.need or asked.want) and not hub.leases.may_grant(session.partition):
        return UNAVAILABLE
    session.key, session.secret = new_key(), new_key()
    opening = Opening(
        session=session.key,
        secret=hashed(session.secret),
        user=session.identity.user,
        domain=session.identity.domain,
        device=session.device,
        need=asked.need,
        want=asked.want,
        groups=tuple(sorted(session.identity.groups)),
        per_user=hub.options.per_user,
        unseated=hello is None,
        wait=hello is not None and hello.wait_s > 0,
        priority=session.identity.priority,
        queue_limit=hub.options.queue_limit,
    )
    with hub.orders.arriving(session):
        try:
            answer = await hub.store.open(session.identity.customer, hub.node, opening)
        except StoreUnavailable:
            await hub.departures.end_unsure(session)
            return UNAVAILABLE
        except asyncio.CancelledError:
            hub.spawn(hub.departures.end_unsure(session))
            raise
        if isinstance(answer, Denied):
            session.denied_by_store = answer
        await _settle_in(session, asked, answer)
    hub.count_request("open", (item.product for item in asked.need), answer)
    return UNAVAILABLE if isinstance(answer, Gone) else answer


async def _settle_in(session: Session, asked: Asked, answer: Granted | Queued | Denied | Gone) -> None:
    hub = session.hub
    if session.closing is codes.MOVING and isinstance(answer, Queued):
        await hub.departures.park_unsure(session)  # the place is there for its hello elsewhere
    elif session.closing and isinstance(answer, Granted | Queued):
        await hub.departures.end_unsure(session)  # its socket is being closed: no welcome, so no session
    elif isinstance(answer, Granted):
        need = tuple(want.product for want in asked.need)
        welcome(session, msgspec.structs.replace(answer, need=need))
    elif isinstance(answer, Queued) and asked.hello is not None:
        session.fence, session.stored = 1, True
        hub.register(session, "waiting")
        products = frozenset(want.product for want in asked.need)
        hub.queue.wait(
            Waiter(session, answer, products, hello=asked.hello, need=asked.need, want=asked.want),
            asked.hello.wait_s,
        )


def welcome(session: Session, granted: Granted, *, stored: bool = True) -> None:
    """The session is live: tells the client, and begins to beat."""
    hub = session.hub
    session.fence, session.stored, session.welcomed = granted.fence, stored, True
    session.need, session.known_busy = granted.need, granted.busy
    session.since_ms = session.since_ms or int(time.time() * 1000)
    session.hold(granted.seats)
    session.send(
        Welcome(
            session=session.key,
            secret=session.secret,
            resumed=granted.resumed,
            user=session.identity.user,
            domain=session.identity.domain,
            node=hub.options.name,
            seats=granted.seats,
            sections=session.sections,
            beat_s=math.ceil(hub.options.beat_s),
            lease_s=int(hub.options.client_lease_s),
            linger_s=int(hub.options.linger_s),
            server_ms=int(time.time() * 1000),
            max_frame=MAX_FRAME,
            token_ttl_s=max(0, int(session.identity.expires_s - time.time())),
            ticket=hub.tickets.issue(session),
        )
    )
    if granted.losing is not None:
        session.loses(granted.losing)
    hub.policies.welcomed(session)
    hub.register(session, "attached")
    if not granted.resumed:
        hub.metrics.sessions_opened_total.labels(session.device.kind).inc()
    hub.metrics.sign_in_seconds.observe(time.monotonic() - session.connected_s)
