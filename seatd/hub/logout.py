"""Forced logout: the order through the store, and the receipts that prove its delivery."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Literal

import msgspec
import structlog
from msgspec.structs import replace

from seatd.hub.memory import Memory
from seatd.hub.targets import LogoutTargets, kicks_for
from seatd.hub.tokens import Identity
from seatd.metrics import Metrics
from seatd.store.audit_values import Deed
from seatd.store.redis import Store
from seatd.store.values import Forced, KickedSession, KickTarget, Order, node_name
from seatd_protocol.messages import Device

log = structlog.get_logger(__name__)

EARLY_RECEIPTS = 1000
"""Receipts kept that came before anybody waited for them (an answer may overtake its question)."""


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


class Logouts:
    """Sends orders and gathers receipts. `node` is this node's id in the store: where receipts come back to."""

    def __init__(self, store: Store, node: str, metrics: Metrics, memory: Memory) -> None:
        self._memory = memory
        self._store = store
        self._node = node
        self._metrics = metrics
        self._waiting: dict[str, asyncio.Future[Order]] = {}
        self._early: dict[str, Order] = {}

    async def logout(
        self,
        targets: LogoutTargets,
        *,
        message: str,
        cooldown_s: int,
        by: str,
        deed: Deed | None = None,
        wait_s: float = 5.0,
    ) -> list[Receipt]:
        """Forces out whom `targets` name; then the store has it on its disk, and up to `wait_s` was given to receipts.

        Raises `StoreUnavailable` when the store cannot say so: what was ordered may still be lost.
        """
        started_s = time.monotonic()
        kicked: list[KickedSession] = []
        partitions: set[int] = set()
        for customer, target in await kicks_for(self._store, targets):
            partitions.add(self._store.partition(customer))
            found = await self._store.kick(
                customer,
                target,
                message=message,
                by=by,
                cooldown_ms=cooldown_s * 1000,
                reply_to=self._node,
                deed=deed and replace(deed, target=_named(target)),
            )
            forced = Forced(
                code="forced",
                message=message,
                by=by,
                cooldown_s=cooldown_s,
                user=target.user or "",
                device="" if target.session else None,
            )
            self._memory.kicked(customer, found, forced)
            kicked += found
        receipts, _ = await asyncio.gather(
            self._gather(kicked, started_s, wait_s), self._make_durable(partitions)
        )
        for receipt in receipts:
            self._metrics.logouts_total.labels(receipt.outcome).inc()
            if receipt.milliseconds is not None:
                self._metrics.logout_seconds.observe(receipt.milliseconds / 1000)
        log.info("forced logout", by=by, sessions=len(receipts), message=message)
        return receipts

    async def take_over(self, identity: Identity, session: str, *, own: str, wait_s: float = 2.0) -> bool:
        """Ends another session of a user, and waits a moment for its end. False: there is no such session."""
        if session == own:
            return False
        kicked = await self._store.kick(
            identity.customer,
            KickTarget(user=identity.user, session=session),
            message="taken over",
            by=identity.user,
            cooldown_ms=0,
            reply_to=self._node,
            order_type="superseded",
        )
        await self._gather(kicked, time.monotonic(), wait_s)
        return bool(kicked)

    def receipt(self, order: Order) -> None:
        """A receipt has come."""
        waiting = self._waiting.get(order.session)
        if waiting is None:
            self._early[order.session] = order
            if len(self._early) > EARLY_RECEIPTS:
                del self._early[next(iter(self._early))]
        elif not waiting.done():
            waiting.set_result(order)

    async def _make_durable(self, partitions: Iterable[int]) -> None:
        await asyncio.gather(*map(self._store.make_durable, partitions))

    async def _gather(
        self, kicked: Iterable[KickedSession], started_s: float, wait_s: float
    ) -> list[Receipt]:
        return list(await asyncio.gather(*(self._receipt_of(item, started_s, wait_s) for item in kicked)))

    async def _receipt_of(self, kicked: KickedSession, started_s: float, wait_s: float) -> Receipt:
        if kicked.order == 0:
            return _receipt(kicked, None, started_s, "offline")
        waiting: asyncio.Future[Order] = asyncio.get_running_loop().create_future()
        self._waiting[kicked.session] = waiting
        if early := self._early.pop(kicked.session, None):
            waiting.set_result(early)
        try:
            order = await asyncio.wait_for(waiting, wait_s)
        except TimeoutError:
            return _receipt(kicked, None, started_s, "pending")
        finally:
            del self._waiting[kicked.session]
        outcome: Outcome = "closed" if order.closed else "pending"
        return _receipt(kicked, order, started_s, "acknowledged" if order.acknowledged else outcome)


def _named(target: KickTarget) -> str:
    """Whom a kick means, as the audit trail says it."""
    named = (target.user, target.session, target.license, target.domain)
    return next((name for name in named if name), "everybody")


def _receipt(
    kicked: KickedSession,
    order: Order | None,
    started_s: float,
    outcome: Outcome,
) -> Receipt:
    return Receipt(
        session=kicked.session,
        user=kicked.user,
        device=kicked.device,
        node=node_name(kicked.node),
        delivered=order is not None and order.delivered,
        acknowledged=order is not None and order.acknowledged,
        milliseconds=None if order is None else round((time.monotonic() - started_s) * 1000),
        outcome=outcome,
    )
