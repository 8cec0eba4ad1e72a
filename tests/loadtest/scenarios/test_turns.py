"""One client does one thing at a time, and who is late is measured from when it was due."""

from __future__ import annotations

import asyncio

from loadtest.clients.client import VirtualClient
from loadtest.clients.connection import Place
from loadtest.scenarios.turns import Turns
from tests.loadtest.clients.scripted import terms


async def test_one_thing_at_a_time() -> None:
    people = [VirtualClient(terms(Place("127.0.0.1", 1, tls=False)), number) for number in range(3)]
    turns, busy, done = Turns(people), set[int](), list[tuple[int, float]]()

    async def works(one: VirtualClient, due_s: float) -> None:
        assert one.number not in busy
        busy.add(one.number)
        await asyncio.sleep(0)
        busy.remove(one.number)
        done.append((one.number, due_s))

    await asyncio.gather(*(turns.next(works, float(due_s)) for due_s in range(9)))
    assert sorted(due_s for _, due_s in done) == list(map(float, range(9)))
    assert sorted(number for number, _ in done) == [0, 0, 0, 1, 1, 1, 2, 2, 2]


async def test_who_fails_is_free_again() -> None:
    turns = Turns([VirtualClient(terms(Place("127.0.0.1", 1, tls=False)), 0)])

    async def fails(one: VirtualClient, due_s: float) -> None:
        raise RuntimeError

    for _ in range(2):
        await asyncio.gather(turns.next(fails, 0.0), return_exceptions=True)
