"""Hello: from a token to seats, or to the reason why not."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING

import msgspec
import structlog

from seatd.hub.denials import UNAVAILABLE, deny
from seatd.hub.secret import hashed, new_key
from seatd.hub.wants import wants_of
from seatd.store.values import Denied, Gone, Granted, Opening, StoreUnavailable, Want
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
    if hub.is_full:
        return session.close(codes.OVERLOADED)
    if message.resume and await _resume(session, message.resume):
        return None
    outcome = await _open(session, message)
    if isinstance(outcome, Denied):
        deny(session, outcome)
        if not (message.allow_unseated and _emergency(session, message)):
            return session.close(codes.DENIED)
        await _open_unseated(session)
    return None


def _emergency(session: Session, message: Hello) -> bool:
    """Whether the catalogue lets a client that is denied these products in without a seat."""
    products = session.hub.catalog.products
    return all(products[name].emergency for name in message.need if name in products)


async def _resume(session: Session, resume: Resume) -> bool:
    """True when the session is back, or when the client must try elsewhere."""
    hub, identity = session.hub, session.identity
    session.key, session.secret = resume.session, resume.secret
    with hub.arriving(session):
        ending = await hub.endings.withdraw(session.partition, session.key)
        try:
            answer = await hub.store.attach(
                identity.customer,
                hub.node,
                session=resume.session,
                secret=hashed(resume.secret),
                user=identity.user,
            )
        except StoreUnavailable:
            await hub.park_unsure(session)
            session.close(codes.STORE_LOST)
            return True
        except asyncio.CancelledError:
            hub.spawn(hub.park_unsure(session))
            raise
        resumed = isinstance(answer, Granted)
        hub.metrics.resumes_total.labels("resumed" if resumed else "gone").inc()
        if isinstance(answer, Granted):
            session.device = answer.device or session.device
            _welcome(session, answer)
        elif ending:
            await hub.endings.settle(session.partition, session.key, ending)
    return resumed


async def _open(session: Session, message: Hello) -> Granted | Denied:
    """Draws what the hello asks for; the welcome is sent when it is granted."""
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
    return await _open_with(session, need, want)


async def _open_unseated(session: Session) -> None:
    """The emergency path: a session without seats, with the store or, while that is away, without it."""
    outcome = await _open_with(session, (), (), unseated=True)
    if isinstance(outcome, Denied) and outcome.code == "unavailable":
        _welcome(session, Granted(session=session.key, fence=0, seats=()), stored=False)
    elif isinstance(outcome, Denied):
        session.close(codes.DENIED)


async def _open_with(
    session: Session, need: tuple[Want, ...], want: tuple[Want, ...], *, unseated: bool = False
) -> Granted | Denied:
    hub = session.hub
    session.key, session.secret = new_key(), new_key()
    opening = Opening(
        session=session.key,
        secret=hashed(session.secret),
        user=session.identity.user,
        domain=session.identity.domain,
        device=session.device,
        need=need,
        want=want,
        per_user=hub.options.per_user,
        unseated=unseated,
    )
    with hub.arriving(session):
        try:
            answer = await hub.store.open(session.identity.customer, hub.node, opening)
        except StoreUnavailable:
            await hub.end_unsure(session)
            return UNAVAILABLE
        except asyncio.CancelledError:
            hub.spawn(hub.end_unsure(session))
            raise
        if isinstance(answer, Granted) and session.closing:
            await hub.end_unsure(session)  # its socket is being closed: no welcome, so no session
        elif isinstance(answer, Granted):
            _welcome(session, answer)
            hub.metrics.sessions_opened_total.labels(session.device.kind).inc()
    hub.count_request("open", (item.product for item in need), answer)
    return UNAVAILABLE if isinstance(answer, Gone) else answer


def _welcome(session: Session, granted: Granted, *, stored: bool = True) -> None:
    hub = session.hub
    session.fence, session.stored, session.welcomed = granted.fence, stored, True
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
        )
    )
    hub.add(session)
    hub.metrics.sign_in_seconds.observe(time.monotonic() - session.connected_s)
