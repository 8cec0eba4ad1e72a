"""What a crowd costs one node: signing in, being there, asking, and being forced out all at once.

The server has one core, the clients and the store the other. Costs are CPU seconds by the kernel's accounts: how slow the
clients are does not count.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection

from loadtest.clients.client import VirtualClient
from loadtest.own import own_server
from loadtest.processes import children, cpu_s, memory_kib
from loadtest.rows.bare import BUSY, Bare, measured_floor
from loadtest.rows.cores import apart
from loadtest.rows.engine import Engine, engine
from loadtest.rows.people import FURTHER, NEED, all_signed_in, as_fast_as_they_can, plan
from loadtest.rows.row import Row
from loadtest.rows.scale import Scale
from loadtest.scenarios import logout
from loadtest.scenarios.plan import Plan, until
from loadtest.server import Server

BEAT_S = 8.0
SETTLED_S = 2.0
AGAINST_FLOOR = {"sign-in", "acquire", "memory"}
NO_FLOOR = Bare(1, 1, 1)

Say = Callable[[str], None]


async def measured(scale: Scale, names: Collection[str], say: Say) -> list[Row]:
    """Those of its rows that are wanted."""
    bare = NO_FLOOR
    if AGAINST_FLOOR.intersection(names):
        say(f"the floor: {scale.clients:,} connect and echo")
        bare = await measured_floor(scale.clients, scale.turns_s if "acquire" in names else 0)
    async with own_server(scale.clients, NEED, FURTHER) as server, engine(server.store) as store:
        apart([server])
        crowd = _Crowd(scale, server, store, bare, say)
        return [row for row in await crowd.through(names) if row.name in names]


class _Crowd:
    """One crowd, and what it goes through."""

    def __init__(self, scale: Scale, server: Server, store: Engine, bare: Bare, say: Say) -> None:
        self._scale, self._server, self._store, self._bare, self._say = scale, server, store, bare, say

    async def through(self, names: Collection[str]) -> list[Row]:
        """What takes time is left out when none of the names asks for it."""
        people_plan, rows = plan([self._server], self._scale.clients), []
        without = 0.0
        if "idle-store" in names:
            self._say("nobody is there")
            _, without = await idle(self._server, self._store, 1, self._scale.beats)
        rows += await self._signed_in(people_plan)
        if {"idle", "idle-store"}.intersection(names):
            self._say(f"{self._scale.clients:,} are idle")
            rows += await self._idle(without)
        if "acquire" in names:
            self._say(f"{BUSY} acquire and release")
            rows.append(await self._asked(people_plan.crowd))
        if "logout-all" in names:
            self._say("all are forced out at once")
            rows.append(Row("logout-all", await _forced_out(people_plan)))
        return rows

    async def _signed_in(self, plan: Plan) -> list[Row]:
        clients, pid = self._scale.clients, self._server.pid
        self._say(f"{clients:,} sign in")
        before_s, before_kib = cpu_s(pid), memory_kib(pid)
        store_bytes = await self._store.memory_bytes()
        await all_signed_in(plan)
        each_us = (cpu_s(pid) - before_s) / clients * 1e6
        each_kib = (memory_kib(pid) - before_kib) / clients
        store_bytes = (await self._store.memory_bytes() - store_bytes) / clients
        return [
            Row("sign-in", each_us, self._bare.connect_us),
            Row("memory", each_kib, self._bare.session_kib),
            Row("store-memory", store_bytes),
        ]

    async def _idle(self, without: float) -> list[Row]:
        clients, beats = self._scale.clients, self._scale.beats
        beat_us, scripts_per_s = await idle(self._server, self._store, clients, beats)
        return [Row("idle", beat_us), Row("idle-store", scripts_per_s, without or None)]

    async def _asked(self, people: list[VirtualClient]) -> Row:
        seconds, before = self._scale.turns_s, self._used_s()
        turns = await as_fast_as_they_can([_turn(one) for one in people[:BUSY]], seconds)
        each_us = {
            f"{who}_us": (used_s - before[who]) / (2 * turns) * 1e6 for who, used_s in self._used_s().items()
        }
        return Row("acquire", 2 * turns / seconds, self._bare.echoes_per_s, each_us)

    def _used_s(self) -> dict[str, float]:
        """The CPU of all who take part in a request."""
        stores = children(self._server.pid)
        return {
            "node": cpu_s(self._server.pid),
            "store": sum(map(cpu_s, stores)),
            "clients": time.process_time(),
        }


def _turn(one: VirtualClient) -> Callable[[], Awaitable[None]]:
    async def turn() -> None:
        if not (await one.acquire(FURTHER) and await one.release(FURTHER)):
            raise ValueError(f"a client was refused: {dict(one.terms.recorder.counts)}")

    return turn


async def idle(server: Server, store: Engine, clients: int, beats: int) -> tuple[float, float]:
    """CPU per beat in us, and the scripts that the store is asked for in a second, while nobody does anything."""
    await asyncio.sleep(SETTLED_S)
    before_s, scripts = cpu_s(server.pid), await store.scripts()
    await asyncio.sleep(beats * BEAT_S)
    used_s, after = cpu_s(server.pid) - before_s, await store.scripts()
    return used_s / (beats * clients) * 1e6, (after - scripts) / (beats * BEAT_S)


async def _forced_out(plan: Plan) -> float:
    """Seconds from an administrator's request until the last client has closed. Raises `ValueError`."""
    recorder, people = plan.recorder, plan.crowd
    began_s = plan.terms.asked_s = time.perf_counter()
    assert plan.force_out is not None
    asking = asyncio.ensure_future(plan.force_out())
    await until(lambda: not any(one.connected for one in people), logout.TOLD_S)
    took_s = time.perf_counter() - began_s
    await asking
    if recorder.errors or any(one.connected for one in people):
        raise ValueError(f"not all were forced out in order: {dict(recorder.counts)}")
    return took_s
