"""Some at a time, in order, who comes back first; and nobody who has given up holds a place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from seatd.hub.turnstile import Turnstile

Comers = dict[str, "asyncio.Task[None]"]


@pytest.fixture
async def comers() -> AsyncIterator[Comers]:
    made: Comers = {}
    yield made
    for task in made.values():
        task.cancel()
    await asyncio.gather(*made.values(), return_exceptions=True)


class Crowd:
    """Enters and stays inside until it is told to leave."""

    def __init__(self, turnstile: Turnstile, comers: Comers) -> None:
        self.turnstile = turnstile
        self.comers = comers
        self.inside: list[str] = []

    def come(self, name: str, *, back: bool = False) -> None:
        self.comers[name] = asyncio.create_task(self._enter(name, back))

    async def _enter(self, name: str, back: bool) -> None:
        await self.turnstile.enter(comes_back=back)
        self.inside.append(name)

    def leave(self, name: str) -> None:
        self.inside.remove(name)
        self.turnstile.leave()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_so_many_are_inside_and_the_next_comes_when_one_leaves(comers: Comers) -> None:
    crowd = Crowd(Turnstile(2), comers)
    for name in "abcd":
        crowd.come(name)
    await settle()
    assert crowd.inside == ["a", "b"]
    crowd.leave("b")
    await settle()
    assert crowd.inside == ["a", "c"]


async def test_who_comes_back_goes_before_who_is_new(comers: Comers) -> None:
    crowd = Crowd(Turnstile(1), comers)
    for name in "abc":
        crowd.come(name)
    crowd.come("back", back=True)
    await settle()
    crowd.leave("a")
    await settle()
    assert crowd.inside == ["back"]


async def test_in_one_turn_of_the_loop_only_so_many_are_let_in(comers: Comers) -> None:
    crowd = Crowd(Turnstile(100, 3), comers)
    for number in range(10):
        crowd.come(str(number))
    sizes = [0]
    while sizes[-1] < 10:
        await asyncio.sleep(0)
        sizes.append(len(crowd.inside))
    assert max(now - before for before, now in pairwise(sizes)) == 3


async def test_who_gives_up_holds_no_place(comers: Comers) -> None:
    crowd = Crowd(Turnstile(1), comers)
    for name in "abc":
        crowd.come(name)
    await settle()
    comers["b"].cancel()
    await settle()
    crowd.leave("a")
    await settle()
    assert crowd.inside == ["c"]


async def test_who_is_cancelled_in_the_moment_of_his_turn_gives_it_on(comers: Comers) -> None:
    crowd = Crowd(Turnstile(1), comers)
    for name in "abc":
        crowd.come(name)
    await settle()
    crowd.leave("a")
    comers["b"].cancel()
    await settle()
    assert crowd.inside == ["c"]
