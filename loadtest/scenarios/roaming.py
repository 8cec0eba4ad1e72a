"""Sessions move from node to node (of one node: from connection to connection) and from address to address, as phones do."""

from __future__ import annotations

import asyncio

from loadtest.clients.client import VirtualClient
from loadtest.scenarios.plan import Plan
from loadtest.scenarios.turns import Turns


async def run(plan: Plan) -> None:
    """One session after another, at the rate, each to the node after the one that it is on."""
    people = await plan.signed_in()
    if not people:
        return
    places, turns, on = plan.terms.places, Turns(people), {one.number: one.number for one in people}

    async def moves(one: VirtualClient, due_s: float) -> None:
        on[one.number] += 1
        one.source += 1
        await one.move(places[on[one.number] % len(places)], since_s=due_s)

    async with asyncio.TaskGroup() as moving:
        async for due_s in plan.paced():
            moving.create_task(turns.next(moves, due_s))
