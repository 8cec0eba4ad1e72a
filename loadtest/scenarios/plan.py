"""What a scenario is told, and what scenarios have in common."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from loadtest.clients.client import Terms, VirtualClient
from loadtest.clients.recorder import Recorder

One = TypeVar("One")

AT_ONCE = 200
"""Connections that are being opened at the same time, where a crowd is to be there and not to be measured."""


@dataclass
class Plan:
    """So many `clients`, for so many `seconds`, doing `rate` things a second. `seats`: how many of them find one (queue).
    `force_out` asks an administrator's call to end all their sessions (logout). `kill` ends the last node; None: somebody
    else does (kill)."""

    terms: Terms
    clients: int
    seconds: float
    rate: float
    seats: int
    further: str
    force_out: Callable[[], Awaitable[None]] | None = None
    crowd: list[VirtualClient] = field(default_factory=list)
    kill: Callable[[], None] | None = None
    say: Callable[[str], None] = print

    @property
    def recorder(self) -> Recorder:
        """Where everything is noted."""
        return self.terms.recorder

    def everybody(self) -> list[VirtualClient]:
        """All clients; none is connected yet."""
        self.crowd = [VirtualClient(self.terms, number) for number in range(self.clients)]
        return self.crowd

    async def paced(self) -> AsyncIterator[float]:
        """The moments at which something is due, at the rate, for as long as the plan says. What comes late is late: time is
        measured from here (coordinated omission would hide it)."""
        began_s = time.perf_counter()
        for number in range(int(self.seconds * self.rate)):
            due_s = began_s + number / self.rate
            await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
            yield due_s

    async def signed_in(self) -> list[VirtualClient]:
        """Everybody, with a session."""
        people = self.everybody()
        await some_at_once(people, lambda one: one.sign_in())
        return [one for one in people if one.connected]


async def some_at_once(people: Sequence[One], doing: Callable[[One], Awaitable[object]]) -> None:
    """Does it with all of them, `AT_ONCE` at a time."""
    left = iter(people)

    async def worker() -> None:
        for one in left:
            await doing(one)

    await asyncio.gather(*(worker() for _ in range(min(AT_ONCE, len(people)))))


async def until(done: Callable[[], bool], seconds: float) -> bool:
    """Waits for it, so long at the most."""
    give_up_s = time.perf_counter() + seconds
    while not done() and time.perf_counter() < give_up_s:  # noqa: ASYNC110 -- of a crowd no single event tells it
        await asyncio.sleep(0.01)
    return done()
