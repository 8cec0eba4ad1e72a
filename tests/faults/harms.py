"""What may be done to a deployment at random. Each harm ends by itself, and loses nothing that the store has acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from random import Random

from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.faults.field import Field
from tests.faults.proxy import Proxy
from tests.faults.stores import BUSY
from tests.servers import Server as Node

Harm = Callable[[Field, Random], Awaitable[None]]

CUT_S = 15.0
"""The longest silence: shorter than what a client believes without its server."""


async def node_killed(field: Field, rng: Random) -> None:
    await field.killed(rng.choice(field.nodes[:-1]), field.span(rng, 10))


async def node_drained(field: Field, rng: Random) -> None:
    await field.drained(rng.choice(field.nodes[:-1]))


async def node_frozen(field: Field, rng: Random) -> None:
    node = rng.choice(field.nodes)
    with _frozen(field, node):
        await asyncio.sleep(field.span(rng, CUT_S))


async def store_killed(field: Field, rng: Random) -> None:
    await asyncio.to_thread(field.store.kill)
    await asyncio.sleep(field.span(rng, 5))
    await asyncio.to_thread(field.store.start)


async def store_frozen(field: Field, rng: Random) -> None:
    with field.store.paused():
        await asyncio.sleep(field.span(rng, CUT_S))


async def store_busy(field: Field, rng: Random) -> None:
    async with _asking(field) as client:
        await client.eval(BUSY, 0, str(field.span(rng, 8)))


async def scripts_forgotten(field: Field, rng: Random) -> None:
    async with _asking(field) as client:
        for _ in range(5):
            await client.script_flush()
            await asyncio.sleep(field.span(rng, 2))


async def connections_killed(field: Field, rng: Random) -> None:
    async with _asking(field) as client:
        for _ in range(5):
            await client.client_kill_filter(_type="normal", skipme=True)
            await asyncio.sleep(field.span(rng, 2))


async def wakeups_lost(field: Field, rng: Random) -> None:
    until_s = asyncio.get_running_loop().time() + field.span(rng, CUT_S)
    async with _asking(field) as client:
        while asyncio.get_running_loop().time() < until_s:
            await client.client_kill_filter(_type="pubsub")
            await asyncio.sleep(0.05)


async def link_cut(field: Field, rng: Random) -> None:
    await _for_a_while(field, rng, rng.choice(field.links), lambda link: link.cut(refuse=True))


async def link_frozen(field: Field, rng: Random) -> None:
    await _for_a_while(field, rng, rng.choice(field.links), Proxy.freeze)


async def link_slow(field: Field, rng: Random) -> None:
    await _for_a_while(field, rng, rng.choice(field.links), lambda link: link.delay(0.1, 0.05))


async def link_resets(field: Field, rng: Random) -> None:
    await _for_a_while(field, rng, rng.choice(field.links), lambda link: link.reset_some(0.02))


async def link_loses_replies(field: Field, rng: Random) -> None:
    await _for_a_while(field, rng, rng.choice(field.links), Proxy.lose_replies)


async def link_loses_requests(field: Field, rng: Random) -> None:
    await _for_a_while(field, rng, rng.choice(field.links), Proxy.lose_requests)


async def door_cut(field: Field, rng: Random) -> None:
    await _for_a_while(field, rng, rng.choice(field.doors), lambda door: door.cut(refuse=True))


async def door_frozen(field: Field, rng: Random) -> None:
    await _for_a_while(field, rng, rng.choice(field.doors), Proxy.freeze)


async def door_slow(field: Field, rng: Random) -> None:
    await _for_a_while(field, rng, rng.choice(field.doors), lambda door: door.drip(100, 0.01))


async def people_vanish(field: Field, rng: Random) -> None:
    await field.vanish(rng.sample(field.regulars, len(field.regulars) // 4))


async def people_forced_out(field: Field, rng: Random) -> None:
    for _ in range(5):
        people = rng.sample(field.regulars, max(1, len(field.regulars) // 20))
        await field.kick(people, at=rng.choice(field.nodes))
        await asyncio.sleep(field.span(rng, 2))


async def starved(field: Field, rng: Random) -> None:
    burning = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", "while True: pass") for _ in range(4)
    ]
    try:
        await asyncio.sleep(field.span(rng, CUT_S))
    finally:
        for process in burning:
            process.kill()
            await process.wait()


STEADY: tuple[Harm, ...] = (
    node_killed,
    node_drained,
    node_frozen,
    store_frozen,
    store_busy,
    scripts_forgotten,
    connections_killed,
    wakeups_lost,
    link_cut,
    link_frozen,
    link_slow,
    link_resets,
    link_loses_replies,
    link_loses_requests,
    door_cut,
    door_frozen,
    door_slow,
    people_vanish,
    people_forced_out,
    starved,
)
"""Those that leave the store's process and the last node's as they are, so that their memory can be watched."""

ALL = (*STEADY, store_killed)


# -- how they are done ---------------------------------------------------------------------------------


async def _for_a_while(field: Field, rng: Random, proxy: Proxy, do: Callable[[Proxy], None]) -> None:
    do(proxy)
    await asyncio.sleep(field.span(rng, CUT_S))
    proxy.restore()


@contextlib.contextmanager
def _frozen(field: Field, node: Node) -> Iterator[None]:
    field.trial.freeze(node)
    try:
        yield
    finally:
        field.trial.thaw(node)


@asynccontextmanager
async def _asking(field: Field) -> AsyncIterator[Redis]:
    """A connection of our own to the store; that it breaks or is refused, because of another harm, is no matter."""
    with contextlib.suppress(RedisError, OSError):
        async with Redis.from_url(field.trial.store, socket_timeout=30) as client:
            yield client
