"""Something that one does for all who ask at the same time, over and over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Rounds(Generic[Answer]):
    """Who asks while a round is under way shares the next one: what he asks about happened before it began."""

    def __init__(self, call: Callable[[], Awaitable[Answer]]) -> None:
        self._call = call
        self._under_way: asyncio.Task[Answer] | None = None
        self._next: asyncio.Task[Answer] | None = None

    async def join(self) -> Answer:
        """The answer of a round that begins after this call, or its error."""
        if self._next is None:
            self._next = asyncio.create_task(self._round(self._under_way))
            self._next.add_done_callback(_looked_at)
        return await asyncio.shield(self._next)

    async def _round(self, before: asyncio.Task[Answer] | None) -> Answer:
        if before is not None:
            await asyncio.wait([before])
        self._under_way, self._next = self._next, None
        return await self._call()


def _looked_at(task: asyncio.Task[Answer]) -> None:
    """Who asked may be gone: what went wrong is nobody's then."""
    if not task.cancelled():
        task.exception()
