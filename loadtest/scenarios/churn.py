"""People come and go: at each tick of the rate one who is here says goodbye, and signs in again."""

from __future__ import annotations

import asyncio
import itertools

from loadtest.clients.client import VirtualClient
from loadtest.scenarios.plan import Plan, until

GONE_S = 10.0


async def run(plan: Plan) -> None:
    """Half of them are here when it begins."""
    people = plan.everybody()
    here = people[: max(1, len(people) // 2)]
    async with asyncio.TaskGroup() as signing_in:
        for one in here:
            signing_in.create_task(one.sign_in())
    turn = itertools.cycle(people)
    async with asyncio.TaskGroup() as moving:
        async for due_s in plan.paced():
            moving.create_task(_comes_or_goes(next(turn), due_s))


async def _comes_or_goes(one: VirtualClient, due_s: float) -> None:
    if not one.connected:
        await one.sign_in(since_s=due_s)
    else:
        one.bye()
        await until(lambda: not one.connected, GONE_S)
