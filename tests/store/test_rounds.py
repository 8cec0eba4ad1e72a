"""One round serves all who asked before it began, and nobody else."""

from __future__ import annotations

import asyncio

from seatd.store.rounds import Rounds


class Slow:
    """A round that lasts until it is let go; answers its number, or fails."""

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


async def test_those_who_come_meanwhile_share_the_next_round() -> None:
    slow = Slow()
    rounds = Rounds(slow)
    early = [asyncio.create_task(rounds.join()) for _ in range(3)]
    await asyncio.sleep(0.01)
    late = [asyncio.create_task(rounds.join()) for _ in range(100)]
    await asyncio.sleep(0.01)
    assert slow.begun == 1
    slow.go.set()
    assert await asyncio.gather(*early) == [1] * 3
    assert await asyncio.gather(*late) == [2] * 100
    assert await rounds.join() == 3


async def test_who_gives_up_takes_nobody_along() -> None:
    slow = Slow()
    rounds = Rounds(slow)
    first, second = (asyncio.create_task(rounds.join()) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    slow.go.set()
    assert await second == 1


async def test_an_error_is_for_those_of_its_round() -> None:
    slow = Slow()
    rounds = Rounds(slow)
    slow.fails = OSError("full")
    slow.go.set()
    for answer in await asyncio.gather(*(rounds.join() for _ in range(2)), return_exceptions=True):
        assert isinstance(answer, OSError)
    slow.fails = None
    assert await rounds.join() == 2
