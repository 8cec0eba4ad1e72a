"""The store itself: scripts forgotten, busy with something else."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from redis.asyncio import Redis
from redis.exceptions import RedisError

from seatd_protocol.messages import Welcome
from tests.faults.fault import fault
from tests.faults.nodes import sessions_of
from tests.faults.trial import Trial, together

BUSY = "local began = os.clock() while os.clock() - began < tonumber(ARGV[1]) do end return 1"


@fault("F31", "SCRIPT FLUSH every second for 60 s", "no error that a client could see", seconds=80)
async def scripts_forgotten(trial: Trial) -> None:
    nodes = await trial.deploy(2)
    await trial.crowd(trial.size // 2)
    began_s = time.monotonic()
    flushing = asyncio.create_task(_flushes(trial))
    until_s = began_s + trial.times.scaled(60)
    try:
        workers = range(min(20, trial.size // 2))
        done = await together([partial(_works, trial, f"w{n}", n, until_s) for n in workers])
    finally:
        flushing.cancel()
    trial.told("sign-ins", sum(done))
    trial.exactly(
        "sign-ins refused", sum(1 for e in trial.history.of("hello", type_="fail") if e.t > began_s), 0
    )
    trial.exactly("connections ended by servers", len(trial.ends_by_server(began_s)), 0)
    trial.exactly("leases lapsed", sum(node.said.count("lease had lapsed") for node in nodes), 0)


async def _flushes(trial: Trial) -> None:
    async with Redis.from_url(trial.engine.url) as client:
        while True:
            await client.script_flush()
            await asyncio.sleep(1.0 if trial.times.scale == 1 else 0.2)


async def _works(trial: Trial, name: str, place: int, until_s: float) -> int:
    person, done = trial.person(name, trial.nodes[place % len(trial.nodes)].clients), 0
    while time.monotonic() < until_s:
        if isinstance(await person.sign_in(), Welcome):
            done += 1
            await person.bye()
        await asyncio.sleep(0.05)
    return done


@fault(
    "F32",
    "a foreign script keeps the store busy for 8 s (BUSY)",
    "no connection ended by a server, nothing done twice",
    seconds=40,
)
async def store_busy(trial: Trial) -> None:
    await trial.deploy(2)
    people = await trial.crowd(trial.size // 2)
    before, began_s = sessions_of(people), time.monotonic()
    busy_s = trial.times.scaled(8)
    blocking = asyncio.create_task(_blocks(trial, busy_s))
    knocking = [
        asyncio.create_task(_insists(trial, f"w{n}", began_s + busy_s + 20))
        for n in range(min(10, trial.size // 2))
    ]
    await blocking
    came = await asyncio.gather(*knocking)
    trial.exactly("newcomers with a seat in the end", sum(came), len(came))
    trial.exactly(
        "connections ended by servers", len([c for c in trial.ends_by_server(began_s) if c != 4300]), 0
    )
    trial.exactly("sessions kept", trial.kept(people, before), 1.0)


async def _blocks(trial: Trial, seconds: float) -> None:
    async with Redis.from_url(trial.engine.url, socket_timeout=seconds + 30) as client:
        await client.config_set("lua-time-limit", int(seconds * 1000 / 2))
        try:
            await client.eval(BUSY, 0, str(seconds))
        except RedisError as error:
            trial.remarks.append(f"the foreign script: {error}")


async def _insists(trial: Trial, name: str, until_s: float) -> bool:
    person = trial.person(name)
    while time.monotonic() < until_s:
        if isinstance(await person.sign_in(), Welcome):
            return True
        await asyncio.sleep(0.2)
    return False
