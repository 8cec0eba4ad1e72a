"""A server that does what a test says, for what a real one does only when it breaks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import WSMessage, web

from loadtest.clients.client import Terms
from loadtest.clients.connection import Place
from seatd_protocol.codec import CODECS
from seatd_protocol.messages import ClientMessage, Seat, ServerMessage, Welcome

CODEC = CODECS["seatd.v1.msgpack"]
SEAT = Seat(product="CALL_CENTER", license="l", kind="competitive", holder="h", since_ms=1, until_ms=2)
WELCOME = Welcome(
    session="s1",
    secret="x",
    resumed=False,
    user="u@d",
    domain="d",
    node="n",
    seats=(SEAT,),
    sections=(),
    beat_s=8,
    lease_s=24,
    linger_s=30,
    server_ms=1,
    max_frame=8192,
    token_ttl_s=60,
    ticket="t0",
)

Script = Callable[["Talk"], Awaitable[None]]


class Talk:
    """The server's side of a conversation."""

    def __init__(self, request: web.Request, ws: web.WebSocketResponse) -> None:
        self.ws = ws
        self.remote = request.remote or ""
        self._request = request

    async def hears(self) -> ClientMessage:
        message: WSMessage = await self.ws.receive(timeout=10)
        return CODEC.decode_client(message.data)

    async def says(self, message: ServerMessage) -> None:
        data = CODEC.encode(message)
        assert isinstance(data, bytes)
        await self.ws.send_bytes(data)

    async def closes(self, code: int) -> None:
        await self.ws.close(code=code)

    def cuts(self) -> None:
        assert self._request.transport is not None
        self._request.transport.abort()


@asynccontextmanager
async def serving(script: Script | int) -> AsyncIterator[Place]:
    """Follows the script with everybody, or answers with an HTTP status instead of an upgrade."""

    async def connect(request: web.Request) -> web.StreamResponse:
        if isinstance(script, int):
            return web.Response(status=script)
        ws = web.WebSocketResponse(protocols=("seatd.v1.msgpack",))
        await ws.prepare(request)
        await script(Talk(request, ws))
        return ws

    app = web.Application()
    app.router.add_get("/v1/connect", connect)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield Place("127.0.0.1", runner.addresses[0][1], tls=False)
    finally:
        await runner.cleanup()


def terms(*places: Place) -> Terms:
    return Terms(places=places, token=lambda number: f"token-{number}", need=("CALL_CENTER",))
