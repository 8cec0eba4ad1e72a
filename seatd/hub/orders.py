"""The way that the store's orders take to a session of this node."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from seatd.hub.policies import worded
from seatd.store.values import Order
from seatd_protocol import codes

if TYPE_CHECKING:
    from seatd.hub.hub import Hub
    from seatd.hub.session import Session

log = structlog.get_logger(__name__)


class Arriving:
    """Sockets that one session is just being opened or attached for, and the orders that wait for them."""

    def __init__(self) -> None:
        self.number = 0
        self.orders: list[Order] = []


class Orders:
    """Carries out what the store orders. What is for a session that is just arriving waits until it has."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._arriving: dict[str, Arriving] = {}

    def is_arriving(self, key: str) -> bool:
        """Whether a session is just being opened or attached here."""
        return key in self._arriving

    @contextmanager
    def arriving(self, session: Session) -> Iterator[None]:
        """While a session is being opened or attached: orders for it wait until it is known whether it lives here."""
        arriving = self._arriving.setdefault(session.key, Arriving())
        arriving.number += 1
        try:
            yield
        finally:
            arriving.number -= 1
            if not arriving.number:  # of two resumes at once, the later one may be whom an order means
                del self._arriving[session.key]
                for order in arriving.orders:
                    self.carry_out(session.partition, order)

    def carry_out(self, partition: int, order: Order) -> None:
        """Tells whom it concerns; what goes wrong is logged."""
        try:
            self._do(order)
        except (
            Exception
        ):  # a fault of ours with one order: those behind it, and this node's lease, must go on
            log.exception("order not carried out", type=order.type, session=order.session)
            if order.type == "logout" and (session := self._hub.find(order.session, order.fence)):
                session.close(codes.INTERNAL)

    def _do(self, order: Order) -> None:
        if order.type == "logout":
            self._hub.memory.ordered(order)
        if order.type == "receipt":
            self._hub.logouts.receipts.came(order)
        elif order.type == "notice":
            self._hub.policies.notice(order)
        elif (arriving := self._arriving.get(order.session)) and not self._is_urgent(order):
            arriving.orders.append(order)
        elif session := self._hub.find(order.session, order.fence):
            self._tell(session, order)
        # Otherwise its socket is gone, its client need not be: the seat stays taken until that client's lease is over.

    def _is_urgent(self, order: Order) -> bool:
        """Whether an order is for a session that lives here. (Only a turn in the queue waits for its acquire's answer.)"""
        lives_here = self._hub.find(order.session, order.fence) is not None
        return lives_here and order.type not in ("granted", "refused")

    def _tell(self, session: Session, order: Order) -> None:
        match order.type:
            case "logout":
                session.force_out(worded(order))
            case "changed":
                self._hub.policies.changed(session, order)
            case "superseded":
                session.replace()
            case "granted":
                self._hub.queue.granted(order)
            case "refused":
                self._hub.queue.refused(order)
