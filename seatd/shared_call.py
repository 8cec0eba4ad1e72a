"""One answer for all who ask at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class SharedCall(Generic[Answer]):
    """Asks `call` on behalf of all who want to know; nobody gets an answer to a question that was asked before his own."""

    def __init__(self, call: Callable[[], Awaitable[Answer]]) -> None:
        self._call = call
        self._next: asyncio.Task[Answer] | None = None
        self._asking = asyncio.Lock()
        self._tasks: set[asyncio.Task[Answer]] = set()

    async def ask(self) -> Answer:
        """The answer, or what `call` has raised."""
        if self._next is None:
            self._next = asyncio.create_task(self._ask())
            self._tasks.add(self._next)
            self._next.add_done_callback(self._ended)
        return await asyncio.shield(self._next)

    async def _ask(self) -> Answer:
        async with self._asking:
            self._next = None
            return await self._call()

    async def quiet(self) -> None:
        """Waits until no call is under way."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Answer]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # those who asked may be gone
