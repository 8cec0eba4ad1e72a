"""All connections are cut at once, and everybody comes back to his session at once."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from loadtest.scenarios.again import note_false_denials, until_back
from loadtest.scenarios.plan import Plan

PAUSE_S = 1.0


async def run(plan: Plan) -> None:
    """Once: whoever has another session afterwards than before, or is denied his seat, is an error."""
    people = await plan.signed_in()
    await asyncio.sleep(min(PAUSE_S, plan.seconds))
    for one in people:
        one.drop()
    began_s = time.perf_counter()
    async with asyncio.TaskGroup() as coming:
        for one in people:
            coming.create_task(until_back(one, partial(one.sign_in, since_s=began_s, resume=True)))
    note_false_denials(plan.recorder)
