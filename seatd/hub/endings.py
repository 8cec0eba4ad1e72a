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
        self._under_way: dict[tuple[int, str], asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return sum(len(endings) for endings in self._open.values())

    def has(self, session: str) -> bool:
        """Whether an end of this session is still to be confirmed."""
        return any(session in endings for endings in self._open.values())

    async def settle(self, partition: int, session: str, ending: Ending) -> None:
        """Carries out an ending; when the store is away, keeps it for later."""
        done = self._under_way[partition, session] = asyncio.Event()
        try:
            await ending()
        except StoreUnavailable:
            self._open.setdefault(partition, {})[session] = ending
        except Exception:  # a fault of ours: the audit finds what is left of the session
            log.exception("ending failed", session=session)
        finally:
            if self._under_way.get((partition, session)) is done:
                del self._under_way[partition, session]
            done.set()

    async def withdraw(self, partition: int, session: str) -> Ending | None:
        """The session is about to live again here: what was to end it no longer counts, and is answered.

        One that is under way is waited for: overtaken by what brings the session back, it would end the new life.
        """
        while done := self._under_way.get((partition, session)):
            await done.wait()
        return self._open.get(partition, {}).pop(session, None)

    async def quiet(self) -> None:
        """Waits until nothing is being tried."""
        while self._tasks or self._under_way:
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await asyncio.gather(*(done.wait() for done in self._under_way.values()))

    def retry(self, partition: int) -> None:
        """The partition has answered: tries its open endings again, in the background."""
        if self._open.get(partition):
            task = asyncio.create_task(self._retry(partition, self._open[partition].copy()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _retry(self, partition: int, endings: dict[str, Ending]) -> None:
        await asyncio.gather(*(self._settle_again(partition, *item) for item in endings.items()))
        log.info("endings settled", count=len(endings))

    async def _settle_again(self, partition: int, session: str, ending: Ending) -> None:
        """Unless it was withdrawn, or replaced by a later one: until it is under way it is open, and can be."""
        still_open = self._open[partition]
        if still_open.get(session) is ending:
            del still_open[session]
            await self.settle(partition, session, ending)
