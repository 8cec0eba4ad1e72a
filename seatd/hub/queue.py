"""Those of this node's clients who wait for a seat: their places, their turn, and the end of their patience."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING

import structlog
from prometheus_client import Gauge

from seatd.hub import sign_in
from seatd.hub.denials import deny
from seatd.hub.waiter import Waiter
from seatd.store import values
from seatd.store.values import Denied, Order, StoreUnavailable
from seatd_protocol.messages import Granted, Queued

if TYPE_CHECKING:
    from seatd.hub.hub import Hub
    from seatd.hub.session import Session

log = structlog.get_logger(__name__)

RETRY_S = 1.0


class Queue:
    """The waiters of this node, by session."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._waiters: dict[str, Waiter] = {}
        self._asking: set[str] = set()

    def wait(self, waiter: Waiter, wait_s: float) -> None:
        """A request has gone to the queue: its client is told its place, and waits `wait_s` at the most."""
        older = self._waiters.get(waiter.session.key)
        self.forget(waiter.session)
        if older is not None:
            deny(waiter.session, Denied(code="wait_timeout", product=older.place.product), older.ref)
        self._waiters[waiter.session.key] = waiter
        self._gauge(waiter).inc()
        waiter.timer = asyncio.get_running_loop().call_later(wait_s, self._give_up, waiter)
        self._tell(waiter)

    def forget(self, session: Session) -> None:
        """The session no longer waits."""
        waiter = self._waiters.pop(session.key, None)
        if waiter is not None:
            self._gauge(waiter).dec()
            if waiter.timer is not None:
                waiter.timer.cancel()

    def granted(self, session: Session, order: Order) -> None:
        """The session's turn has come."""
        waiter = self._waiters.get(order.session)
        if waiter is None:
            return session.hold(order.seats)  # it gave up a moment too late: it has the seats all the same
        self.forget(session)
        self._hub.metrics.queue_wait_seconds.observe(time.monotonic() - waiter.since_s)
        if waiter.ref is None:
            granted = values.Granted(session=session.key, fence=order.fence, seats=order.seats)
            return sign_in.welcome(session, granted)
        session.hold(order.seats)
        seats = tuple(seat for seat in order.seats if seat.product in waiter.products)
        return session.send(Granted(ref=waiter.ref, seats=seats, sections=session.sections))

    def refused(self, order: Order) -> None:
        """The session can no longer be served, whatever becomes free."""
        waiter = self._waiters.get(order.session)
        if waiter is not None:
            denial = Denied(code=order.code, product=order.product)
            self._hub.spawn(self._turn_away(waiter, denial))

    async def refresh(self, customer: str | None = None) -> None:
        """Asks for the places of one customer's waiters, or of all, and tells those who have moved."""
        customers = {waiter.session.identity.customer for waiter in self._waiters.values()}
        if customer is not None:
            customers &= {customer}
        for name in customers - self._asking:
            self._asking.add(name)
            try:
                places = await self._hub.store.serve(name)
            except StoreUnavailable:
                continue
            finally:
                self._asking.discard(name)
            for place in places:
                self._moved(place)

    def _moved(self, place: values.Queued) -> None:
        waiter = self._waiters.get(place.session)
        if waiter is not None and waiter.place.position != place.position:
            waiter.place = place
            self._tell(waiter)

    def _tell(self, waiter: Waiter) -> None:
        place = waiter.place
        ahead_s = None if place.ahead_ms is None else math.ceil(place.ahead_ms / 1000)
        waiter.session.send(
            Queued(ref=waiter.ref, product=place.product, position=place.position, ahead_s=ahead_s)
        )

    def _give_up(self, waiter: Waiter) -> None:
        denial = Denied(code="wait_timeout", product=waiter.place.product)
        self._hub.spawn(self._leave(waiter, denial))

    async def _leave(self, waiter: Waiter, denial: Denied) -> None:
        session = waiter.session
        while self._waiters.get(session.key) is waiter:
            try:
                left = await self._hub.store.leave_queue(
                    session.identity.customer, session=session.key, fence=session.fence
                )
            except StoreUnavailable:
                await asyncio.sleep(RETRY_S)
                continue
            if left:
                await self._turn_away(waiter, denial)
            return  # or the turn has come just now: the order for it is on its way

    async def _turn_away(self, waiter: Waiter, denial: Denied) -> None:
        session = waiter.session
        if self._waiters.get(session.key) is not waiter:
            return None
        self.forget(session)
        if waiter.hello is None:
            return deny(session, denial, waiter.ref)
        await self._hub.withdraw(session)
        await sign_in.refuse(session, waiter.hello, denial)

    def _gauge(self, waiter: Waiter) -> Gauge:
        label = self._hub.metrics.product_label(waiter.place.product)
        return self._hub.metrics.queue_length.labels(label)
