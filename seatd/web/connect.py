"""The client listener: `/v1/connect`, from the upgrade to the end of the socket."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import NamedTuple

import structlog
from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from seatd.hub.admission import SENT_AWAY, retry_after_s
from seatd.hub.hub import Hub
from seatd.hub.session import Session
from seatd.web.address import PROXIES, Network
from seatd.web.crowd import CONNECTED, SILENT, TOO_MANY, Crowd, Stay, behind_proxy, place_of
from seatd.web.handshake import VERSION, fault_of
from seatd.web.headers import secure
from seatd.web.waited import waited_s
from seatd_protocol import codes
from seatd_protocol.codec import CODECS, MAX_FRAME

log = structlog.get_logger(__name__)

CLOSE_S = 2.0
"""How long a client has to answer a close frame."""

READ_LIMIT = 8 * MAX_FRAME
"""Frames up to here are read to be refused by the contract (4400); larger ones are refused by the library (1009)."""

SEND_BUFFER = 4 * MAX_FRAME
"""Bytes that the kernel is asked to hold for a client that does not read (Linux takes twice as many). Left to itself it
holds up to 4 MiB for each, so that a deaf client is noticed late, and many of them cost the machine its memory."""

HUB = web.AppKey("hub", Hub)
ORIGINS = web.AppKey("origins", frozenset[str])


class WebSocketTransport:
    """A client's socket as the hub sees it. The reader alone ends the socket; others ask for it with a close frame."""

    __slots__ = ("_ended", "_over", "_request", "_ws", "asked_to_close")

    def __init__(self, request: web.Request, ws: web.WebSocketResponse) -> None:
        self._request = request
        self._ws = ws
        self._over = False
        self._ended: asyncio.Event | None = None
        self.asked_to_close = False

    @property
    def lost(self) -> bool:
        """Whether the connection has been lost, or is being cut."""
        transport = self._request.transport
        return transport is None or transport.is_closing()

    async def send(self, frame: bytes | str) -> None:
        """Sends a frame; waits while too much is unsent."""
        if isinstance(frame, str):
            await self._ws.send_str(frame)
        else:
            await self._ws.send_bytes(frame)

    async def close(self, number: int, reason: str) -> None:
        """Sends the close frame and waits for the client's; a client that does not answer is cut off."""
        self.asked_to_close = True
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self._ws.send_frame(struct.pack("!H", number) + reason.encode(), WSMsgType.CLOSE)
                await self._end_seen()
        self.abort()

    def abort(self) -> None:
        """Cuts the connection."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def end(self) -> None:
        """The reader is done: answers a close that the client began, and lets the connection go."""
        if not self.asked_to_close:
            await self._ws.close()
        elif self._request.transport is not None:
            self._request.transport.close()
        self._over = True
        if self._ended is not None:
            self._ended.set()
        await self._let_go()

    async def _end_seen(self) -> None:
        if not self._over:
            self._ended = asyncio.Event()
            await self._ended.wait()

    async def _let_go(self) -> None:
        """The socket keeps the error that ended it, and where that came from leads back to the socket: a ring that would
        stay in memory until the collector finds it."""
        await self._ws.write_eof()  # else the library says goodbye after us, fails, and keeps that
        error = self._ws.exception()
        if error is not None:
            error.__traceback__ = error.__context__ = None


class ClientRules(NamedTuple):
    """Who may connect: pages of which origins, through which proxies, how many from one address (all, those that have not
    said hello, new ones a second)."""

    allowed_origins: frozenset[str] = frozenset()
    proxies: tuple[Network, ...] = ()
    per_address: int = 5000
    silent_per_address: int = 300
    connects_per_s: float = 50.0


ANYBODY = ClientRules()


def make_client_app(hub: Hub, rules: ClientRules = ANYBODY) -> web.Application:
    """The application of the client listener: `/v1/connect` and nothing else."""
    app = web.Application(client_max_size=MAX_FRAME)
    app[HUB] = hub
    app[ORIGINS] = rules.allowed_origins
    app[PROXIES] = rules.proxies
    app[CONNECTED] = Crowd(rules.per_address, rules.connects_per_s)
    app[SILENT] = Crowd(rules.silent_per_address)
    app.on_response_prepare.append(secure)
    app.router.add_get("/v1/connect", connect)
    return app


async def connect(request: web.Request) -> web.StreamResponse:
    """Upgrades, reads until the socket is gone, and tells the hub so, whatever happened."""
    refusal = _refusal(request)
    if refusal is not None:
        return refusal
    connected, silent = request.app[CONNECTED], request.app[SILENT]
    with Stay() as stay, Stay() as silence:
        if not connected.admits(behind_proxy(request), stay):
            return _crowded(request, "address")
        if not silent.admits(place_of(request), silence):
            return _crowded(request, "silent")
        return await _served(request, silence)


async def _served(request: web.Request, silence: Stay) -> web.StreamResponse:
    hub = request.app[HUB]
    ws = web.WebSocketResponse(
        protocols=tuple(CODECS),
        compress=False,
        max_msg_size=READ_LIMIT,
        writer_limit=MAX_FRAME,
        timeout=CLOSE_S,
        autoping=False,
        autoclose=False,
        heartbeat=None,
    )
    try:
        await ws.prepare(request)
    except ConnectionError:  # gone before it was answered, so whatever is answered reaches nobody
        return web.Response(status=503)
    _bound_unsent(request)
    transport = WebSocketTransport(request, ws)
    session = hub.connect(transport, CODECS[ws.ws_protocol or ""])
    let_go = False
    try:
        let_go = await _read(ws, session, silence)
    finally:
        await asyncio.shield(_end(transport, session, let_go))
    return ws


def _bound_unsent(request: web.Request) -> None:
    """What waits for a slow client waits in the outbox, which is bounded and notices it; not below, in much larger buffers."""
    if request.transport is not None:
        request.transport.set_write_buffer_limits(high=MAX_FRAME)
    wire = request.get_extra_info("socket")
    if wire is not None:
        with contextlib.suppress(OSError):  # gone meanwhile: the reader learns it
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)


async def _end(transport: WebSocketTransport, session: Session, let_go: bool) -> None:
    await session.gone(let_go=let_go)
    await transport.end()


async def _read(ws: web.WebSocketResponse, session: Session, silence: Stay) -> bool:
    """Reads to the end of the socket; True when the client itself has closed it, with a close frame."""
    newcomers = session.hub.newcomers
    newcomers.add(session)
    try:
        message = await _next(ws, session)
    finally:
        silence.close()
        newcomers.remove(session)
    while message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
        await session.receive(message.data)
        message = await _next(ws, session)
    _note_end(message, ws, session)
    return message.type is WSMsgType.CLOSE


async def _next(ws: web.WebSocketResponse, session: Session) -> WSMessage:
    """The next message. Pings are answered on the way; like pongs they count as messages, so that they cannot flood."""
    message = await ws.receive()
    while message.type in (WSMsgType.PING, WSMsgType.PONG):
        if session.admits() and message.type is WSMsgType.PING:
            with contextlib.suppress(ConnectionError):
                await ws.pong(message.data)
        message = await ws.receive()
    return message


def _note_end(message: WSMessage, ws: web.WebSocketResponse, session: Session) -> None:
    if message.type is WSMsgType.ERROR:
        # The library has refused the frame itself: too big, reserved bits, not UTF-8.
        too_big = ws.close_code == WSCloseCode.MESSAGE_TOO_BIG
        session.closing = session.closing or codes.BAD_MESSAGE
        log.info("frame refused", reason="too big" if too_big else "not WebSocket")


def _refusal(request: web.Request) -> web.Response | None:
    """Why there is no upgrade, if there is none. The connection ends with it: its descriptor is needed."""
    hub = request.app[HUB]
    if hub.admission.refuses_upgrade(waited_s=waited_s(request.get_extra_info("socket"))):
        return _problem(503, SENT_AWAY, {"Retry-After": str(retry_after_s())})
    reason, status, text = _fault(request)
    if not reason:
        return None
    hub.metrics.refused_total.labels(reason).inc()
    return _problem(status, text, {"Sec-WebSocket-Version": VERSION})


def _crowded(request: web.Request, reason: str) -> web.Response:
    """One address has too much of something."""
    request.app[HUB].metrics.shed_total.labels(reason).inc()
    return _problem(429, TOO_MANY, {"Retry-After": str(retry_after_s())})


def _fault(request: web.Request) -> tuple[str, int, str]:
    """What is wrong with a request: the reason as it is counted ("": nothing), the status, a sentence."""
    if "token" in request.query or "access_token" in request.query:
        return "token_in_address", 400, "a token never goes into the address: send it in hello"
    if not _origin_allowed(request):
        return "origin", 403, "this origin may not connect: see [clients] allowed_origins"
    offered = {name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",")}
    if not offered & set(CODECS):
        return "sub_protocol", 400, f"offer one of the sub-protocols {' and '.join(CODECS)}"
    fault = fault_of(request)
    return ("handshake", 400, fault) if fault else ("", 0, "")


def _origin_allowed(request: web.Request) -> bool:
    """Browsers name the page's origin; one that nobody listed may be an attacker's page. Apps send none."""
    origin = request.headers.get("Origin")
    allowed = request.app[ORIGINS]
    if origin is None or "*" in allowed or origin in allowed:
        return True
    return origin in (f"http://{request.host}", f"https://{request.host}")


def _problem(status: int, text: str, headers: dict[str, str] | None = None) -> web.Response:
    answer = web.Response(status=status, text=f"{text}\n", headers=headers)
    answer.force_close()
    return answer
