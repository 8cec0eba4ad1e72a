"""This node's lease in every partition: renewed by beats that also bring the node's orders and what is due.

The lease is the node's right to speak for its sessions. It is timed by this machine's own clock from *before* a renewal was
sent (Gray and Cheriton 1989: the holder counts from sending, the grantor from receiving), and CLOCK_BOOTTIME goes on while the
machine sleeps.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial

import msgspec
import structlog

from seatd.hub.options import HubOptions
from seatd.hub.outages import Outages
from seatd.hub.partition_lease import PartitionLease
from seatd.hub.sweeps import sweep
from seatd.shared_call import SharedCall
from seatd.store.redis import Store
from seatd.store.values import Beat, Due, DueLicense, Ended, Order, StoreUnavailable

log = structlog.get_logger(__name__)


SOONEST_S = 0.005
"""Clocks differ a little: a beat that comes too early is not followed by many more."""


def boot_time_s() -> float:
    """Seconds since the machine started, sleep included where the system can tell."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class LeaseEvents(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the leases tell: `carry_out` an order, `reassert` a partition's sessions after a lapse, `settled` when the
    partition has answered again, `recovering` when it opens its recovery window, `swept` what was found to have ended,
    `look_after` licenses that are due."""

    carry_out: Callable[[int, Order], None]
    reassert: Callable[[int], Awaitable[None]]
    settled: Callable[[int], None]
    recovering: Callable[[int], None] = lambda partition: None
    swept: Callable[[str, Sequence[Ended]], None] = lambda customer, ended: None
    look_after: Callable[[Sequence[DueLicense]], None] = lambda licenses: None


class Leases:
    """Renews all leases of this node, and answers whether it may speak for a session right now.

    Partitions do not wait for each other, and a renewal waits neither for a re-assertion nor for a sweep. `on_order` is told
    of every order read, and by what: `wake-up` or `beat`.
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
        self.outages = Outages(self._partitions, clock)
        self._is_durable = SharedCall(store.is_durable)
        self._durable: bool | None = None
        self._hearing = [SharedCall(partial(self._round, number)) for number in range(store.partitions)]
        self._left = False
        self._tasks: set[asyncio.Task[object]] = set()

    async def join(self) -> None:
        """Takes a lease in every partition. Raises `StoreUnavailable` when the store does not answer.

        No seat is granted before the leases are known to be on disk and on every replica (where the engine can tell): then
        no node that has granted can be forgotten, and a recovery may end as soon as all registered nodes have reported.
        """
        everything = range(len(self._partitions))
        await asyncio.gather(*(self._beat(n) for n in everything))
        await asyncio.gather(*(self._tell(n) for n in everything))
        if self._durable is None:
            log.warning("the store cannot say what is on disk: a recovery will last its full time")

    async def renew(self) -> None:
        """Renews for ever."""
        while True:
            await asyncio.sleep(self._options.renew_s)
            for number, partition in enumerate(self._partitions):
                if not partition.beating.locked():
                    self._spawn(self._round(number))

    async def leave(self) -> None:
        """Gives all leases back; sessions still here are found by the other nodes at once."""
        self._left = True
        await asyncio.gather(*(hearing.quiet() for hearing in self._hearing))
        for task in self._tasks:  # one that answers a wake-up would take a lease anew
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for partition in self._partitions:
            if partition.alarm:
                partition.alarm.cancel()
        await self._is_durable.quiet()
        for number, partition in enumerate(self._partitions):
            partition.lease.lapse()
            await self._store.beat(number, self._options.node, done=partition.done, joined=False, leave=True)

    def wake(self, number: int) -> None:
        """Reads a partition's orders now; wake-ups that come while one is being answered make one more beat, not many."""
        if 0 <= number < len(self._partitions) and not self._left:
            partition = self._partitions[number]
            if not partition.wanted.is_set():
                partition.wanted.set()
                self._spawn(self._round(number))

    async def hear(self, number: int) -> bool:
        """Returns when all orders that a partition has for this node now are carried out. False: the store does not answer."""
        return not self._left and await self._hearing[number].ask()

    async def round(self, number: int) -> None:
        """One beat in a partition, with all that follows from it; whether it has been answered shows in `away_s`."""
        self.wake(number)
        while self._tasks:
            await asyncio.wait(self._tasks)

    def may_beat(self, number: int) -> bool:
        """Whether clients of a partition may be told that their seats go on.

        A lease that ends because the store is away has its grace. One that was over before (this process was frozen), or
        that the store has called over, has none: somebody else may have the seats.
        """
        now = self._clock()
        partition = self._partitions[number]
        if partition.lease.valid(now):
            return True
        away_since_s = partition.away_since_s
        if self._options.strict or away_since_s is None or partition.doubtful:
            return False
        return partition.lease.until_s > away_since_s > now - self._options.store_grace_s

    def may_grant(self, number: int) -> bool:
        """Whether seats may be asked for. A node that the store could forget must not have given any: a recovery waits only
        for the nodes that it knows of, and would give the seats of this one's clients to others."""
        return self._partitions[number].registered

    def store_time_ms(self, number: int) -> tuple[int, int]:
        """A partition's own time as far as this node knows it, and how far that is behind the store's clock.

        Of the time since the last beat it counts a lease at the most: the partition's may have stood still.
        """
        partition = self._partitions[number]
        if partition.last is None:
            return 0, 0
        since_s = min(self._clock() - partition.confirmed_s, self._options.lease_s)
        now_ms, wall_ms = partition.last.now_ms, partition.last.wall_ms
        return now_ms + round(since_s * 1000), wall_ms - now_ms

    def is_settled(self, number: int) -> bool:
        """Whether the partition has been told all that this node holds: else that it does not know a session says nothing."""
        partition = self._partitions[number]
        return not partition.doubtful and self._store.epochs.get(number, 0) == partition.epoch

    def lapsed_s(self, number: int) -> float:
        """For how long this node's lease in a partition has been over (negative: what is left of it)."""
        return self._clock() - self._partitions[number].lease.until_s

    def remaining_s(self) -> float:
        """Seconds left of the lease that ends first (negative: it has ended)."""
        return min(partition.lease.until_s for partition in self._partitions) - self._clock()

    def store_ms(self, number: int) -> int:
        """The store's time in a partition, as this machine's clock carries it on from the last beat."""
        return round(self._partitions[number].store_ahead_ms + self._clock() * 1000)

    @property
    def away_s(self) -> float:
        """For how long no partition has answered; 0 when one does."""
        return self.outages.shortest_s

    @property
    def drift(self) -> float:
        """The rate by which a clock of the store runs wrong, by this node's own clock; the worst of them."""
        return max((partition.clock.drift for partition in self._partitions), key=abs)

    def _spawn(self, work: Coroutine[object, object, object]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _round(self, number: int) -> bool:
        """A beat, and what follows from it. False: it was not answered."""
        due: list[Due] = []

        async def beat() -> None:
            due.extend(await self._beat(number))

        if not await self._noted(number, beat):
            return False
        partition = self._partitions[number]
        if partition.doubtful:
            self._spawn(self._follow(number, partition.telling, self._tell))
        else:
            self._events.settled(number)
            if not partition.registered:
                self._spawn(self._follow(number, partition.telling, self._register))
        if due:
            self._spawn(self._follow(number, partition.sweeping, partial(self._sweep, due)))
        return True

    async def _follow(self, number: int, lock: asyncio.Lock, work: Callable[[int], Awaitable[None]]) -> None:
        """Does what a beat has shown to be due, unless that is under way: the next beat shows what is left."""
        if not lock.locked():
            async with lock:
                await self._noted(number, partial(work, number))

    async def _noted(self, number: int, work: Callable[[], Awaitable[None]]) -> bool:
        """Whether `work` has been done."""
        began_s = self._clock()
        try:
            await work()
        except StoreUnavailable as error:
            self.outages.began(number, began_s, str(error))
        except Exception:  # a fault of ours in one partition: the others must go on
            log.exception("partition not served", partition=number)
        else:
            return True
        return False

    async def _beat(self, number: int) -> list[Due]:
        """Renews the lease and carries out the orders; answers what is due."""
        partition = self._partitions[number]
        async with partition.beating:
            via = "wake-up" if partition.wanted.is_set() else "beat"
            partition.wanted.clear()
            sent_s = self._clock()
            due: list[Due] = []
            while True:
                beat = await self._ask(number, sent_s)
                for order in beat.orders:
                    self._events.carry_out(number, order)
                    partition.done = order.number
                    if self._on_order:
                        self._on_order(via)
                due = due or list(beat.due)
                if not beat.orders or not beat.more:
                    break
            # Only now: a lease that was renewed before its orders are read could outlive a forced logout.
            partition.confirmed_s, partition.last = sent_s, beat
            if not partition.doubtful:
                partition.lease.renewed(sent_s)
        self.outages.over(number)
        self._note_time(number, beat)
        self._events.look_after(beat.licenses)
        return due

    def _note_time(self, number: int, beat: Beat) -> None:
        """A license that ends before the next beat gets a beat of its own, at its end."""
        partition = self._partitions[number]
        partition.store_ahead_ms = beat.wall_ms - self._clock() * 1000
        if partition.alarm:
            partition.alarm.cancel()
            partition.alarm = None
        wait_s = math.inf if beat.next_ms is None else (beat.next_ms - beat.wall_ms) / 1000
        if wait_s < self._options.renew_s:
            partition.alarm = asyncio.get_running_loop().call_later(max(wait_s, SOONEST_S), self.wake, number)

    async def _ask(self, number: int, sent_s: float) -> Beat:
        partition = self._partitions[number]
        beat = await self._store.beat(
            number, self._options.node, done=partition.done, joined=partition.joined
        )
        # While sessions are being re-asserted the lease is not valid, and that is no new reason to.
        over = partition.joined and not partition.doubtful and not partition.lease.valid(sent_s)
        lapsed = beat.lapsed or over
        if beat.epoch != partition.epoch:
            partition.epoch = beat.epoch
            partition.clock.restart()
            lapsed = True
            if beat.now_ms < beat.recover_until_ms:
                self._events.recovering(number)
        if lapsed:
            partition.doubts += 1
        partition.registered = partition.registered and not beat.lapsed
        partition.joined = True
        self._compare_clocks(number, sent_s, beat)
        return beat

    def _compare_clocks(self, number: int, sent_s: float, beat: Beat) -> None:
        clock = self._partitions[number].clock
        before = clock.drift
        clock.seen(sent_s, self._clock(), beat.wall_ms)
        if clock.suspect and clock.drift != before:
            percent = round(clock.drift * 100, 1)
            log.warning(
                "the store's clock does not run as this node's does", percent=percent, partition=number
            )

    async def _tell(self, number: int) -> None:
        """Re-asserts; only then this node may speak for its sessions again. Beats go on meanwhile."""
        partition = self._partitions[number]
        while partition.doubtful:
            doubts = partition.doubts
            if partition.settled:  # who joins has nothing to tell
                await self._events.reassert(number)
            await self._register(number)
            await self._store.report(number, self._options.node, durable=self._durable is True)
            partition.settled = doubts
        partition.lease.renewed(partition.confirmed_s)
        self._events.settled(number)

    async def _register(self, number: int) -> None:
        """Makes sure that the store keeps this node's registration, whatever happens to its servers (where they can tell)."""
        self._durable = await self._is_durable.ask()
        if self._durable is not False:
            self._partitions[number].registered = True

    async def _sweep(self, due: Sequence[Due], number: int) -> None:
        """Goes on at once where there was too much for one beat, as long as that gets anywhere."""
        progress = await sweep(self._store, due, self._events.swept)
        last = self._partitions[number].last
        if progress and last is not None and last.more:
            self.wake(number)
