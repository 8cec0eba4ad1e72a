"""Endings that the store has not confirmed yet: tried again with every beat, until they are.

A socket can be gone, and a sign-in can have been given up, while the store is away. Nobody may forget that: the seat would
stay taken for as long as this node lives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from seatd.store.values import StoreUnavailable

log = structlog.get_logger(__name__)

Ending = Callable[[], Awaitable[object]]


class Endings:
    """Unconfirmed endings by partition and session; a later ending of the same session takes the place of the earlier."""

    def __init__(self) -> None:
        self._open: dict[int, dict[str, Ending]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return sum(len(endings) for endings in self._open.values())

    def has(self, session: str) -> bool:
        """Whether an end of this session is still to be confirmed."""
        return any(session in endings for endings in self._open.values())

    async def settle(self, partition: int, session: str, ending: Ending) -> None:
        """Carries out an ending; when the store is away, keeps it for later."""
        try:
            await ending()
        except StoreUnavailable:
            self._open.setdefault(partition, {})[session] = ending

    def forget(self, partition: int, session: str) -> None:
        """The session lives again here: what was to end it no longer counts."""
        self._open.get(partition, {}).pop(session, None)

    def retry(self, partition: int) -> None:
        """The partition has answered: tries its open endings again, in the background."""
        if self._open.get(partition):
            task = asyncio.create_task(self._retry(partition, self._open.pop(partition)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _retry(self, partition: int, endings: dict[str, Ending]) -> None:
        for session, ending in endings.items():
            await self.settle(partition, session, ending)
        log.info("endings settled", count=len(endings))
