"""What is asked for in the same turn of the event loop goes to the store as one.

What a script costs in itself is the larger part of what a seat takes: a crowd that comes, leaves or is forced out pays it once
for many. Who is alone pays what he would anyway.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

MOST = 32
"""In one script: it runs alone, and so many sessions take about 5 ms."""

Key = TypeVar("Key")
Item = TypeVar("Item")
Told = TypeVar("Told")
Ask = Callable[[Key, list[Item]], Awaitable[list[Told]]]


class Together(Generic[Key, Item, Told]):
    """Asks by `ask`, which answers for each item in order."""

    def __init__(self, ask: Ask[Key, Item, Told], most: int = MOST) -> None:
        self._ask = ask
        self._most = most
        self._gathering: dict[Key, list[tuple[Item, asyncio.Future[Told]]]] = {}
        self._under_way: set[asyncio.Task[None]] = set()

    async def of(self, key: Key, item: Item) -> Told:
        """The answer for one item. Raises what asking for it raises."""
        answer = asyncio.get_running_loop().create_future()
        gathered = self._gathering.get(key)
        if gathered is None:
            gathered = self._gathering[key] = []
            task = asyncio.create_task(self._go(key, gathered))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        gathered.append((item, answer))
        if len(gathered) == self._most:
            del self._gathering[key]
        told: Told = await answer
        return told

    async def _go(self, key: Key, gathered: list[tuple[Item, asyncio.Future[Told]]]) -> None:
        if self._gathering.get(key) is gathered:
            del self._gathering[key]
        try:
            answers = await self._ask(key, [item for item, _ in gathered])
            for (_, answer), told in zip(gathered, answers, strict=True):
                if not answer.done():
                    answer.set_result(told)
        except Exception as error:
            for _, answer in gathered:
                if not answer.done():
                    answer.set_exception(error)
