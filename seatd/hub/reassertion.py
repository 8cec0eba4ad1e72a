"""What this node knows and the store may have forgotten: told again when the store has lost writes, or the node its lease.

Also the audit: every few seconds node and store compare what they hold, in both directions, so that no fault of ours, known or
not, can keep a seat taken or a dead session alive.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from typing import TYPE_CHECKING, NamedTuple

import structlog

from seatd.hub.secret import hashed
from seatd.store.values import Ended, Held, HeldRecord, StoreUnavailable

if TYPE_CHECKING:
    from seatd.hub.hub import Hub
    from seatd.hub.session import Session

log = structlog.get_logger(__name__)


class Remembered(NamedTuple):
    """An end of a session, until it may be forgotten; `allowed_s` is when its user may come back."""

    forget_s: float
    customer: str
    session: str
    fence: int
    user: str
    allowed_s: float


class Reassertion:
    """Keeps the recent ends of sessions, and brings node and store to one view."""

    def __init__(self, hub: Hub, *, remember_s: float, audit_s: float) -> None:
        self._hub = hub
        self._remember_s = remember_s
        self._audit_s = audit_s
        self._ended: deque[Remembered] = deque()

    def ended(self, session: Session, cooldown_s: int = 0) -> None:
        """A session has ended for good."""
        now_s = time.monotonic()
        customer, user = session.identity.customer, session.identity.user
        self._ended.append(
            Remembered(
                now_s + self._remember_s, customer, session.key, session.fence, user, now_s + cooldown_s
            )
        )
        while self._ended[0].forget_s < now_s:
            self._ended.popleft()

    async def tell(self, partition: int) -> None:
        """Tells a partition all that this node holds and has ended. Raises `StoreUnavailable`."""
        await self._tell_ended(partition)
        lost, restored = await self._tell_held(partition, whole=True)
        dropped = await self._let_go(partition)
        if lost or restored or dropped:
            log.warning("reasserted", partition=partition, lost=lost, restored=restored, dropped=dropped)

    async def audit(self) -> None:
        """Compares for ever, a partition at a time."""
        partitions = self._hub.store.partitions
        while True:
            for partition in range(partitions):
                await asyncio.sleep(self._audit_s / partitions)
                try:
                    lost, _ = await self._tell_held(partition, whole=False)
                    dropped = await self._let_go(partition)
                except StoreUnavailable:
                    continue
                if lost or dropped:
                    log.warning("audit healed", partition=partition, lost=lost, dropped=dropped)

    async def _tell_ended(self, partition: int) -> None:
        now_s = time.monotonic()
        by_customer: dict[str, list[Ended]] = defaultdict(list)
        for item in tuple(self._ended):
            if self._hub.store.partition(item.customer) == partition:
                cooldown_ms = max(0, round((item.allowed_s - now_s) * 1000))
                by_customer[item.customer].append(
                    Ended(session=item.session, fence=item.fence, user=item.user, cooldown_ms=cooldown_ms)
                )
        for customer, ended in by_customer.items():
            await self._hub.store.rebury(customer, ended)

    async def _tell_held(self, partition: int, *, whole: bool) -> tuple[int, int]:
        by_customer: dict[str, list[Session]] = defaultdict(list)
        for session in self._hub.sessions():
            if session.stored and session.partition == partition:
                by_customer[session.identity.customer].append(session)
        counts = [0, 0]
        for customer, sessions in by_customer.items():
            held = [_held(session, whole=whole) for session in sessions]
            answer = await self._hub.store.reassert(customer, self._hub.node, held)
            fences = {item.session: item.fence for item in held}
            for key in answer.lost:
                self._hub.lose(key, fences[key])
            counts[0] += len(answer.lost)
            counts[1] += len(answer.restored)
        return counts[0], counts[1]

    async def _let_go(self, partition: int) -> int:
        """Parks what the store believes to be here and is not; answers how many there were."""
        store, dropped = self._hub.store, 0
        for customer, key in await store.held_by(partition, self._hub.node):
            if self._hub.knows(key):
                continue
            fence = await store.fence_of(customer, key)
            if fence is not None and not self._hub.knows(key):
                dropped += await store.park(customer, self._hub.node, session=key, fence=fence)
        return dropped


def _held(session: Session, *, whole: bool) -> Held:
    record = None
    if whole and session.welcomed:
        record = HeldRecord(
            user=session.identity.user,
            domain=session.identity.domain,
            device=session.device,
            secret=hashed(session.secret),
            since_ms=session.since_ms,
            seats=tuple(session.seats.values()),
            need=session.need,
            busy=session.busy,
        )
    return Held(session=session.key, fence=session.fence, record=record)
