"""The proxy does the harm that it says, and no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import ClassVar, NamedTuple

import pytest

from tests.faults.proxy import Proxy

SOON_S = 5.0
SILENT_S = 0.1


class Echo(NamedTuple):
    """A server that answers what it hears, and what it has heard."""

    proxy: Proxy
    heard: list[bytes]


@pytest.fixture(params=["tcp", "unix"])
async def echo(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Echo]:
    heard: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(100):
                heard.append(data)
                writer.write(data)
        except ConnectionError:
            pass
        writer.close()

    if request.param == "unix":
        server: asyncio.Server = await asyncio.start_unix_server(answer, tmp_path / "s")
        target = f"unix://{tmp_path / 's'}"
    else:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        target = "{}:{}".format(*server.sockets[0].getsockname())
    async with Proxy(target) as proxy:
        yield Echo(proxy, heard)
        for caller in Caller.all:
            caller.writer.transport.abort()
        Caller.all.clear()
    server.close()
    await asyncio.sleep(0)  # sockets are closed a turn later


class Caller:
    """A client of the echo; all are gone when the test ends."""

    all: ClassVar[list[Caller]] = []

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.all.append(self)

    @classmethod
    async def of(cls, proxy: Proxy) -> Caller:
        host, _, port = proxy.address.rpartition(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    async def hears(self, number: int = 4) -> bytes:
        async with asyncio.timeout(SOON_S):
            return await self.reader.readexactly(number)

    async def asks(self, text: bytes = b"ping") -> bytes:
        self.writer.write(text)
        return await self.hears(len(text))

    async def hears_nothing(self) -> bool:
        try:
            async with asyncio.timeout(SILENT_S):
                await self.reader.read(1)
        except TimeoutError:
            return True
        return False


async def test_it_passes_what_is_said(echo: Echo) -> None:
    caller = await Caller.of(echo.proxy)
    assert await caller.asks() == b"ping"
    caller.writer.write_eof()
    assert await caller.reader.read() == b""


async def test_a_cut_is_felt_at_once(echo: Echo) -> None:
    caller = await Caller.of(echo.proxy)
    await caller.asks()
    echo.proxy.cut(refuse=True)
    with pytest.raises(ConnectionResetError):
        await caller.hears()
    other = await Caller.of(echo.proxy)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await other.asks()
    echo.proxy.restore()
    assert await (await Caller.of(echo.proxy)).asks() == b"ping"


async def test_a_frozen_connection_says_nothing_and_thaws(echo: Echo) -> None:
    caller = await Caller.of(echo.proxy)
    echo.proxy.freeze()
    caller.writer.write(b"late")
    assert await caller.hears_nothing()
    assert echo.heard == []
    echo.proxy.restore()
    assert await caller.hears() == b"late"


async def test_replies_are_lost_requests_are_not(echo: Echo) -> None:
    caller = await Caller.of(echo.proxy)
    echo.proxy.lose_replies()
    caller.writer.write(b"ping")
    assert await caller.hears_nothing()
    assert echo.heard == [b"ping"]
    echo.proxy.restore()
    with pytest.raises(ConnectionResetError):
        await caller.hears()


async def test_requests_are_lost(echo: Echo) -> None:
    caller = await Caller.of(echo.proxy)
    echo.proxy.lose_requests()
    caller.writer.write(b"ping")
    assert await caller.hears_nothing()
    assert echo.heard == []


async def test_delay_and_drip_keep_the_order(echo: Echo) -> None:
    caller = await Caller.of(echo.proxy)
    echo.proxy.delay(0.005, 0.004)
    echo.proxy.drip(3, 0.001)
    text = bytes(range(60))
    assert await caller.asks(text) == text
    assert all(len(chunk) <= 3 or chunk in text for chunk in echo.heard)
    assert echo.proxy.passed >= 40


async def test_some_requests_end_their_connection(echo: Echo) -> None:
    echo.proxy.reset_some(0.5)
    answered = reset = 0
    for _ in range(40):
        try:
            answered += await (await Caller.of(echo.proxy)).asks() == b"ping"
        except (ConnectionError, asyncio.IncompleteReadError):
            reset += 1
    assert answered > 5
    assert reset > 5
    assert answered < len(echo.heard) < 40  # some arrived without an answer, some never arrived
