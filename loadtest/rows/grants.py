"""What a grant costs the store, as the sessions of its customer, or its licenses, become more.

The sessions are put in by the store's own verbs, without clients: so many as no single machine could connect. All customers
are in one store, and batches of grants take turns among them: what else the machine does meets each of them alike.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Collection, Mapping, Sequence
from math import log

from loadtest.population import PRODUCTS, Customer, batched, bring_licenses, opening, sign_in
from loadtest.processes import children, main_thread_cpu_s, on_core
from loadtest.rows.row import Row
from loadtest.rows.scale import Scale
from loadtest.second_node import SecondNode, second_node
from loadtest.server import running_server
from seatd.store.values import Granted

PRODUCT = PRODUCTS[0]
BATCH, BATCHES = 200, 9
FREE = 1_000_000
"""Seats that nobody has, so that all are granted."""

Say = Callable[[str], None]


async def measured(scale: Scale, _names: Collection[str], say: Say) -> list[Row]:
    """At rising numbers of sessions of one customer."""
    cost_us = await by_sessions(scale.grants_at, say)
    more = {f"us_at_{sessions}": each_us for sessions, each_us in cost_us.items()}
    return [Row("grants", growth(cost_us), more=more)]


def growth(cost: Mapping[int, float]) -> float:
    """By how much the cost grows, as a share of what the logarithm of the number does: 0 is flat, 1 is the logarithm, judged
    where it is worst. The first number (more than 1) is what the others are compared with."""
    (least, base), *others = sorted(cost.items())
    return max((each / base - 1) / (log(number) / log(least) - 1) for number, each in others)


async def by_sessions(numbers: Sequence[int], say: Say) -> dict[int, float]:
    """Microseconds of the store's CPU for a grant, by how many sessions the customer has."""
    them = [Customer(f"sessions{number}", 1, FREE, number) for number in numbers]
    return dict(zip(numbers, await _cost_us(them, say), strict=True))


async def by_licenses(numbers: Sequence[int], say: Say) -> dict[int, float]:
    """The same, by how many licenses the customer has, of ten products in turn."""
    them = [Customer(f"licenses{number}", number, FREE, 0) for number in numbers]
    return dict(zip(numbers, await _cost_us(them, say), strict=True))


async def _cost_us(them: Sequence[Customer], say: Say) -> list[float]:
    """Of each customer the median of its batches, for beats fall into some of them, too."""
    async with running_server() as server, second_node(server.store) as node:
        (engine,) = children(server.pid)
        on_core(0, [server.pid, os.getpid()])
        on_core(1, [engine])
        for customer in them:
            say(f"filling in {customer.sessions:,} sessions, {customer.licenses:,} licenses")
            await _fill(node, customer)
        batches: list[list[float]] = [[] for _ in them]
        say("grants for each customer in turn")
        for _ in range(BATCHES):
            for customer, batch in zip(them, batches, strict=True):
                batch.append(await _batch_us(node, customer, engine))
        return [statistics.median(batch) for batch in batches]


async def _fill(node: SecondNode, customer: Customer) -> None:
    await bring_licenses(node, customer, _nobody)
    await batched(sign_in(node, customer, number, PRODUCT, _nobody) for number in range(customer.sessions))


async def _batch_us(node: SecondNode, customer: Customer, engine: int) -> float:
    """For one grant. The sessions end again, which is not counted."""
    fences: dict[str, int] = {}

    async def grant(number: int) -> None:
        asked = opening(customer, customer.sessions + number, PRODUCT)
        got = await node.store.open(customer.name, node.name, asked)
        assert isinstance(got, Granted), got
        fences[asked.session] = got.fence

    before_s = main_thread_cpu_s(engine)
    await batched(map(grant, range(BATCH)))
    used_s = main_thread_cpu_s(engine) - before_s
    close = node.store.close
    await batched(close(customer.name, session=session, fence=fence) for session, fence in fences.items())
    return used_s / BATCH * 1e6


def _nobody(_done: int) -> None:
    """Is told of the progress."""
