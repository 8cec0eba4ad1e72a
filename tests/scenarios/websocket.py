"""A WebSocket (RFC 6455) seen from the client, with nothing between a test and the wire.

Frames go out as the test wants them, well formed or not; nothing is answered by itself.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Sequence
from typing import NamedTuple

from tests.places import LOOPBACK, Place

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

NO_MASK = b"\0\0\0\0"
"""A legal mask that leaves the payload as it is."""
KEY = "AAAAAAAAAAAAAAAAAAAAAA=="


class Refusal(NamedTuple):
    """Instead of an upgrade: an HTTP answer, header names in lower case."""

    status: int
    headers: dict[str, str]
    body: str


class Frame(NamedTuple):
    """A frame as it came."""

    opcode: int
    payload: bytes


class WebSocket:
    """An upgraded connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, opcode: int, payload: bytes = b"", *, fin: bool = True, reserved: int = 0) -> None:
        """Sends one frame; `reserved` are its three reserved bits."""
        await self.write(frame(opcode, payload, fin=fin, reserved=reserved))

    async def write(self, data: bytes) -> None:
        """Sends bytes that are no frame, or only a part of one."""
        self._writer.write(data)
        await self._writer.drain()

    async def receive(self) -> Frame | None:
        """The next frame; None when the connection has ended."""
        try:
            first, second = await self._reader.readexactly(2)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", await self._reader.readexactly(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", await self._reader.readexactly(8))
            return Frame(first & 0x0F, await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    def abort(self) -> None:
        """Cuts the connection, without a close frame."""
        self._writer.transport.abort()

    async def close(self) -> None:
        """Ends the connection (TCP's FIN; a close frame is the test's business)."""
        self._writer.close()


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, reserved: int = 0) -> bytes:
    """The bytes of a client's frame."""
    head = fin << 7 | reserved << 4 | opcode
    if len(payload) < 126:
        start = struct.pack("!BB", head, 0x80 | len(payload))
    elif len(payload) < 65536:
        start = struct.pack("!BBH", head, 0x80 | 126, len(payload))
    else:
        start = struct.pack("!BBQ", head, 0x80 | 127, len(payload))
    return start + NO_MASK + payload


async def upgrade(
    address: str,
    protocols: Sequence[str] = ("seatd.v1.msgpack",),
    *,
    path: str = "/v1/connect",
    headers: Sequence[str] = (),
    receive_buffer: int | None = None,
    place: Place = LOOPBACK,
) -> WebSocket | Refusal:
    """Connects to `host:port` and asks for the upgrade; `headers` are further lines of the request.

    `receive_buffer`: bytes that the kernel takes for a client that does not read. `place`: where this client is.
    """
    reader, writer = await _connect(address, receive_buffer, place)
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {address}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {KEY}",
        "Sec-WebSocket-Version: 13",
        *([f"Sec-WebSocket-Protocol: {', '.join(protocols)}"] if protocols else []),
        *headers,
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    status, answered = _head(await reader.readuntil(b"\r\n\r\n"))
    if status == 101:
        return WebSocket(reader, writer)
    body = await reader.readexactly(int(answered.get("content-length", 0)))
    writer.close()
    return Refusal(status, answered, body.decode())


async def _connect(
    address: str, receive_buffer: int | None, place: Place
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = address.rpartition(":")
    wire = place.socket()
    if receive_buffer:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    await asyncio.get_running_loop().sock_connect(wire, (host, int(port)))
    return await asyncio.open_connection(sock=wire)


def _head(raw: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = raw.decode().strip().split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return int(first.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}
