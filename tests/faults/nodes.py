"""Nodes that are killed, frozen, blocked."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections import Counter

from seatd_protocol.messages import Denied
from tests.faults.fault import fault
from tests.faults.people import Person, all_live
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
    await trial.deploy(3)
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


@fault(
    "F04",
    "SIGSTOP a node for 5 s",
    "no session lost, no connection ended by a server",
    seconds=30,
)
async def node_frozen_briefly(trial: Trial) -> None:
    a, *_ = await trial.deploy(2)
    people = await trial.crowd()
    before, began_s = sessions_of(people), time.monotonic()
    trial.freeze(a)
    await asyncio.sleep(trial.times.scaled(5))
    trial.thaw(a)
    await asyncio.sleep(1.5 * trial.times.beat)
    await all_live(people, 5)
    trial.exactly("connections ended by servers", len(trial.ends_by_server(began_s)), 0)
    trial.exactly("sessions kept", trial.kept(people, before), 1.0)


@fault(
    "F05",
    "SIGSTOP a node for 60 s, then SIGCONT: it wakes as a zombie",
    "all stale sockets closed at most 1 s after it wakes, no beat before; everybody else went on elsewhere with their session",
    seconds=110,
)
async def zombie_node(trial: Trial) -> None:
    a, b = await trial.deploy(2, seats=trial.size)
    stays = [trial.stubborn_person(f"s{n}") for n in range(5)]
    for person in stays:
        await person.connect(a.clients)
    people = await trial.crowd(trial.size - 5)
    before = sessions_of(people)
    beats = [person.beats for person in stays]
    trial.freeze(a)
    frozen_s = time.monotonic()
    await asyncio.sleep(trial.times.scaled(60))
    await all_live(people, trial.times.linger)
    beats = [person.beats for person in stays]
    newcomers = (
        await trial.crowd(5, b.clients, prefix="new") if trial.times.free < trial.times.scaled(60) else []
    )
    trial.told("seats of the stale clients given to others", len(newcomers))
    trial.thaw(a)
    woken_s = time.monotonic()
    closed = [await person.wait_closed(10) for person in stays]
    trial.exactly("stale sockets closed", sum(closed), len(stays))
    trial.at_most("last closed, s", max(person.closed_at or woken_s + 10 for person in stays) - woken_s, 1.0)
    trial.exactly("beats from the woken node", sum(p.beats for p in stays) - sum(beats), 0)
    trial.at_least("sessions kept", trial.kept(people, before), 0.999)
    trial.told("frozen for, s", woken_s - frozen_s)


@fault(
    "F06",
    "SIGSTOP and SIGCONT a node by turns, 3 s each, for 5 min",
    "no session lost",
    seconds=330,
)
async def node_limps(trial: Trial) -> None:
    a, *_ = await trial.deploy(2)
    people = await trial.crowd()
    before = sessions_of(people)
    for _ in range(50 if trial.times.scale == 1 else 6):
        trial.freeze(a)
        await asyncio.sleep(trial.times.scaled(3))
        trial.thaw(a)
        await asyncio.sleep(trial.times.scaled(3))
    await all_live(people, trial.times.linger)
    trial.exactly("sessions kept", trial.kept(people, before), 1.0)


@fault(
    "F07",
    "the event loop of a node is blocked for 8 s",
    "no session lost; the loop's lag is in the metrics at most 1 s later",
    seconds=40,
)
async def loop_blocked(trial: Trial) -> None:
    with trial.inside() as folder:
        a, *_ = await trial.deploy(2)
    people = await trial.crowd()
    before, block_s = sessions_of(people), trial.times.scaled(8)
    (folder / "block").write_text(str(block_s))
    lag_s = await trial.metric(a, "seatd_loop_lag_seconds_sum")
    a.process.send_signal(signal.SIGUSR2)
    await asyncio.sleep(block_s)
    told_s = time.monotonic()
    while await trial.metric(a, "seatd_loop_lag_seconds_sum") < lag_s + block_s * 0.8:
        assert time.monotonic() < told_s + 10, "the lag is not in the metrics"
        await asyncio.sleep(0.05)
    trial.at_most("lag told after, s", time.monotonic() - told_s, 1.0)
    await asyncio.sleep(1.5 * trial.times.beat)
    await all_live(people, trial.times.linger)
    trial.exactly("sessions kept", trial.kept(people, before), 1.0)


@fault("F46", "the wall clock of a node jumps an hour ahead, then back two", "no effect at all", seconds=40)
async def wall_clock_jumps(trial: Trial) -> None:
    with trial.inside() as folder:
        await trial.deploy(2)
    people = await trial.crowd()
    before, began_s = sessions_of(people), time.monotonic()
    for offset_s in (3600, -3600, 0):
        (folder / "clock").write_text(str(offset_s))
        await asyncio.sleep(1.5 * trial.times.beat)
        answer = await trial.knock("stranger", trial.nodes[0])
        trial.exactly(f"strangers let in at {offset_s:+} s", not isinstance(answer, Denied), 0)
    trial.exactly(
        "connections ended by servers", len([c for c in trial.ends_by_server(began_s) if c != 4300]), 0
    )
    trial.exactly("sessions kept", trial.kept(people, before), 1.0)


@fault("F49", "rolling restart of three nodes", "no session lost, at least 99.9 % resumed", seconds=90)
async def rolling_restart(trial: Trial) -> None:
    nodes = list(await trial.deploy(3, NODE_DRAIN=f"{trial.times.scaled(10)}s"))
    people = await trial.crowd()
    before = sessions_of(people)
    for node in nodes:
        node.process.send_signal(signal.SIGTERM)
        await trial.ended(node, 20)
        node.relaunch()
        await trial.ready(node)
        await all_live(people, trial.times.linger)
    trial.at_least("sessions kept", trial.kept(people, before), 0.999)


@fault("F50", "SIGTERM: a node drains", "ends at most 10 s later; every client was told to move", seconds=30)
async def drain(trial: Trial) -> None:
    a, *_ = await trial.deploy(2)
    people = await trial.crowd()
    before, began_s = sessions_of(people), time.monotonic()
    there = [person for person in people if person.welcomes[-1].node == "a"]
    a.process.send_signal(signal.SIGTERM)
    took_s = await trial.ended(a, 30)
    trial.at_most("ended after, s", took_s, 10.0 + 1.0)
    trial.exactly("exit code", a.process.poll() or 0, 0)
    back = await trial.all_back(there, began_s, 10)
    told = [person for person in there if person.ends and person.ends[-1].code == 4000]
    trial.exactly("clients told to move", len(told), len(there))
    trial.at_most("last held elsewhere, s", share(back, 1), 10.0)
    trial.exactly("sessions kept", trial.kept(people, before), 1.0)


@fault(
    "F60",
    "8 busy loops beside everything else for 5 min",
    "no lease lapses for want of CPU",
    seconds=330,
    heavy=True,
)
async def starved(trial: Trial) -> None:
    nodes = await trial.deploy(2)
    people = await trial.crowd()
    before = sessions_of(people)
    burning = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", "while True: pass") for _ in range(8)
    ]
    try:
        await asyncio.sleep(trial.times.scaled(300))
    finally:
        for process in burning:
            process.kill()
            await process.wait()
    trial.exactly("leases lapsed", sum(node.said.count("lease had lapsed") for node in nodes), 0)
    await all_live(people, trial.times.linger)
    trial.exactly("sessions kept", trial.kept(people, before), 1.0)
