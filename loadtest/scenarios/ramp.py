"""Clients sign in at a steady rate until all are there, and stay."""

from __future__ import annotations

import asyncio
import time

from loadtest.scenarios.plan import Plan


async def run(plan: Plan) -> None:
    """In the time that is left when all are there they answer beats."""
    began_s = time.perf_counter()
    people = iter(plan.everybody())
    async with asyncio.TaskGroup() as coming:
        async for due_s in plan.paced():
            one = next(people, None)
            if one is None:
                break
            coming.create_task(one.sign_in(since_s=due_s))
    await asyncio.sleep(max(0.0, began_s + plan.seconds - time.perf_counter()))
