"""What a stream of server-sent events says, piece by piece: what was missed, what happens, and why it ends."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

from seatd.store.event_values import Event
from seatd.store.events import EVENTS_AT_ONCE, NO_SEQ, seq_key
from seatd.store.redis import Store
from seatd.web.live import Listener, Usage

RETRY_MS: Final = 3000
HEARTBEAT_S: Final = 15.0
RECHECK_S: Final = 1.0
"""How soon a stream notices that its caller may not see it any more: mostly a look into memory (see `Console`)."""
EMPTY: Final = b"{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """What is to be told of a customer: from now on, or first what follows the event `after`; for `lasts_s`, None: for good.
    `event` and `usage` answer the data; None: that is not for this caller."""

    store: Store
    customer: str
    after: str | None
    lasts_s: float | None
    event: Callable[[Event], bytes | None]
    usage: Callable[[Usage], bytes | None]


class Narration:
    """Tells one listener. `may_go_on` is asked every second; `clock` gives monotonic seconds."""

    def __init__(
        self,
        plot: Plot,
        listener: Listener,
        may_go_on: Callable[[], Awaitable[bool]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plot = plot
        self._listener = listener
        self._may_go_on = may_go_on
        self._clock = clock
        self._position = plot.after or listener.cursor
        self._began_s = self._said_s = self._checked_s = clock()

    async def pieces(self) -> AsyncIterator[bytes]:
        """What to send, until it is over. Raises `StoreUnavailable`."""
        yield f"retry: {RETRY_MS}\n\n".encode()
        if self._plot.after is not None:
            async for piece in self._missed():
                yield piece
        is_over = False
        while not is_over:
            piece, is_over = await self._next()
            if piece:
                self._said_s = self._clock()
                yield piece

    async def _missed(self) -> AsyncIterator[bytes]:
        """What is kept behind the caller's last event, after a word when there may have been more."""
        plot = self._plot
        oldest, _ = await plot.store.event_bounds(plot.customer)
        if self._position != NO_SEQ and seq_key(self._position) < seq_key(oldest):
            yield block("gap", EMPTY)
        is_more = True
        while is_more:
            events = await plot.store.events_after(plot.customer, self._position)
            is_more = len(events) == EVENTS_AT_ONCE
            yield self._told(events)

    async def _next(self) -> tuple[bytes, bool]:
        """The next piece, and whether it is the last one."""
        events, usage = await self._listener.news(min(RECHECK_S, self._left_s()))
        piece = self._told(events)
        data = None if usage is None else self._plot.usage(usage)
        if data is not None:
            piece += block("usage", data)
        if why := await self._end():
            return piece + block(why, EMPTY), True
        is_quiet = self._clock() - self._said_s >= HEARTBEAT_S - 1
        return piece or (b":\n\n" if is_quiet else b""), False

    def _told(self, events: Iterable[Event]) -> bytes:
        """Those of the events that have not been told yet, and are for this caller."""
        parts = []
        for event in events:
            if seq_key(event.seq) > seq_key(self._position):
                self._position = event.seq
                data = self._plot.event(event)
                parts.append(b"" if data is None else block(event.type, data, event.seq))
        return b"".join(parts)

    async def _end(self) -> str:
        """The last word; "": it goes on."""
        if self._listener.is_lagging:
            return "lagging"
        if self._listener.is_over or self._left_s() <= 0:
            return "end"
        if self._clock() - self._checked_s >= RECHECK_S:
            self._checked_s = self._clock()
            return "" if await self._may_go_on() else "end"
        return ""

    def _left_s(self) -> float:
        lasts_s = self._plot.lasts_s
        return HEARTBEAT_S if lasts_s is None else max(0.0, self._began_s + lasts_s - self._clock())


def block(kind: str, data: bytes, id: str = "") -> bytes:
    """One event as it is sent. `data` has no line breaks: it is JSON."""
    named = f"id: {id}\n" if id else ""
    return f"{named}event: {kind}\ndata: ".encode() + data + b"\n\n"
