"""Calls that go on while servers come and go, each of which leaves a trace of how often it was run."""

from __future__ import annotations

import asyncio
from collections import Counter

import msgpack

from seatd.store.keys import partition_key
from seatd.store.redis import Store
from seatd.store.scripts import build
from seatd.store.values import StoreUnavailable

COUNT = build("count", "return redis.call('HINCRBY', KEYS[1], args[1], 1)")


class Load:
    """While inside, `callers` ask without a pause, each call under a name of its own and on any partition.

    `done`: how many were answered; `refused`: how often each reason was given for no answer.
    """

    def __init__(self, store: Store, callers: int = 8) -> None:
        self.done = 0
        self.refused: Counter[str] = Counter()
        self._store = store
        self._callers = callers
        self._names = 0
        self._answers: list[int] = []

    async def __aenter__(self) -> Load:
        self._tasks = [asyncio.create_task(self._call_on()) for _ in range(self._callers)]
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """No more calls."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def until_done(self, count: int) -> None:
        """Returns when so many calls were answered."""
        async with asyncio.timeout(30):
            while self.done < count:
                for task in self._tasks:
                    if task.done():
                        task.result()
                await asyncio.sleep(0.01)

    async def most_often(self) -> int:
        """Stops, and says how often the call ran that ran most often."""
        await self.stop()
        found = [await self._store.pipeline.command("HVALS", key) for key in self._keys()]
        return max(self._answers + [int(value) for values in found for value in values])

    async def _call_on(self) -> None:
        while True:
            self._names += 1
            key = self._keys()[self._names % self._store.partitions]
            try:
                self._answers.append(
                    int(await self._store.pipeline.run(COUNT, [key], _packed(f"call{self._names}")))
                )
                self.done += 1
            except StoreUnavailable as error:
                self.refused[str(error)] += 1
                await asyncio.sleep(0.02)

    def _keys(self) -> list[str]:
        return [partition_key("load", number) for number in range(self._store.partitions)]


def _packed(name: str) -> bytes:
    packed: bytes = msgpack.packb([name], use_bin_type=False)
    return packed
