"""The clients of a row, on servers of the bench's own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from loadtest.clients import tokens
from loadtest.clients.client import Terms, VirtualClient
from loadtest.clients.connection import Place
from loadtest.own import CUSTOMER, domain_of
from loadtest.registry import Registry
from loadtest.scenarios.plan import Plan, until
from loadtest.server import Server

NEED, FURTHER = ("CALL_CENTER", "CALL_MANAGER"), "QUALITY_AUDITOR"
SOURCES = tuple(f"127.0.0.{number}" for number in range(2, 10))
"""Where clients connect from: each address has some 28,000 ports, and one that was closed is not free at once."""
LEAVING_S = 60.0


def registry(server: Server) -> Registry:
    """What an administrator asks of it about the clients' customer."""
    return Registry(f"http://{server.admin}", server.token, CUSTOMER)


def plan(
    servers: Sequence[Server],
    clients: int,
    *,
    seats: int = 0,
    user: str = tokens.USER,
    customer: str = CUSTOMER,
) -> Plan:
    """So many clients, who take turns at the servers. All tokens are signed: that is none of the clients' work later."""
    secret = servers[0].secret
    domain = domain_of(customer)
    token = tokens.signed(secret, customer=customer, domain=domain, audience="seatd", issuer=None, user=user)
    for number in range(clients):
        token(number)
    places = tuple(Place.of(f"ws://{server.clients}") for server in servers)
    terms = Terms(places=places, token=token, need=NEED, sources=SOURCES)
    return Plan(terms, clients, 10, 50, seats, FURTHER, registry(servers[0]).force_out)


async def all_signed_in(plan: Plan) -> list[VirtualClient]:
    """Everybody. Raises `ValueError` when somebody could not."""
    people = await plan.signed_in()
    if len(people) != plan.clients:
        raise ValueError(f"only {len(people)} of {plan.clients} have signed in: {dict(plan.recorder.counts)}")
    return people


async def all_gone(people: Sequence[VirtualClient]) -> None:
    """Everybody says goodbye, and hears that it was heard. Raises `ValueError` when somebody does not."""
    for one in people:
        one.bye()
    if not await until(lambda: not any(one.present for one in people), LEAVING_S):
        raise ValueError(f"{sum(one.present for one in people)} goodbyes were not answered")


def cut(people: Sequence[VirtualClient]) -> None:
    """Nobody is there any more, without a word: servers that stop then have nobody to send elsewhere, and stop at once."""
    for one in people:
        one.drop()


async def as_fast_as_they_can(asking: Sequence[Callable[[], Awaitable[None]]], seconds: float) -> int:
    """How often all of them together are answered in that time."""
    until_s, done = time.perf_counter() + seconds, 0

    async def repeat(ask: Callable[[], Awaitable[None]]) -> None:
        nonlocal done
        while time.perf_counter() < until_s:
            await ask()
            done += 1

    await asyncio.gather(*map(repeat, asking))
    return done
