"""The story of a node that is left alone with an old primary, however the two are cut off from the rest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from tests.faults.churn import Churn
from tests.faults.sentinel import first_after_at
from tests.faults.trial import Trial
from tests.places import Place
from tests.servers import Server

LAG_S = 2.0
"""A primary that has not heard of its replicas for longer takes no writes, as it is set up here (min-replicas-max-lag)."""


class Divide(NamedTuple):
    """Two sides of a deployment. `node` gets cut off, with its people at `place`; `recovery_s`: R, as the nodes have it.

    `divide`: the sides no longer reach each other, and another primary leads the larger one. `unite`: all is one again.
    """

    node: Server
    place: Place
    recovery_s: float
    divide: Callable[[], Awaitable[None]]
    unite: Callable[[], Awaitable[None]]


async def cut_off_with_old_primary(trial: Trial, sides: Divide) -> None:
    """F21, whatever is between the sides."""
    rest = [node.clients for node in trial.nodes if node is not sides.node]
    stays = [trial.stubborn_person(f"s{n}", place=sides.place) for n in range(5)]
    for person in stays:
        await person.connect(sides.node.clients)
    people = await trial.crowd(trial.size // 2, *rest)
    http = await trial.http_at(sides.place)
    loads = [
        Churn(trial, trial.size // 4, sides.node.clients, prefix="p", http=http).start(),
        Churn(trial, trial.size // 2, *rest, seed=1).start(),
    ]
    await loads[1].until_come(10, 10)
    since = time.monotonic()
    await sides.divide()
    await asyncio.sleep(since + trial.times.scaled(60) - time.monotonic())
    closed = [(person.closed_at or since + 999) - since for person in stays]
    trial.exactly("with store_lost (4002)", sum(person.code == 4002 for person in stays), len(stays))
    trial.at_most("last closed after, s", max(closed), LAG_S + 1 + trial.times.stop + trial.times.beat + 1)
    await sides.unite()
    await loads[1].until_come(10, sides.recovery_s + 10)
    await asyncio.sleep(2 * trial.times.client)
    await asyncio.gather(*(load.stop() for load in loads))
    trial.told("new seats of the others after, s", first_after_at(trial, loads[1], since + 1.0) + 1.0)
    trial.told(
        "sessions of before on the majority, live", sum(person.live for person in people) / len(people)
    )
