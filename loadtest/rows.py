"""The rows of `./dev bench table`: what seatd costs, held against a floor that is measured in the same run.

The server has one core, the clients and the store the other. Costs are CPU seconds by the kernel's accounts: how slow the
clients are does not count.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis

from loadtest.clients import tokens
from loadtest.clients.client import Terms, VirtualClient
from loadtest.clients.connection import Connection, Place
from loadtest.floor import PROTOCOL, floor
from loadtest.own import CUSTOMER, DOMAIN, own_server
from loadtest.processes import children, cpu_s, memory_kib, on_core
from loadtest.scenarios import logout, queue
from loadtest.scenarios.plan import Plan, some_at_once, until
from loadtest.server import Server

NEED, FURTHER = ("CALL_CENTER", "CALL_MANAGER"), "QUALITY_AUDITOR"
MEASURED_S = 5.0
BEAT_S = 8.0
BUSY = 32
"""Clients that ask as fast as they are answered: enough to keep a core busy."""


@dataclass(frozen=True)
class Row:
    """A figure of seatd's and of the floor's (None: it has none), and what is judged: at most, or at least, `must`."""

    name: str
    unit: str
    floor: float | None
    seatd: float
    judged: float
    must: float
    aim: float
    at_least: bool = False

    @property
    def verdict(self) -> str:
        """`aim`, `must`, or `FAIL`."""
        for goal, word in ((self.aim, "aim"), (self.must, "must")):
            if (self.judged >= goal) if self.at_least else (self.judged <= goal):
                return word
        return "FAIL"


def against(
    name: str, unit: str, floor_: float, seatd: float, must: float, aim: float, *, at_least: bool = False
) -> Row:
    """A row that is judged by the ratio."""
    return Row(name, unit, floor_, seatd, seatd / floor_, must, aim, at_least)


def plain(name: str, unit: str, seatd: float, must: float, aim: float) -> Row:
    """A row that is judged by itself."""
    return Row(name, unit, None, seatd, seatd, must, aim)


@dataclass
class Bare:
    """What the floor costs."""

    connect_us: float
    echoes_per_s: float
    session_kib: float


async def measured_floor(clients: int) -> Bare:
    """Connects and echoes once with each, then echoes with a few as fast as they can."""
    async with floor() as bare:
        on_core(0, [bare.pid])
        before_s, before_kib = cpu_s(bare.pid), memory_kib(bare.pid)
        echoes = [Echo() for _ in range(clients)]
        await some_at_once(echoes, lambda echo: echo.connect(bare.place))
        connect_us = (cpu_s(bare.pid) - before_s) / clients * 1e6
        session_kib = (memory_kib(bare.pid) - before_kib) / clients
        done = await _as_fast_as_they_can([echo.ask for echo in echoes[:BUSY]])
        for echo in echoes:
            echo.cut()
    return Bare(connect_us, done / MEASURED_S, session_kib)


class Echo:
    """A client of the floor's."""

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._answer: asyncio.Future[bytes] | None = None

    async def connect(self, place: Place) -> None:
        """Connects, and echoes once."""
        self._connection = await Connection.open(place, PROTOCOL, self._heard, lambda _code: None)
        await self.ask()

    async def ask(self) -> None:
        """One echo, of the size of a request for a seat."""
        assert self._connection is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._connection.send(b"x" * 40)
        await self._answer

    def cut(self) -> None:
        """Ends it."""
        if self._connection is not None:
            self._connection.cut()

    def _heard(self, data: bytes) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(data)


async def measured(clients: int, bare: Bare) -> list[Row]:
    """All rows with so many sessions."""
    async with own_server(clients, NEED, FURTHER) as server, _store(server) as store:
        (engine,) = children(server.pid)
        on_core(0, [server.pid])
        on_core(1, [engine, os.getpid()])
        plan = _plan(server, clients)
        _, without = await _idle(server, store, 1)
        before_s, before_kib = cpu_s(server.pid), memory_kib(server.pid)
        store_before = await _store_bytes(store)
        people = await plan.signed_in()
        if len(people) != clients:
            raise ValueError(f"only {len(people)} of {clients} have signed in: {dict(plan.recorder.counts)}")
        sign_in_us = (cpu_s(server.pid) - before_s) / clients * 1e6
        session_kib = (memory_kib(server.pid) - before_kib) / clients
        store_b = (await _store_bytes(store) - store_before) / clients
        beat_us, commands = await _idle(server, store, clients)
        turns = await _as_fast_as_they_can([_turn(one) for one in people[:BUSY]])
        forced_s = await _forced_out(plan, people)
    handed_ms = await _handed_on()
    return [
        against("CPU per sign-in", "us", bare.connect_us, sign_in_us, 2.0, 1.4),
        against(
            "acquires and releases a second",
            "1/s",
            bare.echoes_per_s,
            2 * turns / MEASURED_S,
            0.25,
            0.5,
            at_least=True,
        ),
        against("memory per session, node", "KiB", bare.session_kib, session_kib, 1.5, 1.2),
        plain("memory per session, store", "B", store_b, 1200, 700),
        plain("CPU per beat, idle", "us", beat_us, 60, 25),
        # Its floor is seatd itself without sessions: idle sessions are to ask the store for nothing. (The sample is small.)
        against("scripts a second in the store, idle", "1/s", without, commands, 1.25, 1.1),
        plain(f"{clients:,} forced out at once", "s", forced_s, 5, 2),
        plain("a freed seat handed on, p99", "ms", handed_ms, 50, 10),
    ]


def _plan(server: Server, clients: int, seats: int = 0) -> Plan:
    token = tokens.signed(server.secret, customer=CUSTOMER, domain=DOMAIN, audience="seatd", issuer=None)
    terms = Terms(places=(Place.of(f"ws://{server.clients}"),), token=token, need=NEED)

    async def force_out() -> None:
        import aiohttp

        headers = {"Authorization": f"Bearer {server.token}"}
        body = {"customer": CUSTOMER, "cooldown_s": 0}
        async with aiohttp.ClientSession(headers=headers) as http:
            await http.post(f"http://{server.admin}/api/v1/logout", json=body)

    return Plan(terms, clients, 10, 50, seats, FURTHER, force_out)


def _turn(one: VirtualClient) -> Callable[[], Awaitable[None]]:
    async def turn() -> None:
        if not (await one.acquire(FURTHER) and await one.release(FURTHER)):
            raise ValueError(f"a client was refused: {dict(one.terms.recorder.counts)}")

    return turn


async def _idle(server: Server, store: Redis, clients: int) -> tuple[float, float]:
    """CPU per beat, and what the store is asked in a second, while nobody does anything."""
    await asyncio.sleep(2)
    before_s, commands = cpu_s(server.pid), await _commands(store)
    await asyncio.sleep(2 * BEAT_S)
    used_s = cpu_s(server.pid) - before_s
    return used_s / (2 * clients) * 1e6, (await _commands(store) - commands) / (2 * BEAT_S)


async def _forced_out(plan: Plan, people: list[VirtualClient]) -> float:
    """From an administrator's request until the last client has closed."""
    recorder = plan.recorder
    plan.crowd = people
    began_s = plan.terms.asked_s = time.perf_counter()
    assert plan.force_out is not None
    asking = asyncio.ensure_future(plan.force_out())
    await until(lambda: not any(one.connected for one in people), logout.TOLD_S)
    took_s = time.perf_counter() - began_s
    await asking
    if recorder.errors:
        raise ValueError(f"{dict(recorder.counts)}")
    return took_s


async def _handed_on() -> float:
    """p99 of what a waiter waits for a seat that has come free; in ms."""
    async with own_server(100, NEED, FURTHER) as server:
        plan = _plan(server, 200, 100)
        await queue.run(plan)
        return plan.recorder.steps["handed on"].percentile(99)


async def _as_fast_as_they_can(asking: list[Callable[[], Awaitable[None]]]) -> int:
    """How often all of them together are answered in `MEASURED_S`."""
    until_s, done = time.perf_counter() + MEASURED_S, 0

    async def repeat(ask: Callable[[], Awaitable[None]]) -> None:
        nonlocal done
        while time.perf_counter() < until_s:
            await ask()
            done += 1

    await asyncio.gather(*map(repeat, asking))
    return done


@asynccontextmanager
async def _store(server: Server) -> AsyncIterator[Redis]:
    async with Redis.from_url(server.store) as client:
        yield client


async def _store_bytes(store: Redis) -> float:
    return float((await store.info("memory"))["used_memory"])


async def _commands(store: Redis) -> float:
    """Scripts that the store was asked to run."""
    return float((await store.info("commandstats")).get("cmdstat_evalsha", {}).get("calls", 0))
