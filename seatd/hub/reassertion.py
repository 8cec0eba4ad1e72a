"""What this node knows and the store may have forgotten: told again when the store has lost writes, or the node its lease.

Also the audit: every few seconds node and store compare what they hold, in both directions, so that no fault of ours, known or
not, can keep a seat taken or a dead session alive. Names are compared each time, of a sixth of the partitions the fences too:
where all agree, which is always, a partition is asked once.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import structlog

from seatd.hub.secret import hashed
from seatd.shared_call import SharedCall
from seatd.store.nodes import BATCH
from seatd.store.values import Held, HeldRecord, StoreUnavailable

if TYPE_CHECKING:
    from seatd.hub.hub import Hub
    from seatd.hub.session import Session

log = structlog.get_logger(__name__)

FENCES_EVERY = 6
"""A partition's fences are compared in each audit of so many."""
Name = str
"""Customer and session, with a `\\0` between them."""


class Reassertion:
    """Brings node and store to one view."""

    def __init__(self, hub: Hub, *, audit_s: float) -> None:
        self._hub = hub
        self._audit_s = audit_s
        self._audits = 0
        self._found_again = SharedCall(hub.found_again)

    async def tell(self, partition: int) -> None:
        """Tells a partition all that this node knows of it. Raises `StoreUnavailable`."""
        await self._found_again.ask()
        await self._hub.licenses.tell(self._lives_in(partition))
        for customer, ended in self._hub.memory.ends(self._lives_in(partition)).items():
            await self._hub.store.rebury(customer, ended)
        lost, restored = await self._tell(self._held_in(partition), held_by)
        for customer, idle in self._hub.memory.idle(self._lives_in(partition)).items():
            answer = await self._hub.store.reassert(customer, self._hub.node, idle)
            restored += len(answer.restored)
        dropped = await self._let_go(await self._hub.store.held_by(partition, self._hub.node))
        self._count("recovery", lost=lost, restored=restored, dropped=dropped)
        if lost or restored or dropped:
            log.warning("reasserted", partition=partition, lost=lost, restored=restored, dropped=dropped)

    async def audit(self) -> None:
        """Compares every partition once."""
        partitions = self._hub.store.partitions
        self._hub.memory.forget()
        self._audits += 1
        for partition in range(partitions):
            await asyncio.sleep(self._audit_s / partitions)
            try:
                lost, dropped = await self._compare(partition)
            except StoreUnavailable:
                continue
            except Exception:  # a fault of ours in one partition: the others must go on
                log.exception("audit failed", partition=partition)
                continue
            self._count("audit", lost=lost, dropped=dropped)
            if lost or dropped:
                log.warning("audit healed", partition=partition, lost=lost, dropped=dropped)

    def _count(self, found: str, **results: int) -> None:
        for result, number in results.items():
            self._hub.metrics.healed_total.labels(found, result).inc(number)

    def _lives_in(self, partition: int) -> Callable[[str], bool]:
        return lambda customer: self._hub.store.partition(customer) == partition

    async def _compare(self, partition: int) -> tuple[int, int]:
        """How many sessions this node has lost, and how many it has let go."""
        there = set(await self._hub.store.held_by(partition, self._hub.node))
        here = {_name(session): session for session in self._held_in(partition)}
        unknown = here.keys() - there if (self._audits + partition) % FENCES_EVERY else here.keys()
        lost, _ = await self._tell([here[name] for name in unknown], _fenced)
        return lost, await self._let_go(there - here.keys())

    def _held_in(self, partition: int) -> list[Session]:
        return [session for session in self._hub.sessions(partition) if session.stored]

    async def _tell(self, sessions: Iterable[Session], told: Callable[[Session], Held]) -> tuple[int, int]:
        """Lets go of those that the store says are this node's no more; how many these were, and how many it has put back."""
        counts = [0, 0]
        for customer, some in _batches(sessions):
            held = [told(session) for session in some if session.stored]
            answer = await self._hub.store.reassert(customer, self._hub.node, held)
            fences = {item.session: item.fence for item in held}
            for key in answer.lost:
                self._hub.lose(key, fences[key])
            counts[0] += len(answer.lost)
            counts[1] += len(answer.restored)
        return counts[0], counts[1]

    async def _let_go(self, held: Iterable[Name]) -> int:
        """Parks what the store believes to be here and is not; answers how many there were."""
        store, dropped = self._hub.store, 0
        for name in held:
            customer, _, key = name.partition("\0")
            if self._hub.knows(key):
                continue
            fence = await store.fence_of(customer, key)
            if fence is not None and not self._hub.knows(key):
                dropped += await store.park(customer, self._hub.node, session=key, fence=fence)
        return dropped


def _batches(sessions: Iterable[Session]) -> Iterator[tuple[str, Sequence[Session]]]:
    """As many of a customer as go in one call: what a session has is told as it is then, not as it was some calls before."""
    by_customer: dict[str, list[Session]] = defaultdict(list)
    for session in sessions:
        by_customer[session.identity.customer].append(session)
    for customer, its in by_customer.items():
        for start in range(0, len(its), BATCH):
            yield customer, its[start : start + BATCH]


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


def _fenced(session: Session) -> Held:
    return Held(session=session.key, fence=session.fence)


def _name(session: Session) -> Name:
    return f"{session.identity.customer}\0{session.key}"
