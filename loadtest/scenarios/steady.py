"""A working day: all are signed in, answer beats, and now and then need a further product."""

from __future__ import annotations

import asyncio
import itertools

from loadtest.clients.client import VirtualClient
from loadtest.scenarios.plan import Plan


async def run(plan: Plan) -> None:
    """One after another acquires and releases, at the rate."""
    people = await plan.signed_in()
    if not people:
        return
    turn = itertools.cycle(people)
    async with asyncio.TaskGroup() as working:
        async for _ in plan.paced():
            working.create_task(_works(next(turn), plan.further))


async def _works(one: VirtualClient, product: str) -> None:
    if one.connected and await one.acquire(product):
        await one.release(product)
