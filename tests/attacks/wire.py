"""HTTP as an attacker writes it: bytes to a listener, and what comes back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import NamedTuple


class Answer(NamedTuple):
    """What came back until the connection ended; status 0: nothing did."""

    status: int
    headers: dict[str, str]
    body: str


async def opened(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A TCP connection to `host:port`."""
    host, _, port = address.rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def said(address: str, data: bytes) -> bytes:
    """Sends bytes as they are; everything that is answered until the other side hangs up."""
    reader, writer = await opened(address)
    heard = b""
    with contextlib.suppress(ConnectionError):
        writer.write(data)
        await writer.drain()
        heard = await _rest(reader)
    writer.transport.abort()
    return heard


async def asked(address: str, *lines: str, body: bytes = b"") -> Answer:
    """Sends a request (its lines, without any that are not given); the first answer."""
    return answer_of(await said(address, "\r\n".join([*lines, "", ""]).encode() + body))


async def hung_up(reader: asyncio.StreamReader) -> bytes:
    """Waits until the other side hangs up; what it has said before."""
    with contextlib.suppress(ConnectionError):
        return await _rest(reader)
    return b""


def answer_of(heard: bytes) -> Answer:
    """The first answer in what was heard."""
    head, _, body = heard.decode("utf-8", "replace").partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    pairs = (line.partition(":") for line in lines)
    status = int(first.split()[1]) if first.startswith("HTTP/") else 0
    return Answer(status, {name.lower(): value.strip() for name, _, value in pairs}, body)


def handshake(address: str, *others: str, leave_out: Sequence[str] = ()) -> list[str]:
    """The lines of a good upgrade, without those that begin as `leave_out` says, and with others."""
    lines = [
        "GET /v1/connect HTTP/1.1",
        f"Host: {address}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: seatd.v1.json",
    ]
    kept = [line for line in lines if not line.startswith(tuple(leave_out))] if leave_out else lines
    return [*kept, *others]


async def _rest(reader: asyncio.StreamReader) -> bytes:
    heard = b""
    with contextlib.suppress(ConnectionError):
        while portion := await reader.read(65536):
            heard += portion
    return heard
