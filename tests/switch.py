"""An address that leads to one server today and to another tomorrow, as a failover makes it."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Self


class Switch:
    """Forwards what comes to a Unix socket to the server on `target`'s socket; `lead_to` breaks all connections."""

    def __init__(self, socket: Path, target: Path) -> None:
        self.socket = socket
        self.target = target
        self._pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where nodes connect."""
        return f"unix://{self.socket}"

    def lead_to(self, target: Path) -> None:
        """From now on connections lead there; those that there are end."""
        self.target = target
        for pair in tuple(self._pairs):
            for writer in pair:
                writer.transport.abort()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._accept, self.socket)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        self.lead_to(self.target)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(self.target)
        except OSError:
            writer.transport.abort()
            return
        pair = (writer, far_writer)
        self._pairs.add(pair)
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
        self._pairs.discard(pair)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
