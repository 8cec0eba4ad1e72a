"""Long work beside clients: it gives way again and again, so that a grant waits for a part of it and not for the whole."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

Row = TypeVar("Row")

TURN_S = 0.0005
"""A grant takes some six turns of the event loop, and in each of them it may wait so long."""


class Turns:
    """What one piece of long work holds: how long it has had the event loop."""

    def __init__(self) -> None:
        self._began_s = time.perf_counter()

    async def give_way(self) -> None:
        """Lets others have their turn, if this one has been long enough. To be called often: it costs next to nothing."""
        if time.perf_counter() - self._began_s >= TURN_S:
            await asyncio.sleep(0)
            self._began_s = time.perf_counter()


async def in_turns(rows: Iterable[Row]) -> AsyncIterator[Row]:
    """The rows, for work that is done row by row."""
    began_s = time.perf_counter()  # no Turns: to call it for each row would cost more than many a row does
    for row in rows:
        yield row
        if time.perf_counter() - began_s >= TURN_S:
            await asyncio.sleep(0)
            began_s = time.perf_counter()
