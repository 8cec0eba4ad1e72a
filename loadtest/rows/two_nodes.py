"""Whether a second node makes the first one dearer: sign-ins per CPU second of a node that is alone, and of each of two.

Both are on the same core, and the rounds take turns: first each node alone, then both at once. CPU seconds are by the
kernel's accounts, so that who waits for the core costs nothing. Each node is given as many sign-ins a second beside the
other as alone, as it would be on a machine of its own: as fast as they can, two on one core have half of them each, and so
fewer that share a script of the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence

from loadtest.own import own_servers
from loadtest.processes import cpu_s
from loadtest.rows.cores import apart
from loadtest.rows.people import FURTHER, NEED, all_gone, plan
from loadtest.rows.row import Row
from loadtest.rows.scale import Scale
from loadtest.scenarios import ramp
from loadtest.scenarios.plan import Plan
from loadtest.server import Server

PER_S = 250
"""Sign-ins at each node; one of two then takes a third of their core at the most."""

Cost = dict[int, float]
"""CPU seconds by node's process."""


async def measured(scale: Scale, _names: Collection[str], say: Callable[[str], None]) -> list[Row]:
    """Judged is the node that loses more."""
    each = scale.signing_in
    async with own_servers(2, 2 * each, NEED, FURTHER) as nodes:
        apart(nodes)
        await _signed_in(nodes, each)  # caches are warm, as they are in daily work
        alone, together = _nothing(nodes), _nothing(nodes)
        for number in range(scale.rounds):
            say(f"round {number + 1} of {scale.rounds}: {each:,} sign in at each node alone, then at both")
            for node in nodes:
                _add(alone, await _signed_in([node], each))
            _add(together, await _signed_in(nodes, each))
    total = each * scale.rounds
    worst, other = sorted((node.pid for node in nodes), key=lambda pid: alone[pid] / together[pid])
    more = {"ratio_of_the_other": alone[other] / together[other]}
    return [Row("two-nodes", total / together[worst], total / alone[worst], more)]


async def _signed_in(nodes: Sequence[Server], each: int) -> Cost:
    """What so many sign-ins at each of them cost it. They leave afterwards, which is not counted."""
    plans = [plan([node], each, user=f"load-{place}-{{n}}") for place, node in enumerate(nodes)]
    before_s = {node.pid: cpu_s(node.pid) for node in nodes}
    await asyncio.gather(*map(_at_the_pace, plans))
    cost_s = {pid: cpu_s(pid) - began_s for pid, began_s in before_s.items()}
    await all_gone([one for plan in plans for one in plan.crowd])
    return cost_s


async def _at_the_pace(plan: Plan) -> None:
    """All sign in. Raises `ValueError` when somebody could not."""
    plan.rate, plan.seconds = PER_S, (plan.clients + 0.5) / PER_S
    await ramp.run(plan)
    if not all(one.connected for one in plan.crowd):
        raise ValueError(f"not all have signed in: {dict(plan.recorder.counts)}")


def _nothing(nodes: Sequence[Server]) -> Cost:
    return {node.pid: 0.0 for node in nodes}


def _add(total: Cost, cost: Cost) -> None:
    for pid, used_s in cost.items():
        total[pid] += used_s
