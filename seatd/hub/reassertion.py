"""What this node knows and the store may have forgotten: told again when the store has lost writes, or the node its lease.

Also the audit: every few seconds node and store compare what they hold, in both directions, so that no fault of ours, known or
not, can keep a seat taken or a dead session alive.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from seatd.hub.secret import hashed
from seatd.hub.shared_call import SharedCall
from seatd.store.values import Held, HeldRecord, StoreUnavailable

if TYPE_CHECKING:
    from seatd.hub.hub import Hub
    from seatd.hub.session import Session

log = structlog.get_logger(__name__)


class Reassertion:
    """Brings node and store to one view."""

    def __init__(self, hub: Hub, *, audit_s: float) -> None:
        self._hub = hub
        self._audit_s = audit_s
        self._found_again = SharedCall(hub.found_again)

    async def tell(self, partition: int) -> None:
        """Tells a partition all that this node knows of it. Raises `StoreUnavailable`."""
        await self._found_again.ask()
        await self._hub.licenses.tell(self._lives_in(partition))
        for customer, ended in self._hub.memory.ends(self._lives_in(partition)).items():
            await self._hub.store.rebury(customer, ended)
        lost, restored = await self._tell_held(partition, whole=True)
        for customer, idle in self._hub.memory.idle(self._lives_in(partition)).items():
            answer = await self._hub.store.reassert(customer, self._hub.node, idle)
            restored += len(answer.restored)
        dropped = await self._let_go(partition)
        if lost or restored or dropped:
            log.warning("reasserted", partition=partition, lost=lost, restored=restored, dropped=dropped)

    async def audit(self) -> None:
        """Compares every partition once."""
        partitions = self._hub.store.partitions
        for partition in range(partitions):
            await asyncio.sleep(self._audit_s / partitions)
            try:
                lost, _ = await self._tell_held(partition, whole=False)
                dropped = await self._let_go(partition)
            except StoreUnavailable:
                continue
            except Exception:  # a fault of ours in one partition: the others must go on
                log.exception("audit failed", partition=partition)
                continue
            if lost or dropped:
                log.warning("audit healed", partition=partition, lost=lost, dropped=dropped)

    def _lives_in(self, partition: int) -> Callable[[str], bool]:
        return lambda customer: self._hub.store.partition(customer) == partition

    async def _tell_held(self, partition: int, *, whole: bool) -> tuple[int, int]:
        by_customer: dict[str, list[Session]] = defaultdict(list)
        for session in self._hub.sessions(partition):
            if session.stored:
                by_customer[session.identity.customer].append(session)
        counts = [0, 0]
        for customer, sessions in by_customer.items():
            held = [held_by(session) if whole else _named(session) for session in sessions]
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


def held_by(session: Session) -> Held:
    """A session with all that the store keeps of it."""
    waiting = session.hub.queue.place_of(session)
    need = session.need
    if waiting and not session.welcomed:
        need = tuple(want.product for want in waiting.need)
    record = HeldRecord(
        user=session.identity.user,
        domain=session.identity.domain,
        device=session.device,
        secret=hashed(session.secret),
        since_ms=session.since_ms or int(time.time() * 1000),
        seats=tuple(session.seats.values()),
        need=need,
        groups=tuple(sorted(session.identity.groups)),
        busy=session.busy,
        waiting=waiting,
    )
    return Held(session=session.key, fence=session.fence, record=record)


def _named(session: Session) -> Held:
    return Held(session=session.key, fence=session.fence)
