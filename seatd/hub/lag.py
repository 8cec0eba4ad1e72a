"""How late this node's event loop is: whoever is to be served now waits about that long for each turn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

EVERY_S = 0.1


class Lag:
    """Measures for as long as `watch` runs."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due_s: float | None = None
        self._last_s = 0.0

    @property
    def now_s(self) -> float:
        """By how many seconds the loop was late at the last look, or is late for the next one, which is more."""
        return 0.0 if self._due_s is None else max(self._last_s, self._clock() - self._due_s)

    async def watch(self) -> None:
        """Looks for ever."""
        while True:
            self._due_s = self._clock() + EVERY_S
            await asyncio.sleep(EVERY_S)
            self._last_s = max(0.0, self._clock() - self._due_s)
