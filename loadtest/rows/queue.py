"""How long a waiter waits for a seat that has come free."""

from __future__ import annotations

from collections.abc import Callable, Collection

from loadtest.own import own_server
from loadtest.rows.cores import apart
from loadtest.rows.people import FURTHER, NEED, cut, plan
from loadtest.rows.row import Row
from loadtest.rows.scale import Scale
from loadtest.scenarios import queue

WAITING = 100


async def measured(_scale: Scale, _names: Collection[str], say: Callable[[str], None]) -> list[Row]:
    """As many wait as hold seats."""
    say(f"{WAITING} hold seats, {WAITING} wait")
    async with own_server(WAITING, NEED, FURTHER) as server:
        apart([server])
        waiting = plan([server], 2 * WAITING, seats=WAITING)
        await queue.run(waiting)
        if waiting.recorder.errors:
            raise ValueError(f"{dict(waiting.recorder.counts)}")
        cut(waiting.crowd)
        step = waiting.recorder.steps["handed on"]
    return [Row("queue", step.percentile(99), more={"p50_ms": step.percentile(50)})]
