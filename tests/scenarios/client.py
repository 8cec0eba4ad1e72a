"""One device at a server, seen from outside: it says what the test wants and keeps what it is told."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import time
from dataclasses import dataclass
from typing import Self, TypeVar

from seatd_protocol.codec import CODECS, Codec
from seatd_protocol.lease import ClientLease
from seatd_protocol.messages import (
    Ack,
    Alive,
    Beat,
    Bye,
    ClientMessage,
    Denied,
    Logout,
    Queued,
    Resume,
    Seat,
    ServerMessage,
    Welcome,
)
from tests.canary.marks import mark
from tests.scenarios import websocket
from tests.scenarios.websocket import WebSocket

WAIT_S = 20.0
"""How long a test waits for a message before it gives up."""


@dataclass(frozen=True)
class Closed:
    """The end of the connection; 1006 when there was no close frame."""

    code: int
    reason: str = ""


Heard = ServerMessage | Closed
Kind = TypeVar("Kind", bound=Heard)


class Client:
    """Reads in the background. `alive`: answers beats; `acks`: confirms a forced logout; change them at any time.
    `beats` counts the beats that came."""

    def __init__(self, socket: WebSocket, codec: Codec, *, alive: bool = True, acks: bool = False) -> None:
        self.socket = socket
        self.codec = codec
        self.alive = alive
        self.acks = acks
        self.beats = 0
        self.first: Welcome | Denied | Queued | Closed | None = None
        self._lease = ClientLease()
        self._inbox: asyncio.Queue[Heard] = asyncio.Queue()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, address: str, protocol: str = "seatd.v1.msgpack", **options: bool) -> Self:
        """Connects to `host:port`; the upgrade must succeed."""
        socket = await websocket.upgrade(address, (protocol,))
        assert isinstance(socket, WebSocket), socket
        return cls(socket, CODECS[protocol], **options)

    async def say(self, message: ClientMessage) -> None:
        """Sends a message."""
        await self.raw(self.codec.encode(message))

    async def raw(self, frame: bytes | str) -> None:
        """Sends a frame of any content."""
        if isinstance(frame, str):
            await self.socket.send(websocket.TEXT, frame.encode())
        else:
            await self.socket.send(websocket.BINARY, frame)

    async def sign_in(self, hello: ClientMessage) -> Self:
        """Says hello; `first` is then the answer."""
        self._lease.hello_sent(time.monotonic())
        await self.say(hello)
        answer = await self.recv()
        assert isinstance(answer, Welcome | Denied | Queued | Closed), answer
        self.first = answer
        return self

    async def recv(self) -> Heard:
        """The next thing that comes, beats left out."""
        async with asyncio.timeout(WAIT_S):
            return await self._inbox.get()

    async def listen(self) -> Heard:
        """The same, however long it takes."""
        return await self._inbox.get()

    async def until(self, kind: type[Kind]) -> Kind:
        """Reads on to the first message of this kind; the connection must not end before."""
        while not isinstance(heard := await self.recv(), kind):
            assert not isinstance(heard, Closed), f"{heard} instead of {kind.__name__}"
        return heard

    async def closed(self) -> int:
        """Reads on to the end of the connection; its close code."""
        return (await self.until(Closed)).code

    def heard_nothing(self) -> bool:
        """Whether nothing has come that was not read yet."""
        return self._inbox.empty()

    @property
    def unread(self) -> int:
        """How much has come that was not read yet."""
        return self._inbox.qsize()

    @property
    def welcome(self) -> Welcome:
        """The answer to hello, which must be a welcome."""
        assert isinstance(self.first, Welcome), self.first
        return self.first

    @property
    def denied(self) -> Denied:
        """The answer to hello, which must be a denial."""
        assert isinstance(self.first, Denied), self.first
        return self.first

    @property
    def seats(self) -> tuple[Seat, ...]:
        """The seats that the welcome told of."""
        return self.welcome.seats

    @property
    def resume(self) -> Resume:
        """What a later hello shows to have this session back."""
        return Resume(session=self.welcome.session, secret=self.welcome.secret)

    @property
    def believed_until_s(self) -> float:
        """Until when (monotonic) this client may rightly use its seats."""
        return self._lease.until_s

    async def bye(self) -> int:
        """A clean end; the close code."""
        await self.say(Bye())
        return await self.closed()

    def drop(self) -> None:
        """Cuts the connection without a word, as a lost network does."""
        self._reader.cancel()
        self.socket.abort()

    async def _read(self) -> None:
        while (frame := await self.socket.receive()) is not None:
            if frame.opcode == websocket.CLOSE:
                self._inbox.put_nowait(_closed(frame.payload))
                await self._answer_close(frame.payload)
                return
            message = self.codec.decode_server(frame.payload if self.codec.binary else frame.payload.decode())
            await self._note(message)
        self._inbox.put_nowait(Closed(1006))

    async def _note(self, message: ServerMessage) -> None:
        if isinstance(message, Welcome):
            self._lease.welcomed(message.lease_s)
            mark("session's resume secret", message.secret)
            mark("ticket", message.ticket)
        if isinstance(message, Beat):
            self.beats += 1
            if self.alive:
                await self._alive(message)
            return
        self._inbox.put_nowait(message)
        if isinstance(message, Logout) and self.acks:
            await self._answer(Ack(order=message.order))

    async def _alive(self, beat: Beat) -> None:
        now_s = time.monotonic()
        self._lease.beat_received(beat.n, beat.lease_s, now_s)
        self._lease.alive_sent(beat.n, now_s)
        await self._answer(Alive(n=beat.n))

    async def _answer(self, message: ClientMessage) -> None:
        with contextlib.suppress(ConnectionError):  # its end is what is read next
            await self.say(message)

    async def _answer_close(self, payload: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            await self.socket.send(websocket.CLOSE, payload)
        await self.socket.close()


def _closed(payload: bytes) -> Closed:
    (code,) = struct.unpack("!H", payload[:2]) if payload else (1005,)
    return Closed(code, payload[2:].decode())
