"""A server that speaks the contract and nothing else: a real socket, and each connection in the test's hands.

async with ContractServer() as server:
    peer = await server.accept()
    hello = await peer.expect(Hello)
    await peer.welcome()
"""

import asyncio
from typing import Self, TypeVar

from aiohttp import WSMsgType, web

from seatd_protocol.codec import CODECS, MAX_FRAME
from seatd_protocol.messages import Beat, ClientMessage, Hello, Seat, ServerMessage, Welcome, type_of
from seatd_protocol.state import Conversation

PATIENCE_S = 20.0  # how long a test waits before it is wrong: some clients run in a browser

_M = TypeVar("_M")

SEAT = Seat(
    product="CALL_CENTER",
    license="L-1",
    kind="competitive",
    holder="alice@acme.example",
    since_ms=1,
    until_ms=2,
)
WELCOME = Welcome(
    session="s-1",
    secret="k-1",
    resumed=False,
    user="alice@acme.example",
    domain="acme.example",
    node="node-a",
    seats=(SEAT,),
    sections=("calls",),
    beat_s=8,
    lease_s=24,
    linger_s=30,
    server_ms=1,
    max_frame=MAX_FRAME,
    token_ttl_s=3600,
)


class Peer:
    """A client's connection, seen from the server. What the client says must be legal."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        self._request = request
        self._socket = socket
        self._codec = CODECS[socket.ws_protocol or ""]
        self._conversation = Conversation()
        self.over = asyncio.Event()
        self.close_code: int | None = None

    async def expect(self, shape: type[_M]) -> _M:
        """The next message, which must be of this type."""
        message = await self.receive()
        assert isinstance(message, shape), message
        return message

    async def receive(self) -> ClientMessage | None:
        """The next message; None: the client has closed (then `close_code`) or gone."""
        async with asyncio.timeout(PATIENCE_S):
            frame = await self._socket.receive()
        if frame.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            self.close_code = frame.data if frame.type is WSMsgType.CLOSE else None
            self.over.set()
            return None
        message = self._codec.decode_client(frame.data)
        self._conversation.received(type_of(message))
        return message

    async def gone(self) -> int | None:
        """Wait until the client has closed; its close code."""
        assert await self.receive() is None
        return self.close_code

    async def send(self, *messages: ServerMessage) -> None:
        """Say something, legal or not."""
        for message in messages:
            await self.send_raw(self._codec.encode(message))

    async def send_raw(self, frame: bytes | str) -> None:
        """Send any frame."""
        if isinstance(frame, str):
            await self._socket.send_str(frame)
        else:
            await self._socket.send_bytes(frame)

    async def open(self, welcome: Welcome = WELCOME) -> Hello:
        """Hear hello and say welcome."""
        hello = await self.expect(Hello)
        await self.send(welcome)
        self._conversation.sent("welcome")
        return hello

    async def beat(self, n: int, lease_s: int = 24) -> None:
        """Send a beat and hear its answer."""
        await self.send(Beat(n=n, lease_s=lease_s))
        answer = await self.receive()
        assert answer is not None
        assert type_of(answer) == "alive"
        assert getattr(answer, "n", None) == n

    async def close(self, code: int, reason: str = "") -> None:
        """Close with a code."""
        await self._socket.close(code=code, message=reason.encode())
        self.over.set()

    def cut(self) -> None:
        """Break the connection without a word."""
        assert self._request.transport is not None
        self._request.transport.abort()
        self.over.set()


class ContractServer:
    """Listens on a free port. `refusals` are HTTP answers to give instead of the next upgrades."""

    def __init__(self) -> None:
        self.url = ""
        self.refusals: list[web.Response] = []
        self._peers: asyncio.Queue[Peer] = asyncio.Queue()
        self._known: list[Peer] = []
        application = web.Application()
        application.router.add_get("/v1/connect", self._connect)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"ws://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        for peer in self._known:
            peer.over.set()
        await self._runner.cleanup()

    async def accept(self) -> Peer:
        """The next connection."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._peers.get()

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        if self.refusals:
            return self.refusals.pop(0)
        socket = web.WebSocketResponse(protocols=tuple(CODECS), compress=False, timeout=0.2)
        await socket.prepare(request)
        peer = Peer(request, socket)
        self._known.append(peer)
        self._peers.put_nowait(peer)
        await peer.over.wait()
        return socket
