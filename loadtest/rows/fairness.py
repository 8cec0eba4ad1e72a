"""How much longer a customer waits because another one asks without a pause: its p99 beside that, and without, in turn."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Collection

import aiohttp

from loadtest import noise
from loadtest.clients.client import VirtualClient
from loadtest.figures import percentile
from loadtest.own import bought, own_server
from loadtest.rows.cores import apart
from loadtest.rows.people import FURTHER, NEED, all_signed_in, cut, plan
from loadtest.rows.row import Row
from loadtest.rows.scale import Scale
from loadtest.server import Server

TURNS_PER_S = 500
"""The noisy customer's: 1,000 requests a second, where the other one asks some eighty times."""
ENOUGH = 0.8
"""Of that there must be, for it to be noise: the process that makes it stands back behind all others."""
PAUSE_S = 0.02
ACQUIRED = re.compile(
    r'^seatd_seat_requests_total{(?=.*verb="acquire")(?=.*result="granted").*} (\S+)$', re.MULTILINE
)


async def measured(scale: Scale, _names: Collection[str], say: Callable[[str], None]) -> list[Row]:
    """Judged is the ratio of both p99."""
    calm_ms: list[float] = []
    noisy_ms: list[float] = []
    noise_s = granted = 0.0
    async with own_server(1, NEED, FURTHER) as server:
        await bought(server, noise.CUSTOMER, noise.CLIENTS, (*NEED, FURTHER))
        apart([server])
        quiet = plan([server], 1)
        (one,) = await all_signed_in(quiet)
        for number in range(scale.rounds):
            say(f"round {number + 1} of {scale.rounds}: a customer asks alone, then beside a noisy one")
            calm_ms += await _asks(one, scale.turns_s)
            async with noise.noise(server, TURNS_PER_S):
                began_s, before = time.perf_counter(), await _granted(server)
                noisy_ms += await _asks(one, scale.turns_s)
                granted += await _granted(server) - before
                noise_s += time.perf_counter() - began_s
        cut(quiet.crowd)
    noise_per_s = 2 * (granted - len(noisy_ms) / 2) / noise_s
    if noise_per_s < ENOUGH * 2 * TURNS_PER_S:
        raise ValueError(f"the noisy customer had only {noise_per_s:.0f} answers a second")
    more = {
        "p50_ms": percentile(noisy_ms, 50),
        "p50_ms_alone": percentile(calm_ms, 50),
        "noise_per_s": noise_per_s,
    }
    return [Row("fairness", percentile(noisy_ms, 99), percentile(calm_ms, 99), more)]


async def _granted(server: Server) -> float:
    """How many acquires the node has granted so far."""
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {server.token}"}) as http,
        http.get(f"http://{server.admin}/metrics") as answer,
    ):
        answer.raise_for_status()
        return sum(float(number) for number in ACQUIRED.findall(await answer.text()))


async def _asks(one: VirtualClient, seconds: float) -> list[float]:
    """How long each of its requests took, in ms."""
    took_ms: list[float] = []
    until_s = time.perf_counter() + seconds
    while time.perf_counter() < until_s:
        for ask in (one.acquire, one.release):
            began_s = time.perf_counter()
            if not await ask(FURTHER):
                raise ValueError(f"a client was refused: {dict(one.terms.recorder.counts)}")
            took_ms.append((time.perf_counter() - began_s) * 1000)
            await asyncio.sleep(PAUSE_S / 2)
    return took_ms
