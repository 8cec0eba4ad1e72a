"""Whether a second node makes the first one dearer: sign-ins per CPU second of a node that is alone, and of each of two.

Both are on the same core, and the rounds take turns: first each node alone, then both at once. CPU seconds are by the
kernel's accounts, so that who waits for the core costs nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence

from loadtest.own import own_servers
from loadtest.processes import cpu_s
from loadtest.rows.cores import apart
from loadtest.rows.people import FURTHER, NEED, all_gone, all_signed_in, plan
from loadtest.rows.row import Row
from loadtest.rows.scale import Scale
from loadtest.server import Server

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
    crowds = await asyncio.gather(*map(all_signed_in, plans))
    cost_s = {pid: cpu_s(pid) - began_s for pid, began_s in before_s.items()}
    await all_gone([one for crowd in crowds for one in crowd])
    return cost_s


def _nothing(nodes: Sequence[Server]) -> Cost:
    return {node.pid: 0.0 for node in nodes}


def _add(total: Cost, cost: Cost) -> None:
    for pid, used_s in cost.items():
        total[pid] += used_s
