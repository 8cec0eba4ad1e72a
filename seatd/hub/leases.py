"""This node's lease in every partition: renewed by beats that also bring the node's orders and what is due.

The lease is the node's right to speak for its sessions. It is timed by this machine's own clock from *before* a renewal was
sent (Gray and Cheriton 1989: the holder counts from sending, the grantor from receiving), and CLOCK_BOOTTIME goes on while the
machine sleeps.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog

from seatd.hub.options import HubOptions
from seatd.store.redis import Store
from seatd.store.values import Due, Order, StoreUnavailable
from seatd_protocol.lease import NodeLease

log = structlog.get_logger(__name__)


def boot_time_s() -> float:
    """Seconds since the machine started, sleep included where the system can tell."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class LeaseEvents(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the leases tell: `carry_out` an order, `reassert` a partition's sessions after a lapse, `settled` when the
    partition has answered again."""

    carry_out: Callable[[int, Order], None]
    reassert: Callable[[int], Awaitable[None]]
    settled: Callable[[int], None]


class PartitionLease:
    """One partition: the lease, how far its orders are carried out, and whether its sessions must be re-asserted first."""

    def __init__(self, lease_s: float) -> None:
        self.lease = NodeLease(lease_s)
        self.joined = False
        self.doubtful = False
        self.epoch = 0
        self.done = 0
        self.wanted = asyncio.Event()
        self.lock = asyncio.Lock()


class Leases:
    """Renews all leases of this node, and answers whether it may speak for a session right now.

    `on_order` is told of every order read, and by what: `wake-up` or `beat`.
    """

    def __init__(
        self,
        store: Store,
        options: HubOptions,
        events: LeaseEvents,
        *,
        clock: Callable[[], float] = boot_time_s,
        on_order: Callable[[str], None] | None = None,
    ) -> None:
        self._on_order = on_order
        self._store = store
        self._options = options
        self._events = events
        self._clock = clock
        self._partitions = [PartitionLease(options.lease_s) for _ in range(store.partitions)]
        self._away_since_s: float | None = None
        self._durable = False
        self._urgent: set[asyncio.Task[None]] = set()

    async def join(self) -> None:
        """Takes a lease in every partition. Raises `StoreUnavailable` when the store does not answer.

        No seat is granted before the leases are known to be on disk and on every replica (where the engine can tell): then
        no node that has granted can be forgotten, and a recovery may end as soon as all registered nodes have reported.
        """
        everything = range(len(self._partitions))
        await asyncio.gather(*(self._beat(n) for n in everything))
        self._durable = await self._store.is_durable(0)
        node = self._options.node
        await asyncio.gather(*(self._store.report(n, node, durable=self._durable) for n in everything))
        if not self._durable:
            log.warning("the store cannot say what is on disk: a recovery will last its full time")

    async def renew(self) -> None:
        """Renews for ever."""
        while True:
            await asyncio.sleep(self._options.renew_s)
            await asyncio.gather(*(self._beat_or_note(n) for n in range(len(self._partitions))))

    async def leave(self) -> None:
        """Gives all leases back; sessions still here are found by the other nodes at once."""
        for task in self._urgent:  # one that answers a wake-up would take a lease anew
            task.cancel()
        await asyncio.gather(*self._urgent, return_exceptions=True)
        for number, partition in enumerate(self._partitions):
            partition.lease.lapse()
            await self._store.beat(number, self._options.node, done=partition.done, joined=False, leave=True)

    def wake(self, number: int) -> None:
        """Reads a partition's orders now; wake-ups that come while one is being answered make one more beat, not many."""
        if 0 <= number < len(self._partitions):
            partition = self._partitions[number]
            if not partition.wanted.is_set():
                partition.wanted.set()
                task = asyncio.create_task(self._beat_or_note(number))
                self._urgent.add(task)
                task.add_done_callback(self._urgent.discard)

    def may_beat(self, number: int) -> bool:
        """Whether clients of a partition may be told that their seats go on.

        A lease that ends because the store is away has its grace. One that was over before (this process was frozen), or
        that the store has called over, has none: somebody else may have the seats.
        """
        now = self._clock()
        partition = self._partitions[number]
        if partition.lease.valid(now):
            return True
        away_since_s = self._away_since_s
        if self._options.strict or away_since_s is None or partition.doubtful:
            return False
        return partition.lease.until_s > away_since_s > now - self._options.store_grace_s

    def lapsed_s(self, number: int) -> float:
        """For how long this node's lease in a partition has been over (negative: what is left of it)."""
        return self._clock() - self._partitions[number].lease.until_s

    def remaining_s(self) -> float:
        """Seconds left of the lease that ends first (negative: it has ended)."""
        return min(partition.lease.until_s for partition in self._partitions) - self._clock()

    @property
    def away_s(self) -> float:
        """For how long the store has not answered; 0 when it does."""
        return 0.0 if self._away_since_s is None else self._clock() - self._away_since_s

    async def _beat_or_note(self, number: int) -> None:
        try:
            await self._beat(number)
        except StoreUnavailable as error:
            if self._away_since_s is None:
                self._away_since_s = self._clock()
                log.warning("store away", reason=str(error))
        except Exception:  # a fault of ours in one partition: the others must go on
            log.exception("beat failed", partition=number)

    async def _beat(self, number: int) -> None:
        partition = self._partitions[number]
        async with partition.lock:
            via = "wake-up" if partition.wanted.is_set() else "beat"
            partition.wanted.clear()
            sent_s = self._clock()
            due: list[Due] = []
            while True:
                beat = await self._store.beat(
                    number, self._options.node, done=partition.done, joined=partition.joined
                )
                partition.doubtful |= beat.lapsed or beat.epoch != partition.epoch
                if partition.doubtful:
                    await self._reassert(number, beat.epoch)
                partition.joined = True
                for order in beat.orders:
                    self._events.carry_out(number, order)
                    partition.done = order.number
                    if self._on_order:
                        self._on_order(via)
                due = due or list(beat.due)
                if not beat.orders or not beat.more:
                    break
            # Only now: a lease that was renewed before its orders are read could outlive a forced logout.
            partition.lease.renewed(sent_s)
        if self._away_since_s is not None:
            log.info("store back", away_s=round(self.away_s, 1))
            self._away_since_s = None
        self._events.settled(number)
        await self._sweep(due)

    async def _reassert(self, number: int, epoch: int) -> None:
        partition = self._partitions[number]
        await self._events.reassert(number)
        await self._store.report(number, self._options.node, durable=self._durable)
        partition.doubtful, partition.epoch = False, epoch

    async def _sweep(self, due: Sequence[Due]) -> None:
        by_customer: dict[str, list[Due]] = defaultdict(list)
        for item in due:
            by_customer[item.customer].append(item)
        for customer, items in by_customer.items():
            parked, ended = await self._store.sweep(customer, items[:200])
            if parked or ended:
                log.info("swept", customer=customer, parked=len(parked), ended=len(ended))
