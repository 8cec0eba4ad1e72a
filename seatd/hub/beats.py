"""The beat of all sessions of this node: one timing wheel instead of a timer per socket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

import structlog

log = structlog.get_logger(__name__)

SLOTS = 64
"""Sessions are spread over so many points of a beat, so that they do not all speak at once."""


class Beating(Protocol):
    """What the wheel turns for."""

    def beat(self) -> None:
        """It is time for the next beat."""


class Wheel:
    """Calls `beat()` of everything on it once every `beat_s`, the first time one `beat_s` after it was added."""

    def __init__(self, beat_s: float, on_lag: Callable[[float], None]) -> None:
        self._tick_s = beat_s / SLOTS
        self._on_lag = on_lag
        self._slots: list[set[Beating]] = [set() for _ in range(SLOTS)]
        self._where: dict[Beating, int] = {}
        self._now = 0

    def add(self, member: Beating) -> None:
        """Puts a member on the wheel; one that is on it stays where it is."""
        if member in self._where:
            return
        slot = self._now % SLOTS
        self._where[member] = slot
        self._slots[slot].add(member)

    def remove(self, member: Beating) -> None:
        """Takes a member off the wheel; one that is not on it is no error."""
        slot = self._where.pop(member, None)
        if slot is not None:
            self._slots[slot].discard(member)

    def tick(self) -> None:
        """Turns by one slot, a `SLOTS`th of a beat."""
        self._now += 1
        for member in tuple(self._slots[self._now % SLOTS]):
            try:
                member.beat()
            except Exception:  # one session's trouble must not stop everybody's beat
                log.exception("beat failed")

    async def turn(self) -> None:
        """Turns for ever. After a pause (a busy loop, a suspended machine) it goes on from now, it does not catch up."""
        due = time.monotonic() + self._tick_s
        while True:
            await asyncio.sleep(due - time.monotonic())
            lag = max(0.0, time.monotonic() - due)
            self._on_lag(lag)
            self.tick()
            due = max(due, time.monotonic() - self._tick_s) + self._tick_s
