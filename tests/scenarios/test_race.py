"""A hundred clients race for five seats over two nodes, again and again: five win, and nothing is left behind."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from redis.asyncio import Redis

from seatd_protocol.messages import Denied, Welcome
from tests.scenarios.client import Client
from tests.scenarios.company import Company
from tests.scenarios.conftest import Pair
from tests.store.contents import HISTORY

ROUNDS, RACERS, SEATS = 50, 100, 5
PROTOCOLS = ("seatd.v1.msgpack", "seatd.v1.json")

KEPT = {
    *("licenses", "offers", "license_keys", "profile", "customers", "expiries", "tombs", "cooldowns"),
    *("account", "domains", "audit", *HISTORY),
}
"""Keys that may speak of a customer of whom nobody is signed in."""


async def test_a_hundred_race_for_five(pair: Pair, company: Company) -> None:
    await company.licensed(f"CALL_CENTER:competitive:{SEATS}")
    tokens = [company.token(f"u{number}") for number in range(RACERS)]
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(_watch(company.used))
        for _ in range(ROUNDS):
            racers = [_sign_in(pair, company, number, token) for number, token in enumerate(tokens)]
            random.shuffle(racers)
            answers = await asyncio.gather(*racers)
            await _judge(answers)
            await asyncio.gather(*(client.bye() for client in answers if isinstance(client.first, Welcome)))
            assert await company.used() == 0
        watch.cancel()
    assert await _left_behind(pair.a.store, company.name) == []


async def _sign_in(pair: Pair, company: Company, number: int, token: str) -> Client:
    node, protocol = random.choice(pair), random.choice(PROTOCOLS)
    return await company.sign_in(node, f"u{number}", "CALL_CENTER", protocol=protocol, token=token)


async def _judge(answers: list[Client]) -> None:
    losers = [client for client in answers if isinstance(client.first, Denied)]
    assert len(losers) == RACERS - SEATS, [client.first for client in answers]
    for client in losers:
        assert (client.denied.code, client.denied.limit, client.denied.used) == ("no_seat", SEATS, SEATS)
        assert await client.closed() == 4300


async def _watch(used: Callable[[], Awaitable[int]]) -> None:
    """At no moment does the registry show more than the limit."""
    while True:
        assert await used() <= SEATS
        await asyncio.sleep(0.02)


async def _left_behind(url: str, customer: str) -> list[bytes]:
    """Whatever in the store still speaks of the customer, beyond its licenses."""
    found: list[bytes] = []
    async with Redis.from_url(url) as store:
        async for key in store.scan_iter(count=1000):
            name = key.decode().rpartition(":")[2]
            if name in KEPT:
                continue
            if f":c:{customer}:" in key.decode():
                found.append(key)
            elif await store.type(key) == b"zset":
                members = await store.zrange(key, 0, -1)
                found += [key + b" " + member for member in members if customer.encode() + b"\0" in member]
    return found
