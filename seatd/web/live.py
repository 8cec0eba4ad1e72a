"""What happens now, for those who watch: events and use of customers, read once a second for all listeners of this node.

A listener has a bounded buffer; who does not keep up is told so, and goes on later from the last event that he has seen.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import structlog
from aiohttp import web

from seatd.store.event_values import Event
from seatd.store.events import EVENTS_AT_ONCE
from seatd.store.overviews import Overview
from seatd.store.redis import Store
from seatd.store.values import StoreUnavailable, Value
from seatd.web.errors import Problem

log = structlog.get_logger(__name__)

POLL_S = 1.0
ROOM = 2000
"""Events that may wait for a listener."""
PER_CALLER = 10
PER_NODE = 500
USAGE_POLLS = 5
"""Use is looked at when something has happened, and after so many polls in any case: a limit changes without an event."""


class Usage(Value, frozen=True, kw_only=True):
    """A customer's use at one moment; `waiting`: in the queue."""

    overview: Overview
    waiting: int


class Listener:
    """Somebody who watches a customer. `is_lagging`: events have been left out; `is_over`: the node stops."""

    def __init__(self, customer: str, room: int) -> None:
        self.customer = customer
        self.cursor = ""
        self.is_lagging = self.is_over = False
        self._room = room
        self._events: deque[Event] = deque()
        self._usage: Usage | None = None
        self._news = asyncio.Event()

    def tell(self, events: list[Event], usage: Usage | None) -> None:
        """What is new. Nothing more is kept for one that lags."""
        if len(self._events) + len(events) > self._room:
            self.is_lagging = True
            self._events.clear()
        elif not self.is_lagging:
            self._events += events
        self._usage = usage or self._usage
        self._news.set()

    def end(self) -> None:
        """The node stops."""
        self.is_over = True
        self._news.set()

    async def news(self, timeout_s: float) -> tuple[list[Event], Usage | None]:
        """What has come since it was asked the last time; waits for it, but not for longer than that."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._news.wait()
        self._news.clear()
        events, usage = list(self._events), self._usage
        self._events.clear()
        self._usage = None
        return events, usage


@dataclass(slots=True, eq=False)
class Watch:
    """A customer that somebody listens to: read up to `cursor`."""

    customer: str
    cursor: str | None = None
    usage: Usage | None = None
    polls: int = 0
    listeners: set[Listener] = field(default_factory=set)


class Live:
    """All listeners of this node. The store is only asked while there are some."""

    def __init__(self, store: Store, *, room: int = ROOM, poll_s: float = POLL_S) -> None:
        self._store = store
        self._room = room
        self._poll_s = poll_s
        self._watches: dict[str, Watch] = {}
        self._callers: Counter[str] = Counter()
        self._polling: asyncio.Task[None] | None = None
        self._is_closed = False

    @contextmanager
    def admitted(self, caller: str) -> Iterator[None]:
        """While this lasts, the caller has a stream more; the problem `too_many_streams` when there is no room for it."""
        if self._callers[caller] >= PER_CALLER or self._callers.total() >= PER_NODE:
            raise Problem("too_many_streams", headers={"Retry-After": "30"})
        self._callers[caller] += 1
        try:
            yield
        finally:
            self._callers[caller] -= 1
            self._callers += Counter()  # forgets those that have none

    async def listen(self, customer: str) -> Listener:
        """A listener that is told of every event behind its `cursor`, and of the use now. Raises `StoreUnavailable`."""
        watch = self._watches.setdefault(customer, Watch(customer))
        listener = Listener(customer, self._room)
        watch.listeners.add(listener)  # first of all, so that it misses nothing
        try:
            if watch.cursor is None:
                _, newest = await self._store.event_bounds(customer)
                watch.cursor = watch.cursor or newest
            listener.cursor = watch.cursor
            watch.usage = watch.usage or await self._usage(customer)
            listener.tell([], watch.usage)
        except BaseException:
            self.leave(listener)
            raise
        if self._is_closed:
            listener.end()
        elif self._polling is None:
            self._polling = asyncio.create_task(self._poll())
        return listener

    def leave(self, listener: Listener) -> None:
        """Somebody listens no more."""
        watch = self._watches[listener.customer]
        watch.listeners.discard(listener)
        if not watch.listeners:
            del self._watches[listener.customer]
        if not self._watches and self._polling is not None:
            self._polling.cancel()
            self._polling = None

    async def close(self, _app: web.Application | None = None) -> None:
        """The node stops: all listeners are told, and there are no new ones."""
        self._is_closed = True
        for watch in self._watches.values():
            for listener in watch.listeners:
                listener.end()

    async def _poll(self) -> None:
        while self._watches:
            await asyncio.sleep(self._poll_s)
            await asyncio.gather(*map(self._look, tuple(self._watches.values())))

    async def _look(self, watch: Watch) -> None:
        """Reads what is new of a customer, and tells its listeners."""
        if watch.cursor is None:
            return
        try:
            events = await self._store.events_after(watch.customer, watch.cursor)
            watch.polls += 1
            usage = None
            if events or watch.polls % USAGE_POLLS == 0:
                usage = await self._usage(watch.customer)
        except StoreUnavailable:
            return
        except Exception:  # a fault of ours with one customer: the others must go on
            log.exception("stream not read", customer=watch.customer)
            return
        if events:
            watch.cursor = events[-1].seq
        is_new = usage is not None and usage != watch.usage
        watch.usage = usage or watch.usage
        if events or is_new:
            for listener in watch.listeners:
                listener.tell(events, usage if is_new else None)
        if len(events) == EVENTS_AT_ONCE:
            await self._look(watch)

    async def _usage(self, customer: str) -> Usage:
        overview, waiting = await asyncio.gather(
            self._store.overview(customer), self._store.queue_length(customer)
        )
        return Usage(overview=overview, waiting=waiting)


LIVE = web.AppKey("live", Live)
