"""Whose turn it is: one client does one thing at a time, as a person does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from loadtest.clients.client import VirtualClient


class Turns:
    """Lends out clients that have nothing to do, the longest idle first. Who finds none waits, and that counts: what is
    done is measured from the moment when it was due."""

    def __init__(self, people: Iterable[VirtualClient]) -> None:
        self._idle: asyncio.Queue[VirtualClient] = asyncio.Queue()
        for one in people:
            self._idle.put_nowait(one)

    async def next(self, doing: Callable[[VirtualClient, float], Awaitable[object]], due_s: float) -> None:
        """The next one does what was due then."""
        one = await self._idle.get()
        try:
            await doing(one, due_s)
        finally:
            self._idle.put_nowait(one)
