"""The hub: the sessions of this node, and what works for all of them."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress

import structlog

from seatd.hub.admission import Admission
from seatd.hub.beats import Wheel
from seatd.hub.deletions import Deletions
from seatd.hub.departures import Departures
from seatd.hub.drain import move_all
from seatd.hub.endings import Endings
from seatd.hub.forever import forever
from seatd.hub.leases import LeaseEvents, Leases
from seatd.hub.license_memory import LicenseMemory
from seatd.hub.logout import Logouts
from seatd.hub.memory import Memory
from seatd.hub.newcomers import Newcomers
from seatd.hub.options import HubOptions
from seatd.hub.orders import Orders
from seatd.hub.policies import Policies
from seatd.hub.queue import Queue
from seatd.hub.reassertion import Reassertion
from seatd.hub.session import Session
from seatd.hub.shares import Shares
from seatd.hub.tickets import Tickets
from seatd.hub.tokens import TokenChecker
from seatd.hub.transport import Transport
from seatd.hub.untold import Untold
from seatd.licensing.catalog import Catalog
from seatd.metrics import Metrics
from seatd.store.redis import Store
from seatd.store.values import Denied, Ended, Gone, Granted, Queued, StoreUnavailable
from seatd.store.wakeups import RegistryChanged, Wakeups
from seatd_protocol import codes
from seatd_protocol.codec import Codec

log = structlog.get_logger(__name__)


CANCEL_AGAIN_S = 0.5


class Hub:
    """Sessions by id, the beat, the node's leases, and everybody who needs to know of them.

    `node` is this process's id in the store: the configured name and something that no other process has had.
    """

    def __init__(
        self,
        store: Store,
        wakeups: Wakeups,
        catalog: Catalog,
        tokens: TokenChecker,
        metrics: Metrics,
        options: HubOptions,
    ) -> None:
        self.store = store
        self.catalog = catalog
        self.tokens = tokens
        self.metrics = metrics
        self.options = options
        self.node = options.node
        self.draining = False
        self.wheel = Wheel(options.beat_s, self._note_lag)
        self.newcomers = Newcomers(options.hello_timeout_s)
        self.admission = Admission(self)
        self.shares = Shares(options.requests_at_once, lambda: len(self._by_customer) <= 1)
        self.endings = Endings()
        self.memory = Memory(
            remember_s=options.remember_s,
            linger_s=options.linger_s,
            served_s=lambda customer: self.leases.outages.served_s(store.partition(customer)),
        )
        self.departures = Departures(self)
        self.orders = Orders(self)
        self.reassertion = Reassertion(self, audit_s=options.audit_s)
        self.policies = Policies(self)
        self.deletions = Deletions(self)
        self.licenses = LicenseMemory(self)
        self.tickets = Tickets(self)
        self.on_found_again: Callable[[], Awaitable[object]] | None = None
        self.logouts = Logouts(store, options.node, metrics, self.memory)
        self.leases = Leases(
            store,
            options,
            LeaseEvents(
                carry_out=self.orders.carry_out,
                reassert=self.reassertion.tell,
                settled=self.endings.retry,
                recovering=self._note_recovery,
                swept=self._note_swept,
                look_after=self.policies.look_after,
            ),
            on_order=lambda via: metrics.orders_total.labels(via).inc(),
        )
        store.on_epoch = store.on_licenses = self.leases.wake
        metrics.node_lease_remaining_seconds.set_function(self.leases.remaining_s)
        metrics.store_clock_drift_ratio.set_function(lambda: self.leases.drift)
        metrics.sessions_at_risk.set_function(self._at_risk)
        self.queue = Queue(self)
        self.untold = Untold(store, metrics)
        self._wakeups = wakeups
        self._sessions: dict[str, Session] = {}
        self._by_partition: dict[int, dict[str, Session]] = defaultdict(dict)
        self._by_customer: Counter[str] = Counter()
        self._connected: set[Session] = set()
        self._emptied = asyncio.Event()
        self._emptied.set()
        self._tasks: set[asyncio.Task[None]] = set()

    # -- start and stop ---------------------------------------------------------------------------

    async def start(self) -> None:
        """Takes this node's leases and begins to beat, to renew and to listen."""
        await self.leases.join()
        background = (
            self.wheel.turn,
            self.leases.renew,
            self._listen,
            self.queue.watch,
            self.licenses.watch,
            self.reassertion.audit,
            self.untold.tell,
            self.admission.lag.watch,
        )
        for work in background:
            self.spawn(forever(work))

    async def drain(self) -> None:
        """Takes no more clients, and sends those it has elsewhere; their seats are kept for them."""
        self.draining = True
        self.metrics.draining.set(1)
        with suppress(TimeoutError):
            async with asyncio.timeout(self.options.drain_s):
                await move_all(tuple(self._connected), self.options.drain_s)
                await self._emptied.wait()

    async def stop(self) -> None:
        """Ends what runs in the background, and gives this node's leases back."""
        ending = set(self._tasks)
        while (
            ending
        ):  # asked again: on Python 3.11 `asyncio.wait_for` can swallow a cancellation, and redis-py uses it
            for task in ending:
                task.cancel()
            _, ending = await asyncio.wait(ending, timeout=CANCEL_AGAIN_S)
        while self._tasks:  # what was begun by those that ended: sockets to close, endings to tell
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.endings.quiet()
        await self.untold.flush()
        try:
            await self.leases.leave()
        except StoreUnavailable:
            log.warning("the store is away: this node's leases will run out by themselves")
        await self._wakeups.close()

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """Runs `work` beside everything else, until it ends or the hub stops."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def checks(self) -> dict[str, str]:
        """What readiness depends on: name -> "" when fine, else why not."""
        return {
            "draining": "this node is being stopped" if self.draining else "",
            "store": "the store does not answer" if self.leases.away_s > self.options.lease_s else "",
            "wakeups": self._wakeups.trouble,
            "capacity": "no room for another session" if self.is_full or self.is_crowded else "",
        }

    # -- sessions of this node --------------------------------------------------------------------

    @property
    def is_full(self) -> bool:
        """Whether this node has as many sessions as it may."""
        return len(self._sessions) >= self.options.max_sessions

    @property
    def is_crowded(self) -> bool:
        """Whether this node has as many sockets as it has descriptors for, with and without a session."""
        return len(self._connected) >= self.options.max_connections

    def connect(self, transport: Transport, codec: Codec) -> Session:
        """A socket has been opened; what comes over it goes to `Session.receive`, its end to `Session.gone`."""
        session = Session(self, transport, codec)
        self._connected.add(session)
        self._emptied.clear()
        if self.draining:  # the upgrade began before
            session.close(codes.MOVING)
        return session

    def register(self, session: Session, state: str) -> None:
        """A session lives here now, `attached` or `waiting`. An older socket of the same session is closed."""
        older = self._sessions.get(session.key)
        if older and older.fence > session.fence:  # two resumes at once, their answers out of order
            session.welcomed = False  # it never lived here
            return session.close(codes.LEASE_LOST)
        if older is None:
            self._by_customer[session.identity.customer] += 1
        self._sessions[session.key] = session
        self._by_partition[session.partition][session.key] = session
        self.memory.back(session.identity.customer, session.key)
        self.licenses.want(session.identity.customer)
        self._count(session, state)
        self.wheel.add(session)
        if older and older is not session:
            older.replace()
        return None

    async def withdraw(self, session: Session) -> None:
        """A session that waited ends, its socket does not: it may still be let in without a seat."""
        if self._sessions.get(session.key) is session:
            self._forget(session)
        self._count(session, "")
        session.stored = False
        await self.departures.end_waiter(session)

    def remove(self, session: Session) -> None:
        """A socket is gone."""
        self._connected.discard(session)
        if not self._connected:
            self._emptied.set()
        self.wheel.remove(session)
        if session.closing:
            self.metrics.sessions_closed_total.labels(session.closing.slug).inc()
        self.queue.forget(session)
        self._count(session, "")
        if self._sessions.get(session.key) is session:
            self._forget(session)

    def _forget(self, session: Session) -> None:
        del self._sessions[session.key]
        del self._by_partition[session.partition][session.key]
        customer = session.identity.customer
        self._by_customer[customer] -= 1
        if not self._by_customer[customer]:
            del self._by_customer[customer]

    async def _listen(self) -> None:
        async for announced in self._wakeups.announced():
            if isinstance(announced, RegistryChanged):
                self.licenses.changed(announced.customer)
            elif isinstance(announced, str):
                self.queue.moved(announced)
            else:
                self.leases.wake(announced)

    # -- what node and store hold ------------------------------------------------------------------

    def sessions(self, partition: int) -> tuple[Session, ...]:
        """The sessions of a partition that are on this node, as they are now."""
        return tuple(self._by_partition[partition].values())

    def customers(self) -> set[str]:
        """The customers that have sessions on this node."""
        return set(self._by_customer)

    async def found_again(self) -> None:
        """The store may have lost what belongs to no partition, too: puts it back. Raises `StoreUnavailable`."""
        await self.store.found_again()
        await self.store.find_domains_again()
        if self.on_found_again is not None:
            await self.on_found_again()

    def _note_recovery(self, partition: int) -> None:
        """Tells clients that nothing new is granted for a while."""
        for session in self.sessions(partition):
            session.note_recovery()

    def _note_swept(self, customer: str, ended: Sequence[Ended]) -> None:
        for item in ended:
            self.memory.ended(customer, item)

    def knows(self, key: str) -> bool:
        """Whether a session is here, on its way here, or on its way out with its end not yet confirmed."""
        return key in self._sessions or self.orders.is_arriving(key) or self.endings.has(key)

    def find(self, key: str, fence: int) -> Session | None:
        """The session that lives here under this fence."""
        session = self._sessions.get(key)
        return session if session is not None and session.fence == fence else None

    def lose(self, key: str, fence: int) -> None:
        """The store says that a session is no longer this node's; its client may look for it elsewhere."""
        if session := self.find(key, fence):
            session.close(codes.LEASE_LOST)

    # -- figures ----------------------------------------------------------------------------------

    def count_request(
        self, verb: str, products: Iterable[str], outcome: Granted | Queued | Denied | Gone
    ) -> None:
        """Counts what was asked of the store, product by product."""
        result = type(outcome).__name__.lower()
        for product in products:
            label = self.metrics.product_label(product)
            self.metrics.seat_requests_total.labels(verb, result, label).inc()

    def _count(self, session: Session, state: str) -> None:
        kind = session.device.kind if session.counted_as or state else None
        if session.counted_as:
            self.metrics.sessions.labels(kind, session.counted_as).dec()
        if state:
            self.metrics.sessions.labels(kind, state).inc()
        session.counted_as = state

    def count_denial(self, outcome: Denied) -> None:
        """Counts a denial by its reason."""
        label = self.metrics.product_label(outcome.product or "")
        self.metrics.denials_total.labels(label, outcome.code).inc()

    def _at_risk(self) -> float:
        return sum(
            len(sessions)
            for number, sessions in self._by_partition.items()
            if self.leases.lapsed_s(number) > 0 and self.leases.may_beat(number)
        )

    def _note_lag(self, lag_s: float) -> None:
        self.metrics.beat_lag_seconds.observe(lag_s)
        self.metrics.loop_lag_seconds.observe(lag_s)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("task failed", task=str(task.get_coro()), exc_info=error)
