"""What a grant costs the store, as the sessions of its customer, or its licenses, become more.

The sessions are put in by the store's own verbs, without clients: so many as no single machine could connect.
"""

from __future__ import annotations

import statistics
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from math import log

from loadtest.population import PRODUCTS, Customer, batched, bring_licenses, opening, sign_in
from loadtest.rows.engine import Engine, engine
from loadtest.rows.row import Row
from loadtest.rows.scale import Scale
from loadtest.second_node import SecondNode, second_node
from loadtest.server import running_server
from seatd.store.values import Granted

PRODUCT = PRODUCTS[0]
BATCH, BATCHES = 200, 7
FREE = 1_000_000
"""Seats that nobody has, so that all are granted."""


async def measured(scale: Scale, _names: Collection[str], say: Callable[[str], None]) -> list[Row]:
    """At rising numbers of sessions of one customer."""
    cost_us: dict[int, float] = {}
    async with Grants.ready() as grants:
        for sessions in scale.grants_at:
            say(f"grants with {sessions:,} sessions of one customer")
            await grants.fill(sessions)
            cost_us[sessions] = await grants.cost_us()
    more = {f"us_at_{sessions}": each_us for sessions, each_us in cost_us.items()}
    return [Row("grants", growth(cost_us), more=more)]


def growth(cost: Mapping[int, float]) -> float:
    """By how much the cost grows, as a share of what the logarithm of the number does: 0 is flat, 1 is the logarithm, judged
    where it is worst. The first number is what the others are compared with."""
    (least, base), *others = sorted(cost.items())
    return max((each / base - 1) / (log(number) / log(least) - 1) for number, each in others)


class Grants:
    """A customer in a store of the bench's own, with as many licenses as it is told, of ten products in turn."""

    def __init__(self, node: SecondNode, store: Engine, customer: Customer) -> None:
        self._node, self._store, self._customer = node, store, customer
        self._sessions = 0

    @classmethod
    @asynccontextmanager
    async def ready(cls, licenses: int = 1) -> AsyncIterator[Grants]:
        """On a server that is gone afterwards."""
        customer = Customer("customer", licenses=licenses, users=FREE, sessions=0)
        async with (
            running_server() as server,
            second_node(server.store) as node,
            engine(server.store) as store,
        ):
            await bring_licenses(node, customer, _nobody)
            yield cls(node, store, customer)

    async def fill(self, sessions: int) -> None:
        """Sign in until there are so many."""
        numbers = range(self._sessions, sessions)
        await batched(sign_in(self._node, self._customer, number, PRODUCT, _nobody) for number in numbers)
        self._sessions = max(self._sessions, sessions)

    async def cost_us(self) -> float:
        """Microseconds in the store for one grant: the median of some batches, for beats fall into some of them, too."""
        return statistics.median([await self._batch_us() for _ in range(BATCHES)])

    async def _batch_us(self) -> float:
        """Of one batch; its sessions end again, which is not counted."""
        asked = [opening(self._customer, self._sessions + number, PRODUCT) for number in range(BATCH)]
        fences: dict[str, int] = {}

        async def grant(number: int) -> None:
            got = await self._node.store.open(self._customer.name, self._node.name, asked[number])
            assert isinstance(got, Granted), got
            fences[asked[number].session] = got.fence

        _, before_us = await self._store.scripts()
        await batched(map(grant, range(BATCH)))
        _, after_us = await self._store.scripts()
        name, close = self._customer.name, self._node.store.close
        await batched(close(name, session=session, fence=fence) for session, fence in fences.items())
        return (after_us - before_us) / BATCH


def _nobody(_done: int) -> None:
    """Is told of the progress."""
