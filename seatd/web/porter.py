"""Who comes while there is too much to do: sent away for next to nothing, or shown in.

To refuse a request in the application costs nearly as much as to serve it: a node that did could spend all its time on that.
"""

from __future__ import annotations

import asyncio
from typing import cast

from aiohttp import web

from seatd.hub.admission import SENT_AWAY, Admission, retry_after_s
from seatd.web.waited import waited_s

PATIENCE_S = 5.0
"""How long a connection may be silent."""
BODY = f"{SENT_AWAY}\n"
REFUSAL = (
    "HTTP/1.1 503 Service Unavailable\r\n"
    "Retry-After: {retry_after_s}\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    f"Content-Length: {len(BODY)}\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Connection: close\r\n"
    "\r\n" + BODY
)


class Porter(asyncio.Protocol):
    """One connection, until it has said something. It is in `present` while it is the porter's."""

    __slots__ = ("_admission", "_inside", "_patience", "_present", "_transport")

    def __init__(self, admission: Admission, inside: web.Server, present: set[Porter]) -> None:
        self._admission = admission
        self._inside = inside
        self._present = present
        self._transport: asyncio.Transport | None = None
        self._patience: asyncio.TimerHandle | None = None

    def abort(self) -> None:
        """Cuts the connection."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Waits for the request."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one, but for its class
        self._patience = asyncio.get_running_loop().call_later(PATIENCE_S, self.abort)
        self._present.add(self)

    def data_received(self, data: bytes) -> None:
        """The request, or the beginning of one."""
        assert self._transport is not None
        waited = waited_s(self._transport.get_extra_info("socket"))
        if self._admission.refuses_upgrade(waited_s=waited):
            self._transport.write(REFUSAL.format(retry_after_s=retry_after_s()).encode())
            self._transport.close()
        else:
            self._let_go()
            handler = self._inside()
            self._transport.set_protocol(handler)
            handler.connection_made(self._transport)
            handler.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._let_go()

    def _let_go(self) -> None:
        self._present.discard(self)
        if self._patience is not None:
            self._patience.cancel()
