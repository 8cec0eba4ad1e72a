"""Nodes that are killed, frozen, blocked."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

from seatd_protocol.messages import Denied
from tests.faults.fault import fault
from tests.faults.people import Person
from tests.faults.trial import Trial, share


def sessions_of(people: list[Person]) -> dict[str, str]:
    """Who has which session."""
    return {person.proc: person.session for person in people}


@fault(
    "F01",
    "SIGKILL one node of three, clients reconnect",
    "at least 99.9 % keep their session; p99 to held at most 3 s; no seat goes to anybody else",
    seconds=30,
)
async def node_killed(trial: Trial) -> None:
    a, *_ = await trial.deploy(3)
    people = await trial.crowd()
    await _kill_and_come_back(trial, people, at_most_s=3.0)
    answer = await trial.knock("stranger", trial.nodes[1])
    trial.exactly("strangers let in", not isinstance(answer, Denied), 0)


async def _kill_and_come_back(trial: Trial, people: list[Person], at_most_s: float) -> None:
    before, a = sessions_of(people), trial.nodes[0]
    hit = [person for person in people if person.welcomes[-1].node == "a"]
    a.kill()
    killed_s = time.monotonic()
    back = await trial.all_back(hit, killed_s, trial.times.linger)
    trial.at_least("sessions kept", trial.kept(people, before), 0.999)
    trial.told("clients hit", len(hit))
    trial.told("p50 to held, s", share(back, 0.5))
    trial.at_most("p99 to held, s", share(back, 0.99), at_most_s)
    trial.told("last back, s", share(back, 1.0))


@fault(
    "F01x2000",
    "2,000 sessions on two nodes, SIGKILL one",
    "all back with the same seats within 10 s, none twice; the spread is told",
    seconds=90,
    heavy=True,
)
async def two_thousand(trial: Trial) -> None:
    await trial.deploy(2, seats=2000)
    people = await trial.crowd(2000)
    before = sessions_of(people)
    hit = [person for person in people if person.welcomes[-1].node == "a"]
    trial.nodes[0].kill()
    killed_s = time.monotonic()
    back = await trial.all_back(hit, killed_s, 30.0)
    trial.exactly("sessions kept", trial.kept(people, before), 1.0)
    trial.exactly("clients back", len(back), len(hit))
    for p in (0.1, 0.5, 0.9, 0.99):
        trial.told(f"p{p * 100:g} to held, s", share(back, p))
    trial.at_most("last back, s", share(back, 1.0), 10.0)
    spread = Counter(int(seconds) for seconds in back)
    trial.remarks.append(
        "back by second: " + ", ".join(f"{s}-{s + 1} s: {n}" for s, n in sorted(spread.items()))
    )


@fault(
    "F02",
    "SIGKILL one node of two, its clients are gone",
    "all seats free at most T + G + 2 renewals later, none before G after the last renewal",
    seconds=70,
)
async def node_and_clients_gone(trial: Trial) -> None:
    a, b = await trial.deploy(2)
    gone = await trial.crowd(trial.size // 2, a.clients)
    await trial.crowd(trial.size - trial.size // 2, b.clients, prefix="v")
    sessions = [person.session for person in gone]
    a.kill()
    killed_s = time.monotonic()
    await asyncio.gather(*(person.vanish() for person in gone))
    answer = await trial.knock("stranger", b)
    trial.exactly("strangers let in at once", not isinstance(answer, Denied), 0)
    freed = await trial.freed_s(sessions, killed_s, trial.times.free + 10)
    trial.exactly("seats freed", len(freed), len(sessions))
    trial.at_least("first free after, s", share(freed, 0), trial.times.linger - trial.times.renew)
    trial.at_most("last free after, s", share(freed, 1), trial.times.free + 1)


@fault(
    "F03",
    "SIGKILL all nodes, start them again after 5 s",
    "at least 99.9 % resumed within 30 s (the store kept everything)",
    seconds=60,
)
async def all_nodes_killed(trial: Trial) -> None:
    nodes = list(await trial.deploy(2))
    people = await trial.crowd()
    before = sessions_of(people)
    for node in nodes:
        node.kill()
    killed_s = time.monotonic()
    await asyncio.sleep(trial.times.scaled(5))
    for node in nodes:
        node.relaunch()
    for node in nodes:
        await trial.ready(node)
    back = await trial.all_back(people, killed_s, 30.0)
    trial.at_least("sessions kept", trial.kept(people, before), 0.999)
    trial.at_most("last back, s", share(back, 1), 30.0)
