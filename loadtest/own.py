"""Servers of the load tester's own, with one customer who has bought enough."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from loadtest.second_node import second_node
from loadtest.server import Server, running_server
from seatd.licensing.claims import CustomerClaim, LicenseClaim, LicenseKey

CUSTOMER = "load"
DAY_MS = 86_400_000


def domain_of(customer: str) -> str:
    """Where its people are."""
    return f"{customer}.example"


DOMAIN = domain_of(CUSTOMER)


@asynccontextmanager
async def own_server(seats: int, need: tuple[str, ...], further: str) -> AsyncIterator[Server]:
    """One that is ready, and where so many may hold each product that is needed; gone afterwards."""
    async with own_servers(1, seats, need, further) as (server,):
        yield server


@asynccontextmanager
async def own_servers(
    nodes: int, seats: int, need: tuple[str, ...], further: str
) -> AsyncIterator[list[Server]]:
    """So many, that share a store. It belongs to the first one: the others may be killed."""
    async with AsyncExitStack() as running:
        first = await running.enter_async_context(running_server())
        await bought(first, CUSTOMER, seats, (*need, further))
        others = [await running.enter_async_context(running_server(first)) for _ in range(nodes - 1)]
        yield [first, *others]


async def bought(server: Server, customer: str, seats: int, products: tuple[str, ...]) -> None:
    """A customer with so many seats of each of these products; its domain is called after it."""
    async with second_node(server.store) as node:
        await node.store.put_license(_key(customer, seats, tuple(dict.fromkeys(products))))


def _key(customer: str, seats: int, products: tuple[str, ...]) -> LicenseKey:
    now_ms = time.time_ns() // 1_000_000
    licenses = tuple(
        LicenseClaim(
            id=f"{customer}-{product}",
            product=product,
            kind="competitive",
            limit=seats,
            valid_from_ms=now_ms - DAY_MS,
            valid_till_ms=now_ms + 30 * DAY_MS,
        )
        for product in products
    )
    return LicenseKey(
        jti=customer,
        iss="load tester",
        iat=now_ms // 1000,
        kid="load",
        customer=CustomerClaim(id=customer),
        domains=(domain_of(customer),),
        licenses=licenses,
        text="no key",
    )
