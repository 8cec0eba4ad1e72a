"""An answer that goes on: server-sent events (WHATWG HTML, 9.2)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final

from aiohttp import web

from seatd.store.values import StoreUnavailable
from seatd.web.api.narration import EMPTY, Narration, Plot, block
from seatd.web.caller import Caller
from seatd.web.errors import Problem, invalid
from seatd.web.identify import caller_of
from seatd.web.live import LIVE, Listener

CONTENT_TYPE: Final = "text/event-stream"
WRITE_S: Final = 10.0
"""How long a reader may leave what it was sent before it is cut off."""
SEQ: Final = re.compile(r"[0-9]{1,15}-[0-9]{1,15}")
HEADER: Final = "Last-Event-ID"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStream:
    """A stream of what `plot` says. `caller` is whose it is: nobody has very many. `may_go_on` is asked now and then, with the
    caller as he is then."""

    plot: Plot
    caller: str
    may_go_on: Callable[[Caller], Awaitable[bool]]

    async def send(self, request: web.Request) -> web.StreamResponse:
        """The stream as the answer to a request: returns when it is over."""
        live, plot = request.app[LIVE], replace(self.plot, after=_last(request) or self.plot.after)
        with live.admitted(self.caller):
            listener = await live.listen(self.plot.customer)
            try:
                return await self._send(request, plot, listener)
            finally:
                live.leave(listener)

    async def _send(self, request: web.Request, plot: Plot, listener: Listener) -> web.StreamResponse:
        response = web.StreamResponse(headers={"X-Accel-Buffering": "no"})
        response.content_type, response.charset = CONTENT_TYPE, "utf-8"
        try:
            await response.prepare(request)
            await _tell(response, Narration(plot, listener, lambda: self._may_go_on(request)))
            await response.write_eof()
        except (TimeoutError, ConnectionError):  # it takes nothing, or is gone
            if request.transport is not None:
                request.transport.abort()
        return response

    async def _may_go_on(self, request: web.Request) -> bool:
        try:
            return await self.may_go_on(await caller_of(request, is_use=False))
        except Problem:
            return False


def _last(request: web.Request) -> str | None:
    """The last event that a client has seen before its connection broke."""
    seq = request.headers.get(HEADER, "")
    if seq and not SEQ.fullmatch(seq):
        raise invalid(HEADER, "is no id of this stream")
    return seq or None


async def _tell(response: web.StreamResponse, narration: Narration) -> None:
    try:
        async for piece in narration.pieces():
            await _write(response, piece)
    except StoreUnavailable:
        await _write(response, block("end", EMPTY))


async def _write(response: web.StreamResponse, piece: bytes) -> None:
    async with asyncio.timeout(WRITE_S):
        await response.write(piece)
