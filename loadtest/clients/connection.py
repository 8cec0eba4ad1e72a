"""A virtual client's connection: the upgrade, and then frames both ways."""

from __future__ import annotations

import asyncio
import re
import ssl
import struct
from collections.abc import Callable
from functools import cache
from typing import NamedTuple, cast
from urllib.parse import urlsplit

from loadtest.clients.errors import BadPlace
from loadtest.clients.frames import BINARY, CLOSE, PING, PONG, TEXT, Frames, frame

CONNECT_S = 20.0
_KEY = "AAAAAAAAAAAAAAAAAAAAAA=="  # whether the answer belongs to it is a browser's concern
_END = b"\r\n\r\n"
_RETRY_AFTER = re.compile(rb"(?i)\r\nretry-after: *([0-9]{1,5})(?:\r\n|$)")


class Refused(Exception):
    """The upgrade was refused. `status`: the HTTP answer's; `wait_s`: how long it asks to stay away (`Retry-After`)."""

    def __init__(self, status: int, wait_s: float = 0.0) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.wait_s = wait_s


class Place(NamedTuple):
    """Where a node is: `ws://` or `wss://`."""

    host: str
    port: int
    tls: bool

    @classmethod
    def of(cls, url: str) -> Place:
        """Raises `BadPlace` for what is no such URL."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise BadPlace(f"{url} is no address: {error}") from None
        if parts.scheme not in ("ws", "wss") or not host:
            raise BadPlace(f"{url} is no ws:// or wss:// address")
        tls = parts.scheme == "wss"
        return cls(host, port or (443 if tls else 80), tls)

    @property
    def authority(self) -> str:
        """As `Host` names it: an IPv6 address stands in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@cache
def tls_context(ca: str | None = None) -> ssl.SSLContext:
    """One for all connections: to read the certificates for each would cost more than all else that a client does.
    `ca`: a file of certificates (PEM) to trust instead of the system's."""
    return ssl.create_default_context(cafile=ca)


class Connection(asyncio.Protocol):
    """Tells `on_message` of every frame and `on_close`, once, of the end: the close code, or 1006 where there was none.
    Of a connection that was never upgraded it tells nobody: whoever opens it is told by an exception."""

    __slots__ = ("_code", "_frames", "_head", "_on_close", "_on_message", "_transport", "_upgraded")

    def __init__(self, on_message: Callable[[bytes], None], on_close: Callable[[int], None]) -> None:
        self._on_message: Callable[[bytes], None] = on_message
        self._on_close: Callable[[int], None] = on_close
        self._frames = Frames()
        self._head: bytes | None = b""
        self._upgraded = asyncio.get_running_loop().create_future()
        self._code = 1006
        self._transport: asyncio.Transport | None = None

    @staticmethod
    async def open(
        place: Place,
        protocol: str,
        on_message: Callable[[bytes], None],
        on_close: Callable[[int], None],
        source: str | None = None,
        ca: str | None = None,
    ) -> Connection:
        """An upgraded connection, from the address `source`. Raises `Refused`, OSError or TimeoutError."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_S):
            _, connection = await loop.create_connection(
                lambda: Connection(on_message, on_close),
                place.host,
                place.port,
                ssl=tls_context(ca) if place.tls else None,
                local_addr=(source, 0) if source else None,
            )
            await connection._upgrade(place, protocol)
        return connection

    async def _upgrade(self, place: Place, protocol: str) -> None:
        assert self._transport is not None
        lines = (
            "GET /v1/connect HTTP/1.1",
            f"Host: {place.authority}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {_KEY}",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Protocol: {protocol}",
        )
        self._transport.write("\r\n".join(lines).encode() + _END)
        try:
            await self._upgraded
        except BaseException:
            self.cut()
            raise

    def send(self, message: bytes | str) -> None:
        """Sends a message."""
        if self._transport is not None and not self._transport.is_closing():
            opcode, data = (TEXT, message.encode()) if isinstance(message, str) else (BINARY, message)
            self._transport.write(frame(opcode, data))

    def cut(self) -> None:
        """Cuts the connection without a word, as a network does."""
        if self._transport is not None:
            self._transport.abort()

    def forget(self) -> None:
        """Lets the server close it, and tells nobody."""
        self._on_message = self._on_close = _ignored

    # -- what the transport says ------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """There is one."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one, but for its class

    def data_received(self, data: bytes) -> None:
        """The answer to the upgrade first, then frames."""
        if self._head is not None:
            self._head += data
            head, found, data = self._head.partition(_END)
            if not found:
                return
            if not self._upgraded_by(head):
                return
            self._head = None
        for opcode, payload in self._frames.feed(data):
            if opcode == CLOSE:
                self._closed_by_server(payload)
            elif opcode == PING:
                assert self._transport is not None
                self._transport.write(frame(PONG, payload))
            else:
                self._on_message(payload)

    def _upgraded_by(self, head: bytes) -> bool:
        """Whether the answer is an upgrade; whoever waits for it is told."""
        if self._upgraded.done():  # he has given up
            return False
        parts = head.split(b" ", 2)
        status = int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0
        if status == 101:
            self._upgraded.set_result(None)
        else:
            found = _RETRY_AFTER.search(head)
            self._upgraded.set_exception(Refused(status, float(found[1]) if found else 0.0))
        return status == 101

    def _closed_by_server(self, payload: bytes) -> None:
        assert self._transport is not None
        self._code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else 1005
        self._transport.write(frame(CLOSE, payload[:2]))
        self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        if not self._upgraded.done():
            self._upgraded.set_exception(exc or ConnectionResetError("cut before the upgrade was answered"))
        elif self._head is None:
            self._on_close(self._code)


def _ignored(_: object) -> None:
    pass
