"""How long a grant takes: in the store, as another node asks it, and for a client of the node that serves the pages.

Of the same customer that the pages are about, and of another one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import jwt

from loadtest.figures import Figure, percentile
from loadtest.population import Customer, opening
from loadtest.second_node import SecondNode
from loadtest.server import Server
from seatd.cli.token import client_claims
from seatd.store.values import Granted
from seatd_protocol.client import SeatClient
from seatd_protocol.messages import Device, Welcome
from seatd_protocol.messages import Granted as Told

GOAL_MS = 5
PAUSE_S = 0.01
PRODUCT, FURTHER = "CALL_CENTER", "CALL_MANAGER"

Grant = Callable[[], Awaitable[float]]
"""One grant and its end; the milliseconds until it was granted."""


@asynccontextmanager
async def grants(
    server: Server, node: SecondNode, them: Sequence[Customer]
) -> AsyncIterator[dict[str, Grant]]:
    """Ways to be granted a seat, by name."""
    async with AsyncExitStack() as clients:
        found: dict[str, Grant] = {}
        for whose, customer in (("same customer", them[0]), ("another customer", them[-1])):
            found[f"open in the store, {whose}"] = _in_store(node, customer)
            client = await clients.enter_async_context(_client(server, customer))
            found[f"client's acquire, {whose}"] = _by_client(client)
        yield found


def _in_store(node: SecondNode, customer: Customer) -> Grant:
    async def grant() -> float:
        began_s = time.perf_counter()
        asked = opening(customer, customer.users + 1, PRODUCT)
        got = await node.store.open(customer.name, node.name, asked)
        took_ms = (time.perf_counter() - began_s) * 1000
        assert isinstance(got, Granted), got
        await node.store.close(customer.name, session=asked.session, fence=got.fence)
        return took_ms

    return grant


def _client(server: Server, customer: Customer) -> SeatClient:
    user, now_s = customer.user(customer.users), int(time.time())
    claims = client_claims(user, customer.name, ttl_s=3600, now_s=now_s)
    token = jwt.encode(claims, server.secret, "HS256")
    device = Device(kind="desktop", id="bench")
    return SeatClient(f"ws://{server.clients}", token, device, [PRODUCT], on_event=lambda _event: None)


def _by_client(client: SeatClient) -> Grant:
    async def grant() -> float:
        if client.session is None:
            assert isinstance(await client.connect(), Welcome)
        began_s = time.perf_counter()
        got = await client.acquire([FURTHER])
        took_ms = (time.perf_counter() - began_s) * 1000
        assert isinstance(got, Told), got
        await client.release([FURTHER])
        return took_ms

    return grant


async def timed(ways: dict[str, Grant], seconds: float) -> dict[str, list[float]]:
    """How long grants took in each way, one after another for so long."""
    took_ms: dict[str, list[float]] = {name: [] for name in ways}

    async def repeat(name: str) -> None:
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            took_ms[name].append(await ways[name]())
            await asyncio.sleep(PAUSE_S)

    await asyncio.gather(*map(repeat, ways))
    return took_ms


def compared(alone: dict[str, list[float]], meanwhile: dict[str, list[float]]) -> list[Figure]:
    """Of each way, without and with pages. Judged is by how much the 99th percentile is longer with them."""
    figures = []
    for name, before in alone.items():
        for title, took_ms in ((f"{name}, alone", before), (f"{name}, with pages", meanwhile[name])):
            longer = percentile(took_ms, 99) - percentile(before, 99)
            goal = None if took_ms is before else float(GOAL_MS)
            figures.append(
                Figure(
                    title,
                    len(took_ms),
                    percentile(took_ms, 50),
                    percentile(took_ms, 99),
                    max(took_ms),
                    longer,
                    goal,
                )
            )
    return figures
