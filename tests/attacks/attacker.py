"""Sockets to a server that do what a client never would; they end with the test."""

from __future__ import annotations

import asyncio

from seatd_protocol.codec import CODECS
from tests.attacks.wire import handshake, opened
from tests.scenarios.company import Company
from tests.scenarios.websocket import BINARY, TEXT, WebSocket
from tests.servers import Server
from tests.web.edge import JSON, MSGPACK, Map, heard, packed

__all__ = ["JSON", "MSGPACK", "Attacker", "Map"]


class Attacker:
    """Connects to `server`, as a stranger or as a user of `company`."""

    def __init__(self, server: Server, company: Company) -> None:
        self.server = server
        self.company = company
        self._writers: list[asyncio.StreamWriter] = []

    async def upgraded(self, protocol: str = MSGPACK, *headers: str) -> WebSocket:
        """A WebSocket on which nothing has been said."""
        lines = handshake(self.server.clients, *headers, leave_out=["Sec-WebSocket-Protocol"])
        reader, writer = await opened(self.server.clients)
        self._writers.append(writer)
        writer.write("\r\n".join([*lines, f"Sec-WebSocket-Protocol: {protocol}", "", ""]).encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head
        return WebSocket(reader, writer)

    def hello(self, name: str = "ann", protocol: str = MSGPACK, **fields: object) -> bytes:
        """A good hello, but for these fields."""
        device = {"kind": "desktop", "id": "d1"}
        said: Map = {"type": "hello", "token": self.company.token(name), "device": device, "need": []}
        return packed({**said, **fields}, protocol)

    async def say(self, socket: WebSocket, message: Map, protocol: str = MSGPACK) -> None:
        """One message, as it is."""
        await socket.send(BINARY if CODECS[protocol].binary else TEXT, packed(message, protocol))

    async def live(self, protocol: str = MSGPACK, name: str = "ann") -> WebSocket:
        """A WebSocket with a session."""
        socket = await self.upgraded(protocol)
        await socket.send(BINARY if CODECS[protocol].binary else TEXT, self.hello(name, protocol))
        assert (await heard(socket, protocol))["type"] == "welcome"
        return socket

    def leave(self) -> None:
        """Cuts all connections."""
        for writer in self._writers:
            writer.transport.abort()
