"""Those of this node's clients who wait for a seat: their places, their turn, and the end of their patience."""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog
from prometheus_client import Gauge

from seatd.hub import sign_in
from seatd.hub.denials import UNAVAILABLE, deny
from seatd.hub.waiter import Waiter
from seatd.store import values
from seatd.store.values import Denied, Order, StoreUnavailable, Waiting
from seatd_protocol import codes
from seatd_protocol.messages import Granted, Queued, Seat

if TYPE_CHECKING:
    from seatd.hub.hub import Hub
    from seatd.hub.session import Session

log = structlog.get_logger(__name__)

RETRY_S = 1.0
REFRESH_S = 0.25
"""Places are asked for no more often than this: a busy queue moves faster than people read."""
UNPLACED = 2
"""So often in a row a waiter may be missing in the queue (its turn may be on its way) before it is asked about."""


class Queue:
    """The waiters of this node, by session."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._waiters: dict[str, Waiter] = {}
        self._due: set[str] = set()
        self._moved = asyncio.Event()
        self._everybody_s = 0.0

    def wait(self, waiter: Waiter, wait_s: float) -> None:
        """A request has gone to the queue: its client is told its place, and waits `wait_s` at the most."""
        self._waiters[waiter.session.key] = waiter
        self._gauge(waiter).inc()
        waiter.timer = asyncio.get_running_loop().call_later(wait_s, self._give_up, waiter)
        self._tell(waiter)

    def forget(self, session: Session) -> None:
        """The session no longer waits."""
        waiter = self._waiters.get(session.key)
        if waiter is not None and waiter.session is session:
            del self._waiters[session.key]
            self._gauge(waiter).dec()
            if waiter.timer is not None:
                waiter.timer.cancel()

    async def end(self, session: Session) -> bool:
        """Ends the session's wait, if it has one, for a newer one (it waits for one thing at a time): its turn may have come
        just now. False: the store does not answer, and it waits on."""
        waiter = self._waiters.get(session.key)
        try:
            if waiter is not None:
                await self._end(waiter, _timeout(waiter))
        except StoreUnavailable:
            return False
        return True

    def granted(self, order: Order) -> None:
        """A session's turn has come. One that has given up meanwhile has settled that with the store already."""
        waiter = self._waiters.get(order.session)
        if waiter is not None and waiter.ref == order.ref:
            self._serve(waiter, order.seats)

    def refused(self, order: Order) -> None:
        """A session can no longer be served, whatever becomes free."""
        waiter = self._waiters.get(order.session)
        if waiter is not None and waiter.ref == order.ref:
            denial = Denied(code=order.code, product=order.product)
            waiter.session.denied_by_store = denial
            self._hub.spawn(self._turn_away(waiter, denial))

    def place_of(self, session: Session) -> Waiting | None:
        """Where a session waits, as the store has to know it; None when it does not."""
        waiter = self._waiters.get(session.key)
        if waiter is None or waiter.session is not session:
            return None
        return waiter.waiting

    # -- places -----------------------------------------------------------------------------------

    def moved(self, customer: str) -> None:
        """A customer's queue has moved."""
        self._due.add(customer)
        self._moved.set()

    async def watch(self) -> None:
        """Tells waiters their places for ever: when their queue is said to have moved, and all of them now and then."""
        while True:
            for customer in await self._customers_due():
                try:
                    await self.refresh(customer)
                except StoreUnavailable:
                    continue
                except Exception:  # a fault of ours with one customer: the others must go on
                    log.exception("queue not refreshed", customer=customer)
            await asyncio.sleep(REFRESH_S)

    async def refresh(self, customer: str) -> None:
        """Asks for the places of one customer's waiters, and tells those that have moved. Raises `StoreUnavailable`."""
        before = [waiter for waiter in self._waiters.values() if waiter.customer == customer]
        queue = await self._hub.store.serve(customer)
        places = {(place.session, place.ref): place for place in queue.places}
        for waiter in before:
            place = places.get((waiter.session.key, waiter.ref))
            if place is not None:
                self._place(waiter, place)
            elif not queue.recovering and self._hub.leases.lapsed_s(waiter.session.partition) <= 0:
                self._miss(waiter)  # otherwise it is passed over until it has been told again

    async def _customers_due(self) -> set[str]:
        """Whose queues are to be looked at: those that have moved, and at fixed times (however busy some are) all."""
        clock = asyncio.get_running_loop().time
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._everybody_s):
                await self._moved.wait()
        self._moved.clear()
        due, self._due = self._due, set()
        waiting = {waiter.customer for waiter in self._waiters.values()}
        if clock() < self._everybody_s:
            return due & waiting
        self._everybody_s = clock() + self._hub.options.renew_s
        return waiting

    def _place(self, waiter: Waiter, place: values.Queued) -> None:
        waiter.unplaced = 0
        if waiter.place.position != place.position and self._waits(waiter):
            waiter.place = place
            self._tell(waiter)

    def _miss(self, waiter: Waiter) -> None:
        waiter.unplaced += 1
        if waiter.unplaced >= UNPLACED and not waiter.leaving.locked():
            self._hub.spawn(self._leave(waiter, UNAVAILABLE))

    def _tell(self, waiter: Waiter) -> None:
        place = waiter.place
        ahead_s = None if place.ahead_ms is None else math.ceil(place.ahead_ms / 1000)
        waiter.session.send(
            Queued(ref=waiter.ref, product=place.product, position=place.position, ahead_s=ahead_s)
        )

    # -- the end of waiting -----------------------------------------------------------------------

    def _serve(self, waiter: Waiter, seats: tuple[Seat, ...]) -> None:
        session = waiter.session
        self.forget(session)
        self._hub.metrics.queue_wait_seconds.observe(time.monotonic() - waiter.since_s)
        if waiter.hello is not None:
            need = tuple(waiter.products)
            granted = values.Granted(session=session.key, fence=session.fence, seats=seats, need=need)
            return sign_in.welcome(session, granted)
        new = tuple(seat for seat in seats if seat.product in waiter.products)
        session.hold((*session.seats.values(), *new))
        return session.send(Granted(ref=waiter.ref, seats=new, sections=session.sections))

    def _give_up(self, waiter: Waiter) -> None:
        self._hub.spawn(self._leave(waiter, _timeout(waiter)))

    async def _leave(self, waiter: Waiter, denial: Denied) -> None:
        """Ends a wait, sooner or later."""
        while self._waits(waiter):
            try:
                await self._end(waiter, denial)
            except StoreUnavailable:
                await asyncio.sleep(RETRY_S)
            except Exception:  # a fault of ours: nobody waits for ever
                log.exception("wait not ended", session=waiter.session.key)
                return waiter.session.close(codes.INTERNAL)
        return None

    async def _end(self, waiter: Waiter, denial: Denied) -> None:
        """Leaves the queue; where the turn has come just now, the waiter is served all the same. Raises `StoreUnavailable`."""
        session = waiter.session
        async with waiter.leaving:
            if not self._waits(waiter):
                return
            seats = await self._hub.store.leave_queue(
                waiter.customer, session=session.key, fence=session.fence
            )
        if seats is None or not waiter.products <= {seat.product for seat in seats}:
            if seats is not None:  # the store has ended its wait, and an order says why: a forced logout, say
                await self._hub.leases.hear(session.partition)
            await self._turn_away(waiter, denial)
        elif self._waits(waiter):
            self._serve(waiter, seats)

    async def _turn_away(self, waiter: Waiter, denial: Denied) -> None:
        session = waiter.session
        if self._waits(waiter):
            self.forget(session)
            if waiter.hello is None:
                deny(session, denial, waiter.ref)
            else:
                await self._hub.withdraw(session)
                await sign_in.refuse(session, waiter.hello, denial)

    def _waits(self, waiter: Waiter) -> bool:
        return self._waiters.get(waiter.session.key) is waiter

    def _gauge(self, waiter: Waiter) -> Gauge:
        label = self._hub.metrics.product_label(waiter.place.product)
        return self._hub.metrics.queue_length.labels(label)


def _timeout(waiter: Waiter) -> Denied:
    return Denied(code="wait_timeout", product=waiter.place.product)
