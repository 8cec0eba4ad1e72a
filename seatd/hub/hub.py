"""The hub: the sessions of this node, and what the store wants them to know."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial

import structlog

from seatd.hub.beats import Wheel
from seatd.hub.deletions import Deletions
from seatd.hub.drain import move_all
from seatd.hub.endings import Endings
from seatd.hub.forever import forever
from seatd.hub.leases import LeaseEvents, Leases
from seatd.hub.license_memory import LicenseMemory
from seatd.hub.logout import Logouts
from seatd.hub.memory import Memory
from seatd.hub.options import HubOptions
from seatd.hub.policies import Policies, worded
from seatd.hub.queue import Queue
from seatd.hub.reassertion import Reassertion
from seatd.hub.secret import hashed
from seatd.hub.session import Session
from seatd.hub.tickets import Tickets
from seatd.hub.tokens import TokenChecker
from seatd.hub.transport import Transport
from seatd.licensing.catalog import Catalog
from seatd.metrics import Metrics
from seatd.store.redis import Store
from seatd.store.values import Denied, Ended, Gone, Granted, Held, Order, Queued, StoreUnavailable
from seatd.store.wakeups import RegistryChanged, Wakeups
from seatd_protocol import codes
from seatd_protocol.codec import Codec

log = structlog.get_logger(__name__)


CANCEL_AGAIN_S = 0.5


class Arriving:
    """Sockets that one session is just being opened or attached for, and the orders that wait for them."""

    def __init__(self) -> None:
        self.number = 0
        self.orders: list[Order] = []


class Hub:
    """Sessions by id, the beat, the node's leases, and the way orders take to a session.

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
        self.endings = Endings()
        self.memory = Memory(
            remember_s=options.remember_s,
            linger_s=options.linger_s,
            served_s=lambda customer: self.leases.served_s(store.partition(customer)),
        )
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
                carry_out=self._carry_out,
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
        self._wakeups = wakeups
        self._sessions: dict[str, Session] = {}
        self._by_partition: dict[int, dict[str, Session]] = defaultdict(dict)
        self._connected: set[Session] = set()
        self._emptied = asyncio.Event()
        self._emptied.set()
        self._arriving: dict[str, Arriving] = {}
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
            "capacity": "no room for another session" if self.is_full else "",
        }

    # -- sessions of this node --------------------------------------------------------------------

    @property
    def is_full(self) -> bool:
        """Whether this node has as many sessions as it may."""
        return len(self._sessions) >= self.options.max_sessions

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
        self._sessions.pop(session.key, None)
        self._by_partition[session.partition].pop(session.key, None)
        self._count(session, "")
        session.stored = False
        await self._end(session.identity.customer, session.key, session.fence)

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
            del self._sessions[session.key]
            del self._by_partition[session.partition][session.key]

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
                    self._carry_out(session.partition, order)

    # -- endings ----------------------------------------------------------------------------------

    async def end(self, session: Session, *, delivered: bool, acknowledged: bool) -> None:
        """Ends a session in the store: its seats are free."""
        self.memory.ended(session.identity.customer, session.ended)
        await self._end(
            session.identity.customer,
            session.key,
            session.fence,
            delivered=delivered,
            acknowledged=acknowledged,
        )

    async def park(self, session: Session, held: Held) -> None:
        """Keeps a session's seats for its client to come back."""
        self.memory.parked(session.identity.customer, held)
        await self._park(session, session.fence)

    async def park_unsure(self, session: Session) -> None:
        """Parks a session of which it is not known whether it was attached to this node."""
        await self._park(session, None)

    async def end_unsure(self, session: Session) -> None:
        """Ends a session of which it is not known whether it was opened."""
        await self._end(session.identity.customer, session.key, 1)

    async def acquires_are_settled(self, session: Session) -> bool:
        """Before a session asks again: whether no acquire of unknown outcome is left to be undone."""
        name = f"{session.key} products"
        undo = await self.endings.withdraw(session.partition, name)
        if undo is not None:
            await self.endings.settle(session.partition, name, undo)
        return not self.endings.has(name)

    async def undo_acquire(self, session: Session, products: list[str], *, waits: bool) -> None:
        """An acquire's outcome is unknown: gives back what the session did not have before, and the place in the queue."""
        missing = [product for product in products if product not in session.seats]
        customer = session.identity.customer

        async def undo() -> None:
            if waits:
                await self.store.leave_queue(customer, session=session.key, fence=session.fence)
            await self.store.release(customer, session=session.key, fence=session.fence, products=missing)

        await self.endings.settle(session.partition, f"{session.key} products", undo)

    async def _park(self, session: Session, fence: int | None) -> None:
        ending = partial(
            self.store.park,
            session.identity.customer,
            self.node,
            session=session.key,
            fence=fence,
            secret=hashed(session.secret),
        )
        await self.endings.settle(session.partition, session.key, ending)

    async def _end(self, customer: str, key: str, fence: int, **told: bool) -> None:
        async def finish() -> None:
            gone = await self.store.finish(customer, session=key, fence=fence, **told)
            if gone and gone.reason == "superseded":
                self.memory.not_ended(customer, key)

        await self.endings.settle(self.store.partition(customer), key, finish)

    # -- orders -----------------------------------------------------------------------------------

    async def _listen(self) -> None:
        async for announced in self._wakeups.announced():
            if isinstance(announced, RegistryChanged):
                self.licenses.changed(announced.customer)
            elif isinstance(announced, str):
                self.queue.moved(announced)
            else:
                self.leases.wake(announced)

    def _carry_out(self, partition: int, order: Order) -> None:
        try:
            self._do(order)
        except (
            Exception
        ):  # a fault of ours with one order: those behind it, and this node's lease, must go on
            log.exception("order not carried out", type=order.type, session=order.session)
            if order.type == "logout" and (session := self._sessions.get(order.session)):
                session.close(codes.INTERNAL)

    def _do(self, order: Order) -> None:
        if order.type == "logout":
            self.memory.ordered(order)
        if order.type == "receipt":
            self.logouts.receipt(order)
        elif order.type == "notice":
            self.policies.notice(order)
        elif (arriving := self._arriving.get(order.session)) and not self._is_urgent(order):
            arriving.orders.append(order)
        elif (session := self._sessions.get(order.session)) and session.fence == order.fence:
            self._tell(session, order)
        # Otherwise its socket is gone, its client need not be: the seat stays taken until that client's lease is over.

    def _is_urgent(self, order: Order) -> bool:
        """Whether an order is for a session that lives here. (Only a turn in the queue waits for its acquire's answer.)"""
        session = self._sessions.get(order.session)
        return (
            session is not None and session.fence == order.fence and order.type not in ("granted", "refused")
        )

    def _tell(self, session: Session, order: Order) -> None:
        match order.type:
            case "logout":
                session.force_out(worded(order))
            case "changed":
                self.policies.changed(session, order)
            case "superseded":
                session.replace()
            case "granted":
                self.queue.granted(order)
            case "refused":
                self.queue.refused(order)

    # -- what node and store hold ------------------------------------------------------------------

    def sessions(self, partition: int) -> tuple[Session, ...]:
        """The sessions of a partition that are on this node, as they are now."""
        return tuple(self._by_partition[partition].values())

    def customers(self) -> set[str]:
        """The customers that have sessions on this node."""
        return {session.identity.customer for session in self._sessions.values()}

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
        return key in self._sessions or key in self._arriving or self.endings.has(key)

    def lose(self, key: str, fence: int) -> None:
        """The store says that a session is no longer this node's; its client may look for it elsewhere."""
        session = self._sessions.get(key)
        if session is not None and session.fence == fence:
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
