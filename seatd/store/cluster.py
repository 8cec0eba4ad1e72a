"""A store on a cluster: each of its servers behind a `Pipeline` of its own, and every call sent to the one that has its slot.

All keys of a call lie in one slot. Calls of one turn of the loop so travel in one batch per server, and a server that is slow
or gone holds up nobody else's calls. A server that answers MOVED, ASK or TRYAGAIN says that the call was not run, so it is
sent on; a lost connection or a time-out means, as everywhere, that the outcome is unknown, and nothing is sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.exceptions import AskError, MovedError, ResponseError

from seatd.store.cluster_map import QUESTION, ClusterMap, address_of, slot_of
from seatd.store.pipeline import Pipeline
from seatd.store.scripts import Script
from seatd.store.url import Address, SeveralHosts
from seatd.store.values import StoreUnavailable
from seatd.store.wire import Words

PAUSE_S = 0.02
"""Between attempts at a slot that is just moving. (All keys of a partition move within milliseconds.)"""

Answer = TypeVar("Answer")
Send = Callable[[Pipeline, bool], Awaitable[Answer]]
"""Sends a call by a server's pipeline. The second argument: whether it must be asked to take what is just moving in."""


class Cluster:
    """The face of a `Pipeline`, for many servers. `settings` are those of all connections.

    `patience_s` bounds how long a call is sent on while its slot moves.
    """

    def __init__(self, place: SeveralHosts, settings: Mapping[str, Any], *, patience_s: float) -> None:
        self._seeds = place.hosts
        self._settings = {"username": place.user, "password": place.password, **settings}
        self._patience_s = patience_s
        self._map = ClusterMap.unknown()
        self._pipelines: dict[Address, Pipeline] = {}
        self._learning: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def healthy(self) -> bool:
        """Whether every server's last batch worked."""
        return all(pipeline.healthy for pipeline in self._pipelines.values())

    async def run(self, script: Script, keys: Sequence[str], args: bytes) -> bytes:
        """The script's answer. Raises `StoreUnavailable` when the store gave none (the outcome is unknown)."""
        return await self._follow(
            keys[0], lambda pipeline, asking: pipeline.run(script, keys, args, asking=asking)
        )

    async def command(self, *words: Any) -> Any:
        """The answer to a plain command, whose first argument is its key."""
        return await self._follow(words[1], lambda pipeline, asking: pipeline.command(*words, asking=asking))

    async def commands(self, commands: Iterable[Words]) -> list[Any]:
        """The answers to many plain commands, in their order."""
        return await asyncio.gather(*(self.command(*words) for words in commands))

    async def together(self, *commands: Words) -> list[Any]:
        """The answers to commands that go over one connection, to the server that has the key of the first one."""
        return await self._follow(
            commands[0][1], lambda pipeline, asking: pipeline.together(*commands, asking=asking)
        )

    async def publish(self, channel: str, message: str) -> None:
        """Tells everybody who listens on a channel: whichever server hears it tells all others."""
        await self._pipeline(self._by_promise()[0]).publish(channel, message)

    async def servers(self) -> list[Redis]:
        """The servers that hold seats."""
        await self._learn()
        return [self._pipeline(address).client for address in dict.fromkeys(self._map.primaries) if address]

    async def disconnect(self) -> None:
        """Drops all connections, and asks anew who has which slots; what is on its way may still be answered."""
        await asyncio.gather(*(pipeline.disconnect() for pipeline in self._pipelines.values()))
        with suppress(StoreUnavailable):  # whoever calls next is told
            await asyncio.shield(self._learn())

    async def close(self) -> None:
        """Waits for what is on its way."""
        await asyncio.gather(*(pipeline.close() for pipeline in self._pipelines.values()))

    async def aclose(self) -> None:
        """Ends all connections."""
        if self._learning is not None:
            self._learning.cancel()
            await asyncio.wait([self._learning])
        await asyncio.gather(*self._leaving, *(p.client.aclose() for p in self._pipelines.values()))

    async def _follow(self, key: str, send: Send[Answer]) -> Answer:
        """Sends a call to where its slot is, and on to where it went."""
        loop = asyncio.get_running_loop()
        slot, give_up_s, pause_s = slot_of(key), loop.time() + self._patience_s, 0.0
        while True:
            address = await self._place_of(slot)
            try:
                return await self._send(address, send)
            except MovedError as error:
                self._map.primaries[slot] = address_of(error.host, error.port, address)
                self._learn()
                reason = "MOVED"
            except StoreUnavailable as error:
                reason = str(error)
                if reason != "TRYAGAIN" or loop.time() > give_up_s:
                    self._learn()
                    raise
            if loop.time() > give_up_s:
                raise StoreUnavailable(reason)
            await asyncio.sleep(pause_s)
            pause_s = PAUSE_S

    async def _send(self, address: Address, send: Send[Answer]) -> Answer:
        try:
            return await send(self._pipeline(address), False)
        except MovedError:  # to redis-py it is a kind of ASK
            raise
        except AskError as error:
            return await send(self._pipeline(address_of(error.host, error.port, address)), True)

    async def _place_of(self, slot: int) -> Address:
        if self._map.primaries[slot] is None:
            await asyncio.shield(self._learn())
        address = self._map.primaries[slot]
        if address is None:
            raise StoreUnavailable("no server of the cluster has this slot")
        return address

    def _pipeline(self, address: Address) -> Pipeline:
        if address not in self._pipelines:
            host, port = address
            self._pipelines[address] = Pipeline(Redis(host=host, port=port, **self._settings))
        return self._pipelines[address]

    # -- who has which slots ----------------------------------------------------------------------

    def _learn(self) -> asyncio.Task[None]:
        """Asks who has which slots, once for all who want to know."""
        if self._learning is None or self._learning.done():
            self._learning = asyncio.create_task(self._ask_around())
            self._learning.add_done_callback(lambda asked: asked.cancelled() or asked.exception())
        return self._learning

    async def _ask_around(self) -> None:
        said = ""
        for address in self._by_promise():
            try:
                rows = await self._pipeline(address).command(*QUESTION)
            except (StoreUnavailable, ResponseError) as error:
                said = str(error.__cause__ or error)
                continue
            return self._take(ClusterMap.read(rows, address))
        raise StoreUnavailable(f"no server knows the cluster: {said}")

    def _by_promise(self) -> list[Address]:
        """All servers that we know of, those that answered last first and those that did not last."""

        def rank(address: Address) -> int:
            pipeline = self._pipelines.get(address)
            return 1 if pipeline is None else 0 if pipeline.healthy else 2

        return sorted(dict.fromkeys((*self._map.members, *self._seeds)), key=rank)

    def _take(self, found: ClusterMap) -> None:
        self._map = found
        for address in self._pipelines.keys() - set(found.members):
            self._leave(_ended(self._pipelines.pop(address)))

    def _leave(self, ending: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(ending)
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)


async def _ended(pipeline: Pipeline) -> None:
    await pipeline.close()
    await pipeline.client.aclose()
