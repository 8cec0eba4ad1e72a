"""How many messages a client may send: a bucket that refills at a steady rate."""

from __future__ import annotations

import time
from collections.abc import Callable


class Bucket:
    """Holds up to `burst` messages and refills by `per_s` a second."""

    __slots__ = ("_burst", "_clock", "_level", "_per_s", "_seen_s")

    def __init__(self, per_s: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._burst = float(burst)
        self._level = float(burst)
        self._clock = clock
        self._seen_s = clock()

    def take(self) -> bool:
        """Takes one message out; False when the bucket is empty."""
        now_s = self._clock()
        self._level = min(self._burst, self._level + (now_s - self._seen_s) * self._per_s)
        self._seen_s = now_s
        if self._level < 1.0:
            return False
        self._level -= 1.0
        return True
