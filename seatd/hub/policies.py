"""Licenses that end, shrink or are withdrawn: who is to go, what holders are told, and what the store is told of it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
import structlog

from seatd.store.values import DueLicense, Order, StoreUnavailable
from seatd_protocol.messages import Changed, Notice

if TYPE_CHECKING:
    from seatd.hub.hub import Hub
    from seatd.hub.session import Session

log = structlog.get_logger(__name__)

DAY_MS = 24 * 3600 * 1000
WARNED_OF_MS = DAY_MS
"""Who signs in so soon before a license ends is warned at once."""
ASKED_EVERY_S = 60.0
MAX_ASKED = 50
"""Holders on this node who are told at the most that somebody waits."""

REASONS = {
    "on_expiry": "The license of {product} has ended.",
    "on_lower": "The license of {product} has fewer seats now.",
    "on_remove": "The license of {product} was withdrawn.",
}


class Policies:
    """Looks after licenses, and tells this node's sessions what becomes of their seats."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._under_way: dict[DueLicense, bool] = {}

    # -- licenses ---------------------------------------------------------------------------------

    def look_after(self, licenses: Iterable[DueLicense]) -> None:
        """Looks after licenses in the background; one that is asked for meanwhile is looked after once more."""
        for item in licenses:
            if item in self._under_way:
                self._under_way[item] = True
            else:
                self._under_way[item] = False
                self._hub.spawn(self._look_after(item))

    async def _look_after(self, item: DueLicense) -> None:
        try:
            again = True
            while again:
                self._under_way[item] = False
                await self._carry_out(item)
                again = self._under_way[item]
        except StoreUnavailable:
            log.info("license not looked after", customer=item.customer, license=item.license)
        finally:
            del self._under_way[item]

    async def _carry_out(self, item: DueLicense) -> None:
        store = self._hub.store
        if not item.license:  # the customer itself is due
            await self._hub.deletions.carry_out(item.customer)
            return
        review = await store.review(item.customer, item.license)
        holders = [holder.holder for holder in review.concerned]
        if not holders:
            return
        ended = await store.enforce(item.customer, item.license, holders, self._hub.catalog.bases)
        if ended:
            log.info("seats taken", customer=item.customer, license=item.license, sessions=ended)

    # -- what sessions are told -------------------------------------------------------------------

    def welcomed(self, session: Session) -> None:
        """A session has been told its seats: warns it of licenses that end soon."""
        now_ms = self._hub.leases.store_ms(session.partition)
        ends = {(seat.until_ms, seat.license): seat.product for seat in session.seats.values()}
        for (until_ms, _), product in sorted(ends.items()):
            if until_ms and until_ms - now_ms <= WARNED_OF_MS:
                session.send(_expiring(product, until_ms, now_ms))

    def changed(self, session: Session, order: Order) -> None:
        """The session has lost seats and goes on without them."""
        lost = {(seat.product, seat.license) for seat in order.seats}
        session.hold(
            tuple(seat for seat in session.seats.values() if (seat.product, seat.license) not in lost)
        )
        session.loses(order.number)
        reason = reason_of(order.code, order.product)
        session.send(Changed(seats=tuple(session.seats.values()), sections=session.sections, reason=reason))

    def notice(self, order: Order) -> None:
        """A word for everybody here who holds a seat of a license."""
        sessions = self._hub.sessions(self._hub.store.partition(order.customer))
        holders = [session for session in sessions if session.live and _holds(session, order)]
        if order.code == "license_expiring":
            for session in holders:
                now_ms = self._hub.leases.store_ms(session.partition)
                session.send(_expiring(order.product or "", order.until_ms, now_ms))
            return
        now_s = time.monotonic()
        free = [session for session in holders if session.asked_s <= now_s - ASKED_EVERY_S]
        free.sort(key=lambda session: session.busy)
        for session in free[:MAX_ASKED]:
            session.asked_s = now_s
            session.send(Notice(code=order.code, message=f"Somebody waits for a seat of {order.product}."))

    # -- what the store is told -------------------------------------------------------------------

    async def confirm(self, session: Session, order: int) -> None:
        """The client knows what it has lost: the seats are free."""
        customer = session.identity.customer
        with suppress(StoreUnavailable):  # they come free when nobody can believe in them any more
            await self._hub.store.let_go(customer, session=session.key, fence=session.fence, order=order)

    async def tell_busy(self, session: Session) -> None:
        """The store learns whether a call goes on, unless it knows. While it is away the next `alive` tries again."""
        busy = session.busy
        if busy == session.known_busy or not session.stored or not session.welcomed:
            return
        customer = session.identity.customer
        try:
            licenses = await self._hub.store.busy(
                customer, session=session.key, fence=session.fence, busy=busy
            )
        except StoreUnavailable:
            return
        if licenses is not None:
            session.known_busy = busy
            self.look_after(DueLicense(customer=customer, license=license) for license in licenses)


def worded(order: Order) -> Order:
    """The order for a logout with the sentence that its client is told."""
    if order.code != "license_ended":
        return order
    return msgspec.structs.replace(order, message=reason_of(order.message, order.product))


def reason_of(why: str, product: str | None) -> str:
    """Why a seat is gone, for a person to read."""
    return REASONS[why].format(product=product)


def _holds(session: Session, order: Order) -> bool:
    return session.identity.customer == order.customer and any(
        seat.license == order.license for seat in session.seats.values()
    )


def _expiring(product: str, until_ms: int, now_ms: int) -> Notice:
    left_s = (until_ms - now_ms) / 1000
    if left_s <= 0:
        text = f"The license of {product} has ended. You keep your seat for the time being."
    else:
        text = f"The license of {product} ends in {_span(left_s)}."
    return Notice(code="license_expiring", message=text, until_ms=until_ms)


def _span(seconds: float) -> str:
    """`24 hours`, `5 minutes`: as people say it."""
    minutes = math.ceil(seconds / 60)
    number, unit = (round(minutes / 60), "hour") if minutes >= 60 else (minutes, "minute")
    return f"{number} {unit}{'s' if number > 1 else ''}"
