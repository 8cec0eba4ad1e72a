"""People come and go: at each tick of the rate one who is here says goodbye, or one who is not signs in."""

from __future__ import annotations

import asyncio

from loadtest.clients.client import VirtualClient
from loadtest.scenarios.plan import Plan, some_at_once
from loadtest.scenarios.turns import Turns


async def run(plan: Plan) -> None:
    """Half of them are here when it begins; everybody changes sides when it is his turn."""
    people = plan.everybody()
    here = people[: max(1, len(people) // 2)]
    await some_at_once(here, lambda one: one.sign_in(step="first sign-in"))
    turns = Turns(people)
    async with asyncio.TaskGroup() as moving:
        async for due_s in plan.paced():
            moving.create_task(turns.next(_comes_or_goes, due_s))


async def _comes_or_goes(one: VirtualClient, due_s: float) -> None:
    if one.connected:
        await one.leave(since_s=due_s)
    else:
        await one.sign_in(since_s=due_s)
