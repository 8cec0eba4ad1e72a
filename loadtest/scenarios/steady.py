"""A working day: all are signed in, answer beats, and now and then need a further product."""

from __future__ import annotations

import asyncio

from loadtest.clients.client import VirtualClient
from loadtest.scenarios.plan import Plan
from loadtest.scenarios.turns import Turns


async def run(plan: Plan) -> None:
    """One after another acquires and releases, at the rate."""
    people = await plan.signed_in()
    if people:
        await goes_on(plan, people)


async def goes_on(plan: Plan, people: list[VirtualClient]) -> None:
    """The same of people who are signed in."""
    turns = Turns(people)

    async def works(one: VirtualClient, due_s: float) -> None:
        if not one.connected:
            plan.recorder.count("not done: no session")
        elif await one.acquire(plan.further, since_s=due_s):
            await one.release(plan.further)

    async with asyncio.TaskGroup() as working:
        async for due_s in plan.paced():
            working.create_task(turns.next(works, due_s))
