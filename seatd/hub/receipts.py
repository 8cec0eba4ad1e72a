"""Receipts of forced logouts: what became of each session, told by the node that had its socket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, NamedTuple

import msgspec

from seatd.store.values import KickedSession, Order, node_name
from seatd_protocol.messages import Device

Outcome = Literal["acknowledged", "closed", "offline", "pending"]


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one session. `acknowledged`: its client said so. `closed`: its client closed the socket, without a word.
    `offline`: it had no socket, so nothing was delivered. `pending`: nothing is known yet; its seat is free at the latest
    when its client's lease is over. `milliseconds` from the order to the receipt."""

    session: str
    user: str
    device: Device
    node: str
    delivered: bool
    acknowledged: bool
    milliseconds: int | None
    outcome: Outcome


class Arrival(NamedTuple):
    """A receipt, and when it came."""

    order: Order
    at_s: float


Expected = dict[str, asyncio.Future[Arrival]]
"""By session."""


class Receipts:
    """Receipts come as orders of the store, and may overtake its answer to who has asked for the logout: while somebody asks,
    all are kept, and otherwise only those that somebody waits for."""

    def __init__(self) -> None:
        self._waiting: Expected = {}
        self._early: dict[str, Arrival] = {}
        self._asking = 0

    @contextmanager
    def asking(self) -> Iterator[None]:
        """While the store is asked to force sessions out, and until their receipts are expected."""
        self._asking += 1
        try:
            yield
        finally:
            self._asking -= 1
            if not self._asking:
                self._early.clear()

    def came(self, order: Order) -> None:
        """A receipt has come."""
        arrival = Arrival(order, time.monotonic())
        waiting = self._waiting.get(order.session)
        if waiting is not None:
            if not waiting.done():
                waiting.set_result(arrival)
        elif self._asking:
            self._early[order.session] = arrival

    def expected(self, kicked: Sequence[KickedSession]) -> Expected:
        """Those of the sessions that were told: to be said while `asking`, and waited for by `told`."""
        loop = asyncio.get_running_loop()
        expected = {one.session: loop.create_future() for one in kicked if one.order}
        self._waiting |= expected
        for session in self._early.keys() & expected.keys():
            expected[session].set_result(self._early.pop(session))
        return expected

    async def told(
        self, kicked: Sequence[KickedSession], expected: Expected, asked_s: float, wait_s: float
    ) -> list[Receipt]:
        """What has become of each, when all receipts are there or the time is over. `asked_s`: when that began, monotonic."""
        try:
            if expected:
                await asyncio.wait(expected.values(), timeout=wait_s)
        finally:
            for session in expected:
                self._waiting.pop(session, None)
        return [_receipt(one, expected.get(one.session), asked_s) for one in kicked]


def _receipt(kicked: KickedSession, expected: asyncio.Future[Arrival] | None, asked_s: float) -> Receipt:
    """`expected`: None when it had no socket to be told by."""
    arrival = expected.result() if expected is not None and expected.done() else None
    order = arrival.order if arrival else None
    return Receipt(
        session=kicked.session,
        user=kicked.user,
        device=kicked.device,
        node=node_name(kicked.node),
        delivered=order is not None and order.delivered,
        acknowledged=order is not None and order.acknowledged,
        milliseconds=round((arrival.at_s - asked_s) * 1000) if arrival else None,
        outcome="offline" if expected is None else _outcome(order),
    )


def _outcome(order: Order | None) -> Outcome:
    if order is None:
        return "pending"
    if order.acknowledged:
        return "acknowledged"
    return "closed" if order.closed else "pending"
