"""What the floor costs: a connection, echoes, memory."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass

from loadtest.clients.connection import Connection, Place
from loadtest.floor import PROTOCOL, floor
from loadtest.processes import cpu_s, memory_kib, on_core
from loadtest.rows.people import SOURCES, as_fast_as_they_can
from loadtest.scenarios.plan import some_at_once

BUSY = 32
"""Clients that ask as fast as they are answered: enough to keep a core busy."""


@dataclass(frozen=True)
class Bare:
    """What the floor costs."""

    connect_us: float
    echoes_per_s: float
    session_kib: float


async def measured_floor(clients: int, turns_s: float) -> Bare:
    """Connects and echoes once with each, then echoes with a few as fast as they can; without `turns_s` it does not."""
    async with floor() as bare:
        on_core(0, [bare.pid])
        on_core(1, [os.getpid()])
        before_s, before_kib = cpu_s(bare.pid), memory_kib(bare.pid)
        echoes = [Echo(number) for number in range(clients)]
        await some_at_once(echoes, lambda echo: echo.connect(bare.place))
        connect_us = (cpu_s(bare.pid) - before_s) / clients * 1e6
        session_kib = (memory_kib(bare.pid) - before_kib) / clients
        done = await as_fast_as_they_can([echo.ask for echo in echoes[:BUSY]], turns_s) if turns_s else 0
        for echo in echoes:
            echo.cut()
    return Bare(connect_us, done / turns_s if turns_s else 0, session_kib)


class Echo:
    """The `number`-th client of the floor's."""

    def __init__(self, number: int) -> None:
        self._source = SOURCES[number % len(SOURCES)]
        self._connection: Connection | None = None
        self._answer: asyncio.Future[bytes] | None = None

    async def connect(self, place: Place) -> None:
        """Connects, and echoes once."""
        self._connection = await Connection.open(
            place, PROTOCOL, self._heard, lambda _code: None, self._source
        )
        await self.ask()

    async def ask(self) -> None:
        """One echo, of the size of a request for a seat."""
        assert self._connection is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._connection.send(b"x" * 40)
        await self._answer

    def cut(self) -> None:
        """Ends it."""
        if self._connection is not None:
            self._connection.cut()

    def _heard(self, data: bytes) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(data)
