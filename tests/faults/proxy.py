"""A TCP proxy that behaves as a network does on a bad day; it stands between clients and a node, or a node and its store.

async with Proxy("unix:///run/store.sock") as proxy:      # or "127.0.0.1:6379"
    start_node(store=f"redis://{proxy.address}")
    proxy.freeze()                                        # silence, connections stay
    proxy.restore()                                       # what was held back arrives, new bytes pass
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from typing import Self

CHUNK = 65536
RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time: close sends RST


class _Way:
    """One direction of all connections. `open`: bytes pass. `lossy`: what comes is thrown away."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.lossy = False


class _Link:
    """One connection through the proxy: the sockets of both ends."""

    def __init__(self, *writers: asyncio.StreamWriter) -> None:
        self.writers = list(writers)
        self.ending = False

    def reset(self) -> None:
        """Ends both with RST, where they are TCP."""
        for writer in self.writers:
            wire = writer.get_extra_info("socket")
            if wire is not None and wire.family == socket.AF_INET:
                with contextlib.suppress(OSError, ValueError):  # it is closed already
                    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()


class Proxy:
    """Passes bytes between whoever connects to `address` (HOST:PORT) and `target`, and does them harm when told to.

    `target`: HOST:PORT or unix:///PATH. `accepted` counts connections, `passed` chunks of bytes.
    """

    def __init__(self, target: str, *, seed: int = 0) -> None:
        self.target = target
        self.accepted = 0
        self.passed = 0
        self._rng = random.Random(seed)
        self._delay_s = self._jitter_s = self._pause_s = 0.0
        self._most_bytes = CHUNK
        self._reset_share = 0.0
        self._refusing = False
        self._requests, self._replies = _Way(), _Way()
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.address = f"{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- what a network does ----------------------------------------------------------------------

    def delay(self, seconds: float, jitter_s: float = 0.0) -> None:
        """Every chunk takes this much longer, give or take the jitter; order is kept."""
        self._delay_s, self._jitter_s = seconds, jitter_s

    def drip(self, bytes_at_once: int = 1, pause_s: float = 0.01) -> None:
        """Bytes come one by one, or a few."""
        self._most_bytes, self._pause_s = bytes_at_once, pause_s

    def cut(self, *, refuse: bool = False) -> None:
        """Ends all connections with RST. `refuse`: new ones too, until `restore`."""
        self._refusing = refuse
        for link in tuple(self._links):
            link.reset()

    def freeze(self) -> None:
        """Half-open: nothing passes either way, nobody is told; what is sent meanwhile arrives at `restore`."""
        self._requests.open.clear()
        self._replies.open.clear()

    def lose_replies(self) -> None:
        """Requests arrive, their answers never do."""
        self._replies.lossy = True

    def lose_requests(self) -> None:
        """Requests never arrive; whatever the other side says by itself does."""
        self._requests.lossy = True

    def reset_some(self, share: float) -> None:
        """This share of the requests ends its connection with RST, before the request or before its answer."""
        self._reset_share = share

    def restore(self) -> None:
        """All is well again. Connections that lost bytes are cut: on a real network they could not go on either."""
        lossy = self._requests.lossy or self._replies.lossy
        self._delay_s = self._jitter_s = self._pause_s = self._reset_share = 0.0
        self._most_bytes, self._refusing = CHUNK, False
        for way in (self._requests, self._replies):
            way.lossy = False
            way.open.set()
        if lossy:
            self.cut()

    # -- passing bytes ----------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        link = _Link(writer)
        self._links.add(link)
        try:
            # Nobody there: whoever came is told in the same way. Cancelled: the proxy ends.
            with contextlib.suppress(OSError, asyncio.CancelledError):
                if not self._refusing:
                    await self._carry(link, reader)
        finally:
            link.reset()
            self._links.discard(link)
            self._tasks.discard(task)

    async def _carry(self, link: _Link, reader: asyncio.StreamReader) -> None:
        answers, there = await self._connect()
        link.writers.append(there)
        ways = (
            asyncio.create_task(self._pass(link, reader, there, self._requests)),
            asyncio.create_task(self._pass(link, answers, link.writers[0], self._replies)),
        )
        try:
            await asyncio.wait(ways, return_when=asyncio.ALL_COMPLETED)
        finally:
            for way in ways:
                way.cancel()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.target.startswith("unix://"):
            return await asyncio.open_unix_connection(self.target.removeprefix("unix://"))
        host, _, port = self.target.rpartition(":")
        return await asyncio.open_connection(host, int(port))

    async def _pass(
        self, link: _Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: _Way
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(self._most_bytes):
                await self._hold_up()
                await way.open.wait()
                if way is self._requests and self._rng.random() < self._reset_share:
                    return await self._reset_around(link, writer, data)
                if not way.lossy and not link.ending:
                    self.passed += 1
                    writer.write(data)
                    await writer.drain()
            await way.open.wait()
            if not way.lossy:
                writer.write_eof()
        return None

    async def _hold_up(self) -> None:
        wait_s = self._pause_s + self._delay_s + self._rng.uniform(-self._jitter_s, self._jitter_s)
        if wait_s > 0:
            await asyncio.sleep(wait_s)

    async def _reset_around(self, link: _Link, writer: asyncio.StreamWriter, data: bytes) -> None:
        """Half of the time the request still arrives, and only its answer is lost."""
        link.ending = True
        if self._rng.random() < 0.5:
            writer.write(data)
            await writer.drain()
            await asyncio.sleep(0.005)
        link.reset()
