"""People who wait while nodes and stores fail, or while there is suddenly room for all."""

from __future__ import annotations

import asyncio
import time

from tests.faults.entitlement import renewed
from tests.faults.fault import fault
from tests.faults.pair import pair
from tests.faults.people import Person, all_live
from tests.faults.replicas import take_over
from tests.faults.trial import Trial, share


async def in_line(trial: Trial, number: int, *urls: str) -> list[Person]:
    """People who wait for a seat, one behind the other in this order."""
    waiting = []
    nodes = urls or tuple(node.clients for node in trial.nodes)
    for n in range(number):
        first = n % len(nodes)
        person = trial.person(f"q{n}", *nodes[first:], *nodes[:first], wait_s=600)
        person.begin()
        waiting.append(person)
        await until_waiting(trial, n + 1)
    return waiting


async def until_waiting(trial: Trial, number: int) -> None:
    """Until so many sessions of the customer wait."""
    give_up_s = time.monotonic() + 10
    while time.monotonic() < give_up_s:
        ledger = await trial.watch.look()
        if sum(record["state"] == "waiting" for record in ledger.sessions.values()) >= number:
            return
        await asyncio.sleep(0.005)
    raise AssertionError("nobody joins the queue")


def served_at(trial: Trial, people: list[Person]) -> dict[str, float]:
    """When each had a first welcome."""
    procs = {person.proc for person in people}
    at: dict[str, float] = {}
    for event in trial.history.of("hello"):
        if event.proc in procs:
            at.setdefault(event.proc, event.t)
    return at


@fault(
    "F43",
    "the limit is raised while 200 wait (as many as there is room for in the queue)",
    "all let in at most 1 s later",
    seconds=40,
)
async def limit_raised(trial: Trial) -> None:
    number = 200 if trial.times.scale == 1 else min(100, trial.size)
    await trial.deploy(2, seats=5)
    await trial.crowd(5)
    (license_,) = trial.limits
    waiting = await in_line(trial, number)
    began_s = time.monotonic()
    await renewed(trial, license_, 5 + number)
    await all_live(waiting, 20)
    took = sorted(t - began_s for t in served_at(trial, waiting).values())
    trial.exactly("let in", len(took), number)
    trial.told("p50 let in after, s", share(took, 0.5))
    trial.at_most("last let in after, s", share(took, 1), 1.0)


@fault(
    "F40",
    "people wait, a node crashes, the store fails over and loses who came last; then seats become free one by one",
    "all served, in order but for those whose places were lost with the store and their node",
    seconds=120,
)
async def queue_survives(trial: Trial) -> None:
    number = 180 if trial.times.scale == 1 else min(60, trial.size)
    stores = await pair(trial)
    a, *_ = await trial.deploy(3, seats=10, SESSIONS_QUEUE_LIMIT="500")
    holders = await trial.crowd(10, trial.nodes[1].clients, trial.nodes[2].clients)
    waiting = await in_line(trial, number - 10)
    await asyncio.sleep(0.3)
    stores.link.freeze()
    late = [
        trial.person(f"late{n}", *(node.clients for node in trial.nodes[1:]), wait_s=600) for n in range(10)
    ]
    for n, person in enumerate(late):
        person.begin()
        await until_waiting(trial, number - 10 + n + 1)
    a.kill()
    since = await take_over(trial, stores)
    await asyncio.sleep(trial.times.lease + 2 * trial.times.renew)
    await until_recovered(trial)
    order = [person.proc for person in waiting + late]
    await asyncio.gather(*(person.bye() for person in holders))
    given_up_s = time.monotonic() + 120
    everybody = {person.proc: person for person in waiting + late}
    left: set[str] = set()
    while len(left) < number and time.monotonic() < given_up_s:
        for proc in served_at(trial, waiting + late).keys() - left:
            left.add(proc)
            await everybody[proc].bye()
        await asyncio.sleep(0.02)
    at = served_at(trial, waiting + late)
    turns = sorted(at, key=lambda proc: at[proc])
    displaced = [proc for place, proc in enumerate(turns) if order.index(proc) > place + 10]
    trial.exactly("served", len(at), number)
    trial.told("first served after, s", min(at.values(), default=since) - since)
    trial.exactly("served ten places and more too early", len(displaced), 0)


async def until_recovered(trial: Trial) -> None:
    """Until the recovery window is over."""
    give_up_s = time.monotonic() + trial.times.recovery + 10
    while time.monotonic() < give_up_s:
        ledger = await trial.watch.look()
        if ledger.recover_until_ms <= ledger.now_ms:
            return
        await asyncio.sleep(0.05)
