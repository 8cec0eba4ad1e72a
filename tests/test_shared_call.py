"""One call serves all who asked before it began, and nobody else."""

from __future__ import annotations

import asyncio
import gc
import weakref
from contextlib import suppress

from seatd.shared_call import SharedCall


class Slow:
    """A call that lasts until it is let go; answers its number, or fails."""

    def __init__(self) -> None:
        self.begun = 0
        self.go = asyncio.Event()
        self.fails: Exception | None = None

    async def __call__(self) -> int:
        self.begun += 1
        number = self.begun
        await self.go.wait()
        if self.fails:
            raise self.fails
        return number


async def test_those_who_come_meanwhile_share_the_next_call() -> None:
    slow = Slow()
    shared = SharedCall(slow)
    early = [asyncio.create_task(shared.ask()) for _ in range(3)]
    await asyncio.sleep(0.01)
    late = [asyncio.create_task(shared.ask()) for _ in range(100)]
    await asyncio.sleep(0.01)
    assert slow.begun == 1
    slow.go.set()
    assert await asyncio.gather(*early) == [1] * 3
    assert await asyncio.gather(*late) == [2] * 100
    assert await shared.ask() == 3


async def test_who_gives_up_takes_nobody_along() -> None:
    slow = Slow()
    shared = SharedCall(slow)
    first, second = (asyncio.create_task(shared.ask()) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    slow.go.set()
    assert await second == 1


async def test_an_error_is_for_those_of_its_call() -> None:
    slow = Slow()
    shared = SharedCall(slow)
    slow.fails = OSError("full")
    slow.go.set()
    for answer in await asyncio.gather(*(shared.ask() for _ in range(2)), return_exceptions=True):
        assert isinstance(answer, OSError)
    slow.fails = None
    assert await shared.ask() == 2


class CannotSay(Exception):
    """An error that can be looked for."""


async def test_no_error_stays_behind() -> None:
    """Where the engine cannot say what is on its disk, every call is an error."""
    told: list[weakref.ref[CannotSay]] = []

    async def fails() -> None:
        error = CannotSay()
        told.append(weakref.ref(error))
        raise error

    shared = SharedCall(fails)
    for _ in range(10):
        with suppress(CannotSay):
            await shared.ask()
    await asyncio.sleep(0)  # until now the event loop itself has the last one in its hands
    gc.collect()
    assert [error() for error in told] == [None] * 10
