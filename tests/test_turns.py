"""Long work gives way as it goes on, and short work does not."""

from __future__ import annotations

import asyncio
import time

from seatd.turns import TURN_S, Turns, in_turns


class Others:
    """Whoever else wants the event loop: counts how often it had it."""

    def __init__(self) -> None:
        self.turns = 0
        self._task = asyncio.create_task(self._count())

    async def _count(self) -> None:
        while True:
            self.turns += 1
            await asyncio.sleep(0)

    def end(self) -> None:
        self._task.cancel()


def work() -> None:
    """A little more than one turn may last."""
    until_s = time.perf_counter() + 1.1 * TURN_S
    while time.perf_counter() < until_s:
        pass


async def test_others_have_their_turn_after_each_long_one() -> None:
    others, rows = Others(), []
    async for row in in_turns(range(10)):
        rows.append(row)
        work()
    others.end()
    assert rows == list(range(10))
    assert others.turns >= 10


async def test_time_begins_anew_after_others_had_theirs() -> None:
    turns, others = Turns(), Others()
    work()
    await turns.give_way()
    before = others.turns
    turns._began_s = time.perf_counter() + 1000  # as if no time went by
    await turns.give_way()
    others.end()
    assert 1 <= before == others.turns
