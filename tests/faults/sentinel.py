"""A store behind Sentinel: primaries that die, are replaced as planned, freeze and wake, or turn into replicas."""

from __future__ import annotations

import asyncio
import time

from seatd_protocol.messages import Denied
from tests.faults.churn import Churn, Writes, first_after, longest_pause, refused_for
from tests.faults.fault import fault
from tests.faults.losses import Aftermath, note_loss, put_back
from tests.faults.nodes import sessions_of
from tests.faults.people import all_live
from tests.faults.trial import Trial
from tests.servers import Server as Node
from tests.topologies import SentinelGroup, Server, sentinel_group

OLD_PRIMARY_S = 11.0
"""Sentinels demote a primary that they have replaced, and that they can reach, some 10 s later, whatever our times are."""


def group_of(trial: Trial, **settings: str) -> SentinelGroup:
    """A primary, two replicas and three sentinels as the trial's store."""
    down_ms = int(trial.times.scaled(5000))
    group = trial.stand_on(sentinel_group(down_after_ms=down_ms, appendonly="yes", **settings))  # type: ignore[arg-type]  # they name no parameter
    trial.store, trial.watched = group.url, f"redis://{group.primary().address}"
    return group


async def lead(trial: Trial, new: Server) -> float:
    """The new primary is read from now on, which may lack what the old one had; the moment."""
    await trial.watch.follow(f"redis://{new.address}")
    return note_loss(trial)


def ended(trial: Trial, since: float) -> int:
    """How many connections servers have ended, other than at their client's wish."""
    return len([code for code in trial.ends_by_server(since) if code != 4300])


@fault(
    "F16",
    "Sentinel: SIGKILL the primary under load, it counts as down after 5 s",
    "new seats at most 10 s + 3 s later; no connection ended by a server, no session lost",
    seconds=60,
)
async def primary_killed(trial: Trial) -> None:
    group = group_of(trial)
    nodes = await trial.deploy(3, seats=2 * trial.size)
    people = await trial.crowd(trial.size // 2)
    churn = Churn(trial, trial.size // 2).start()
    await churn.until_come(trial.size // 2, 20)
    before, old, since = sessions_of(people), group.primary(), time.monotonic()
    await asyncio.to_thread(old.kill)
    new = await asyncio.to_thread(group.until_primary_is_not, old)
    promoted_s = await lead(trial, new) - since
    await churn.until_come(trial.size // 2, trial.times.recovery + 20)
    await churn.stop()
    await all_live(people, trial.times.linger)
    trial.told("promoted after, s", promoted_s)
    trial.at_most("new seats paused, s", longest_pause(trial, since), 13.0)
    trial.at_most("new seats after the promotion, s", first_after(trial, since + promoted_s), 8.0)
    trial.exactly("connections ended by servers", ended(trial, since), 0)
    trial.exactly("sessions kept", trial.kept(people, before), 1.0)
    trial.told("put back", put_back(nodes))


@fault(
    "F18",
    "SENTINEL FAILOVER under load: people come and go, 2,000 writes a second beside them",
    "never above the limit, no seat left behind; what was lost and put back is counted",
    seconds=70,
)
async def planned_failover(trial: Trial) -> None:
    group = group_of(trial)
    nodes = await trial.deploy(3, seats=trial.size)
    people = await trial.crowd(trial.size // 2)
    churn = Churn(trial, trial.size, stay_s=0.5).start()  # more than there are seats for
    old = group.primary()
    writes = Writes(f"redis://{old.address}", 2000).start(trial.history)
    await churn.until_come(trial.size, 20)
    before, since = sessions_of(people), time.monotonic()
    new = await asyncio.to_thread(group.fail_over)
    await lead(trial, new)
    aftermath = Aftermath(old, trial.company.name)
    await asyncio.to_thread(aftermath.watch, 20.0)
    await churn.until_come(10, trial.times.recovery + 5)
    await writes.stop()
    await churn.stop()
    await all_live(people, trial.times.linger)
    trial.told("foreign writes acknowledged", writes.acknowledged)
    trial.told("foreign writes lost", writes.acknowledged - int(new.ask("GET", Writes.KEY) or 0))
    trial.told("old primary went on for, s", aftermath.window_s)
    trial.told("sign-ins lost", len(aftermath.grants))
    trial.told("endings lost", len(aftermath.endings))
    trial.told("sessions told again", put_back(nodes))
    trial.told("sign-ins", churn.came)
    trial.told("newcomers refused meanwhile", churn.refused["recovering"])
    trial.told("new seats paused, s", longest_pause(trial, since))
    trial.told("refused for, s", refused_for(trial, since))
    trial.exactly("sessions kept", trial.kept(people, before), 1.0)


def slow_recovery(trial: Trial) -> dict[str, str]:
    """Z as sentinels make it, and an R that goes with it. Strict: a node that alone has lost the store ends what it holds."""
    recovery_s = max(trial.times.recovery, OLD_PRIMARY_S + trial.times.stop + 4)
    return {
        "STORE_OLD_PRIMARY": f"{OLD_PRIMARY_S}s",
        "STORE_RECOVERY": f"{recovery_s}s",
        "SESSIONS_STRICT": "true",
    }


@fault(
    "F19",
    "SIGSTOP the primary until another is promoted, then SIGCONT; one node stays with it (strict, min-replicas-to-write 0)",
    "never above the limit, no seat left behind; R > the time for which the old primary goes on + T + C",
    seconds=120,
)
async def zombie_primary(trial: Trial) -> None:
    group = group_of(trial)
    aftermath = await _zombie(trial, group)
    recovery_s = max(trial.times.recovery, OLD_PRIMARY_S + trial.times.stop + 4)
    trial.told("sign-ins on the old primary", len(aftermath.grants))
    trial.told("endings on the old primary", len(aftermath.endings))
    trial.at_most("old primary went on for, s", aftermath.window_s, recovery_s - trial.times.stop)


async def _zombie(trial: Trial, group: SentinelGroup) -> Aftermath:
    old, more = group.primary(), slow_recovery(trial)
    await trial.deploy(2, seats=trial.size, **more)
    pinned = await trial.start("z", store=f"redis://{old.address}", **more)
    half = trial.size // 2
    people = await trial.crowd(half)
    free = [node.clients for node in trial.nodes if node is not pinned]
    loads = [
        Churn(trial, half // 2, pinned.clients, prefix="p", stay_s=0.5).start(),
        Churn(trial, half, *free, stay_s=0.5, seed=1).start(),
    ]
    await loads[0].until_come(10, 20)
    old.freeze()
    try:
        new = await asyncio.to_thread(group.until_primary_is_not, old)
        promoted = await lead(trial, new)
    finally:
        old.thaw()
    aftermath = Aftermath(old, trial.company.name)
    writes = Writes(f"redis://{old.address}", 500).start(trial.history)
    await asyncio.to_thread(aftermath.watch, 40.0)
    trial.told("foreign writes that it acknowledged", writes.acknowledged)
    await _go_on(trial, pinned, loads, promoted, float(more["STORE_RECOVERY"].removesuffix("s")))
    await writes.stop()
    trial.told("sessions of before, live", sum(person.live for person in people))
    return aftermath


async def _go_on(trial: Trial, pinned: Node, loads: list[Churn], promoted: float, recovery_s: float) -> None:
    """Until the new primary grants and a client lease and more has passed; then the node that stayed behind is ended."""
    await loads[1].until_come(10, recovery_s + 10)
    trial.at_most(
        "new seats after the promotion, s", first_after_at(trial, loads[1], promoted), recovery_s + 3
    )
    await asyncio.sleep(2 * trial.times.client)
    await asyncio.gather(*(load.stop() for load in loads))
    pinned.kill()


def first_after_at(trial: Trial, load: Churn, since: float) -> float:
    """Seconds from `since` until one of these people had a new seat."""
    procs = {person.proc for person in load.people}
    at = (event for event in trial.history.of("hello") if event.t > since and event.proc in procs)
    return next((event.t - since for event in at if not event.value["resumed"]), float("inf"))


@fault(
    "F20",
    "the same with min-replicas-to-write 1, min-replicas-max-lag 2",
    "as F19, and no write acknowledged by the old primary after it wakes",
    seconds=120,
)
async def zombie_without_replicas(trial: Trial) -> None:
    group = group_of(trial, min_replicas_to_write="1", min_replicas_max_lag="2")
    aftermath = await _zombie(trial, group)
    acknowledged = next(f.value for f in trial.figures if f.name == "foreign writes that it acknowledged")
    trial.exactly("of them, at most", acknowledged, 0)
    trial.exactly("sign-ins on the old primary", len(aftermath.grants), 0)
    trial.told("old primary called itself one for, s", aftermath.window_s)


@fault(
    "F56",
    "connections that land on a replica: the primary that nodes are connected to becomes one at once",
    "found out at most 2 s after another leads; the replica grants nothing; no session lost",
    seconds=40,
)
async def lands_on_replica(trial: Trial) -> None:
    group = group_of(trial)
    nodes = await trial.deploy(2, seats=2 * trial.size)
    people = await trial.crowd(trial.size // 2)
    before, old, since = sessions_of(people), group.primary(), time.monotonic()
    new = await asyncio.to_thread(group.fail_over)
    await asyncio.to_thread(old.ask, "REPLICAOF", *new.address.split(":"))
    leads = await lead(trial, new)
    found = [await _answered_after(trial, node, leads) for node in nodes]
    trial.at_most("found out after, s", max(found), 2.0)
    churn = Churn(trial, 5).start()
    await churn.until_come(5, trial.times.recovery + 5)
    await churn.stop()
    trial.told("new seats after, s", first_after(trial, leads))
    trial.exactly("connections ended by servers", ended(trial, since), 0)
    trial.exactly("sessions kept", trial.kept(people, before), 1.0)


async def _answered_after(trial: Trial, node: Node, since: float) -> float:
    """When a node has an answer for a newcomer again that comes from the store."""
    turn = 0
    while time.monotonic() < since + 30:
        answer = await trial.knock(f"first{node.name}{turn}", node)
        turn += 1
        if answer is not None and not (isinstance(answer, Denied) and answer.code == "unavailable"):
            return time.monotonic() - since
        await asyncio.sleep(0.05)
    return float("inf")
