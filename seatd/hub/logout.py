"""Forced logout: the order through the store, and the receipts that prove its delivery."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

import structlog
from msgspec.structs import replace

from seatd.hub.memory import Memory
from seatd.hub.receipts import Receipt, Receipts
from seatd.hub.targets import LogoutTargets, kicks_for
from seatd.hub.tokens import Identity
from seatd.metrics import Metrics
from seatd.store.audit_values import Deed
from seatd.store.redis import Store
from seatd.store.values import Forced, KickedSession, KickTarget

log = structlog.get_logger(__name__)


class Logouts:
    """Sends orders and gathers receipts. `node` is this node's id in the store: where receipts come back to."""

    def __init__(self, store: Store, node: str, metrics: Metrics, memory: Memory) -> None:
        self._memory = memory
        self._store = store
        self._node = node
        self._metrics = metrics
        self.receipts = Receipts()

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
        asked_s = time.monotonic()
        kicked: list[KickedSession] = []
        partitions: set[int] = set()
        with self.receipts.asking():
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
            expected = self.receipts.expected(kicked)
        receipts, _ = await asyncio.gather(
            self.receipts.told(kicked, expected, asked_s, wait_s), self._make_durable(partitions)
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
        asked_s = time.monotonic()
        with self.receipts.asking():
            kicked = await self._store.kick(
                identity.customer,
                KickTarget(user=identity.user, session=session),
                message="taken over",
                by=identity.user,
                cooldown_ms=0,
                reply_to=self._node,
                order_type="superseded",
            )
            expected = self.receipts.expected(kicked)
        await self.receipts.told(kicked, expected, asked_s, wait_s)
        return bool(kicked)

    async def _make_durable(self, partitions: Iterable[int]) -> None:
        await asyncio.gather(*map(self._store.make_durable, partitions))


def _named(target: KickTarget) -> str:
    """Whom a kick means, as the audit trail says it."""
    named = (target.user, target.session, target.license, target.domain)
    return next((name for name in named if name), "everybody")
