"""Sessions move from node to node (or from connection to connection, of one node), as phones do."""

from __future__ import annotations

import asyncio
import itertools

from loadtest.scenarios.plan import Plan


async def run(plan: Plan) -> None:
    """One session after another, at the rate."""
    people = await plan.signed_in()
    if not people:
        return
    places = itertools.cycle(plan.terms.places)
    next(places)
    turn = itertools.cycle(people)
    async with asyncio.TaskGroup() as moving:
        async for _ in plan.paced():
            moving.create_task(next(turn).move(next(places)))
