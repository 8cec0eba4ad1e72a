"""More clients than seats: some hold them all, the others wait, and whenever one leaves the next is served."""

from __future__ import annotations

import time
from collections import deque

from loadtest.clients.client import VirtualClient
from loadtest.scenarios.plan import Plan, some_at_once, until

SERVED_S = 20.0
MOST_WAIT_S = 86_400  # of the contract


async def run(plan: Plan) -> None:
    """Measured is the time from each goodbye to the next welcome (`handed on`). Needs as many free seats as the plan says."""
    people = plan.everybody()
    holders, others = people[: plan.seats], people[plan.seats :]
    await some_at_once(holders, lambda one: one.sign_in())
    await some_at_once(others, lambda one: one.sign_in(wait_s=min(MOST_WAIT_S, int(plan.seconds + SERVED_S))))
    if not any(other.waits for other in others):
        plan.recorder.count("error nobody waited")
        plan.say("Nobody waits: the customer must have as many free seats as --seats says, and no more.")
    left_s: deque[float] = deque()

    def served(_: VirtualClient) -> None:
        if left_s:
            plan.recorder.took("handed on", left_s.popleft())

    plan.terms.on_welcome = served
    leaving = iter([one for one in holders if one.connected])
    async for _ in plan.paced():
        one = next(leaving, None)
        if one is None or not any(other.waits for other in others):
            break
        left_s.append(time.perf_counter())
        one.bye()
    await until(lambda: not left_s, SERVED_S)
    plan.terms.on_welcome = None
    for _ in left_s:
        plan.recorder.count("error not handed on")
