"""The HTTP of a listener: aiohttp's, but for what it tells strangers and what it lets them do.

Of a request that is none the library answers with its own name and version and with what its parser found, and writes a
traceback into the log each time: both a gift to whoever sends them by the thousand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from seatd.hub.admission import retry_after_s
from seatd.web.address import Network
from seatd.web.crowd import TOO_MANY, Crowd, Stay, peer_of
from seatd.web.frames import FrameGuard
from seatd.web.headers import SECURITY_HEADERS

LINGER_S = 2.0
"""How long the rest of a body is waited for that nobody wants."""
BODY = f"{TOO_MANY}\n"
REFUSAL = (
    "HTTP/1.1 429 Too Many Requests\r\n"
    "Retry-After: {retry_after_s}\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    f"Content-Length: {len(BODY)}\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Server: seatd\r\n"
    "Connection: close\r\n"
    "\r\n" + BODY
)


class Gate(NamedTuple):
    """Who may have a connection at all, and who is told of refusals. `crowd` None: nobody has too many."""

    note_malformed: Callable[[], object]
    note_crowded: Callable[[], object]
    crowd: Crowd | None = None
    proxies: tuple[Network, ...] = ()


class Handler(web.RequestHandler):
    """One connection."""

    __slots__ = ("_gate", "_stay")

    def __init__(self, server: web.Server, gate: Gate, **options: Any) -> None:
        super().__init__(server, **options)
        self._gate = gate
        self._stay: Stay | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection from an address that has too many already is told so before it has said anything."""
        super().connection_made(transport)
        crowd = self._gate.crowd
        if crowd is None:
            return
        peer = transport.get_extra_info("peername")
        place = peer_of(peer[0] if peer else None, self._gate.proxies)
        if not place:
            return
        self._stay = Stay()
        if crowd.admits(place, self._stay):
            return
        self._gate.note_crowded()
        cast(asyncio.Transport, transport).write(REFUSAL.format(retry_after_s=retry_after_s()).encode())
        self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """It is over."""
        if self._stay is not None:
            self._stay.close()
        super().connection_lost(exc)

    def set_parser(self, parser: Any, data_received_cb: Callable[[], None] | None = None) -> None:
        """From here on the bytes are a WebSocket's."""
        super().set_parser(cast(Any, FrameGuard(parser)), data_received_cb)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what is no request says so, and nothing else; a handler that broke is told in the log."""
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        self._gate.note_malformed()
        headers = {**SECURITY_HEADERS, "Server": "seatd"}
        answer = web.Response(status=status, text="this is no HTTP request\n", headers=headers)
        answer.force_close()
        return answer

    def log_exception(self, *args: Any, **how: Any) -> None:
        """A body that is not what its headers say, and that nobody wanted to read, is counted, not told with a traceback."""
        if isinstance(how.get("exc_info"), HttpProcessingError | web.RequestPayloadError):
            self._gate.note_malformed()
        else:
            super().log_exception(*args, **how)


class Server(web.Server):
    """Makes a handler for each connection, behind its gate."""

    gate: Gate

    def __call__(self) -> Handler:
        """The handler of a new connection."""
        return Handler(self, self.gate, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """Runs an application on such a server."""

    def __init__(self, app: web.Application, gate: Gate, **options: Any) -> None:
        super().__init__(app, access_log=None, lingering_time=LINGER_S, **options)
        self._gate = gate

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        server = Server(
            made.request_handler, request_factory=made.request_factory, loop=made._loop, **made._kwargs
        )
        server.gate = self._gate
        return server
