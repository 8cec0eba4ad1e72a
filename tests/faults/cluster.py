"""A store on a Cluster: a shard's primary or all of a shard dies, slots move, a setting that needs more replicas."""

from __future__ import annotations

import asyncio
import shutil
import time

from redis.crc import key_slot

from seatd.store.keys import key, partition_of
from seatd_protocol.messages import Welcome
from tests.faults.churn import Churn, first_after, longest_pause
from tests.faults.disks import imported_again
from tests.faults.fault import fault
from tests.faults.losses import note_loss, put_back
from tests.faults.nodes import sessions_of
from tests.faults.people import all_live
from tests.faults.trial import PARTITIONS, Trial
from tests.scenarios.company import Company
from tests.topologies import Cluster, Server, cluster


async def clustered(trial: Trial, *, seats: int, **settings: str) -> Cluster:
    """Three primaries with a replica each as the trial's store, two nodes on them; the customer's shard is watched."""
    timeout_ms = max(1000, int(trial.times.scaled(5000)))
    made = trial.stand_on(cluster(node_timeout_ms=timeout_ms, appendonly="yes", **settings))  # type: ignore[arg-type]  # they name no parameter
    trial.store, trial.watched = made.url, f"redis://{made.servers[0].address}"
    await trial.deploy(2, seats=seats)
    await trial.watch.follow(f"redis://{made.owner(slot_of(trial)).address}")
    return made


def slot_of(trial: Trial) -> int:
    """The slot that the trial's customer lies in."""
    customer = trial.company.name
    return key_slot(key("sessions", partition_of(customer, PARTITIONS), customer).encode())


def slots(trial: Trial) -> dict[int, int]:
    """Slot of each partition."""
    return {number: key_slot(key("meta", number, None).encode()) for number in range(PARTITIONS)}


def ended(trial: Trial, since: float) -> int:
    """How many connections servers have ended, other than at their client's wish."""
    return len([code for code in trial.ends_by_server(since) if code != 4300])


@fault(
    "F22",
    "Cluster of 3 + 3: SIGKILL the primary of the customer's shard, node timeout 5 s, full coverage no",
    "new seats at most 9 s later; no connection ended by a server, no session lost",
    seconds=60,
)
async def shard_fails_over(trial: Trial) -> None:
    made = await clustered(trial, seats=2 * trial.size)
    people = await trial.crowd(trial.size // 2)
    churn = Churn(trial, trial.size // 4).start()
    await churn.until_come(trial.size // 4, 20)
    slot = slot_of(trial)
    before, old, since = sessions_of(people), made.owner(slot), time.monotonic()
    await asyncio.to_thread(old.kill)
    await asyncio.to_thread(made.until_healed)
    new = await asyncio.to_thread(made.owner, slot)
    await trial.watch.follow(f"redis://{new.address}")
    healed = note_loss(trial)
    await churn.until_come(10, trial.times.recovery + 10)
    await churn.stop()
    await all_live(people, trial.times.linger)
    trial.told("slots served again after, s", healed - since)
    trial.at_most("new seats paused, s", longest_pause(trial, since), 9.0 + 2.0)
    trial.exactly("connections ended by servers", ended(trial, since), 0)
    trial.exactly("sessions kept", trial.kept(people, before), 1.0)
    trial.told("put back", put_back(trial.nodes))


@fault(
    "F23",
    "Cluster: the slots of all partitions move to other primaries under load",
    "no error that a client could see; new seats pause at most 5 s",
    seconds=60,
)
async def slots_move(trial: Trial) -> None:
    made = await clustered(trial, seats=2 * trial.size)
    people = await trial.crowd(trial.size // 2)
    churn = Churn(trial, trial.size // 4).start()
    await churn.until_come(trial.size // 4, 20)
    before, since = sessions_of(people), time.monotonic()
    for slot in slots(trial).values():
        primaries = await asyncio.to_thread(made.primaries)
        owner = await asyncio.to_thread(made.owner, slot)
        to = primaries[(primaries.index(owner) + 1) % len(primaries)]
        await asyncio.to_thread(made.move_slot, slot, to)
        if slot == slot_of(trial):
            await trial.watch.follow(f"redis://{to.address}", same=True)
    await churn.until_come(10, trial.times.recovery + 10)
    await churn.stop()
    await all_live(people, trial.times.linger)
    trial.told("slots moved", len(slots(trial)))
    refused = {code: n for code, n in churn.refused.items() if code != "recovering"}
    trial.exactly("sign-ins refused, but for a recovery", sum(refused.values()), 0)
    trial.told("sign-ins refused by a recovery", churn.refused["recovering"])
    trial.at_most("new seats paused, s", longest_pause(trial, since), 5.0)
    trial.exactly("connections ended by servers", ended(trial, since), 0)
    trial.exactly("sessions kept", trial.kept(people, before), 1.0)


@fault(
    "F24",
    "Cluster: primary and replica of the customer's shard killed, made anew without data",
    "that shard refuses; customers of other shards notice nothing; new seats at most R + 3 s after",
    seconds=120,
)
async def shard_lost(trial: Trial) -> None:
    made = await clustered(trial, seats=2 * trial.size)
    people = await trial.crowd(trial.size // 2)
    other = await _elsewhere(trial, made)
    slot = slot_of(trial)
    owner = made.owner(slot)
    shard = [owner, made.replica_of(owner)]
    before, since = sessions_of(people), time.monotonic()
    for server in shard:
        await asyncio.to_thread(server.kill)
    await asyncio.sleep(trial.times.scaled(20))
    answers = [await trial.knock(f"early{n}", trial.nodes[n % 2]) for n in range(3)]
    trial.exactly("seats granted by the lost shard", sum(isinstance(one, Welcome) for one in answers), 0)
    took = []
    for n in range(10):
        asked_s = time.monotonic()
        served = await other.sign_in(trial.nodes[n % 2], f"o{n}", "CALL_CENTER")
        assert isinstance(served.first, Welcome), served.first
        took.append(time.monotonic() - asked_s)
        await served.bye()
    trial.at_most("slowest sign-in elsewhere, s", max(took), 1.0)
    other.leave()
    for server in shard:
        await asyncio.to_thread(_emptied, server)
    await asyncio.to_thread(made.until_healed)
    again = note_loss(trial)
    await trial.watch.follow(f"redis://{made.owner(slot).address}")
    await asyncio.sleep(2 * trial.times.renew)
    await imported_again(trial, 2 * trial.size)
    churn = Churn(trial, 5).start()
    await churn.until_come(5, trial.times.recovery + 10)
    await churn.stop()
    trial.at_most("new seats after, s", first_after(trial, again), trial.times.recovery + 3)
    await all_live(people, trial.times.linger)
    trial.exactly("sessions kept", trial.kept(people, before), 1.0)
    trial.exactly("connections ended by servers", ended(trial, since), 0)


async def _elsewhere(trial: Trial, made: Cluster) -> Company:
    """A customer on another shard."""
    owner = made.owner(slot_of(trial))
    while True:
        other = Company(*trial.nodes)
        slot = key_slot(key("sessions", partition_of(other.name, PARTITIONS), other.name).encode())
        if made.owner(slot) is not owner:
            await other.licensed("CALL_CENTER:competitive:20")
            return other


def _emptied(server: Server) -> None:
    """Starts a server again without what it had; it keeps its place in the cluster."""
    shutil.rmtree(server.folder / "appendonlydir")
    server.start()


@fault(
    "F25",
    "Cluster: min-replicas-to-write 1 with one replica a shard, whose primary is killed",
    "a warning at the start; no wrong grant; normal once the old primary is back",
    seconds=60,
)
async def too_few_replicas(trial: Trial) -> None:
    made = await clustered(trial, seats=2 * trial.size, min_replicas_to_write="1", min_replicas_max_lag="2")
    warned = [node.said.count("give every primary one replica more") for node in trial.nodes]
    trial.exactly("nodes that warned once", sum(number == 1 for number in warned), len(trial.nodes))
    people = await trial.crowd(trial.size // 2)
    slot = slot_of(trial)
    before, old, since = sessions_of(people), made.owner(slot), time.monotonic()
    await asyncio.to_thread(old.kill)
    await asyncio.to_thread(made.until_healed)
    note_loss(trial)
    await trial.watch.follow(f"redis://{made.owner(slot).address}")
    answers = [await trial.knock(f"early{n}", trial.nodes[n % 2]) for n in range(3)]
    trial.exactly("seats granted without a replica", sum(isinstance(one, Welcome) for one in answers), 0)
    await asyncio.to_thread(old.start)
    back_s = time.monotonic()
    churn = Churn(trial, 5).start()
    await churn.until_come(5, trial.times.recovery + 20)
    await churn.stop()
    trial.told("new seats after it was back, s", first_after(trial, back_s))
    await all_live(people, trial.times.linger)
    trial.exactly("sessions kept", trial.kept(people, before), 1.0)
    trial.exactly("connections ended by servers", ended(trial, since), 0)
