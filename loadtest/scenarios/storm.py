"""Everybody signs in at once, as after the lights come back."""

from __future__ import annotations

import asyncio
import time

from loadtest.scenarios.plan import Plan


async def run(plan: Plan) -> None:
    """Each is measured from the moment when all began."""
    began_s = time.perf_counter()
    async with asyncio.TaskGroup() as coming:
        for one in plan.everybody():
            coming.create_task(one.sign_in(since_s=began_s))
