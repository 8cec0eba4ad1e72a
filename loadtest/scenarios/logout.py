"""An administrator forces everybody out: how long until each has been told, and has closed."""

from __future__ import annotations

import time

from loadtest.scenarios.plan import Plan, until

TOLD_S = 30.0


async def run(plan: Plan) -> None:
    """Once, measured from the administrator's request."""
    assert plan.force_out is not None
    people = await plan.signed_in()
    plan.terms.asked_s = time.perf_counter()
    await plan.force_out()
    plan.recorder.took("logout answered", plan.terms.asked_s)
    await until(lambda: not any(one.connected for one in people), TOLD_S)
    for one in people:
        if one.connected:
            plan.recorder.count("error not told of the logout")
