"""Faults of the network once more, without a proxy: on hosts of their own, whose links and routes are broken."""

from __future__ import annotations

import asyncio
import time

from tests.faults.clients import goes_silent
from tests.faults.fault import NotRun, fault
from tests.faults.losses import note_loss
from tests.faults.minority import LAG_S, Divide, cut_off_with_old_primary
from tests.faults.namespaces import Host, Wire, missing, private_network
from tests.faults.network import IMPATIENT, cut_briefly, lose_answers_now_and_then
from tests.faults.pair import one_server
from tests.faults.sentinel import slow_recovery
from tests.faults.trial import Trial
from tests.servers import Server
from tests.topologies import SentinelGroup, sentinel_group


def on_hosts(trial: Trial, *names: str) -> dict[str, Host]:
    """Hosts for as long as the trial lasts. Raises NotRun where there can be none."""
    if why := missing():
        raise NotRun(why)
    trial.network = "namespaces"
    return trial.stand_on(private_network(*names))


async def store_elsewhere(trial: Trial, **settings: str) -> tuple[Server, Wire]:
    """A node and the store on two hosts; a further node is here and reaches the store, too."""
    net = on_hosts(trial, "node", "store")
    store = trial.stand_on(one_server(None, net["store"]))
    trial.store = f"redis://{store.address}"
    await trial.deploy(1, seats=None, **settings)
    node = await trial.start("z", net["node"], **settings)
    return node, Wire(net["node"], net["store"])


@fault(
    "F26ns",
    "the link of the store's host is down for 15 s",
    "no connection ended by a server, no session lost",
    seconds=50,
)
async def store_unplugged(trial: Trial) -> None:
    _, to_store = await store_elsewhere(trial)
    await cut_briefly(trial, to_store)


@fault(
    "F28ns",
    "requests reach the store's host, which has no route for the answers, again and again while people sign in",
    "exactly one session per person, no seat left behind",
    seconds=60,
)
async def answers_without_route(trial: Trial) -> None:
    node, to_store = await store_elsewhere(trial, STORE_TIMEOUT=IMPATIENT)
    await lose_answers_now_and_then(trial, node, to_store)


@fault(
    "F33ns",
    "no packet passes between a client's host and its node's, nobody is told",
    "parked when a second beat is due and the close handshake (2 s) has failed, at most 1 s late; free G later, "
    "at most 2 renewals and 1 s late; nobody else before",
    seconds=80,
)
async def host_silent(trial: Trial) -> None:
    net = on_hosts(trial, "client", "node")
    b, *_ = await trial.deploy(1, seats=1)
    a = await trial.start("z", net["node"])
    person = trial.stubborn_person("ann", place=net["client"])
    await person.connect(a.clients)
    await goes_silent(trial, person, Wire(net["client"], net["node"]), b)


@fault(
    "F21ns",
    "the link of a host is down for 60 s: the primary, one sentinel of three, a node and its clients are on it "
    "(min-replicas-to-write 1, lag 2; strict)",
    "the minority closes all its clients (4002) at lag + T + C and a beat at the latest; never above the limit",
    seconds=170,
)
async def minority_unplugged(trial: Trial) -> None:
    net = on_hosts(trial, "old", "second", "third")
    group, more = _spread_over(trial, list(net.values())), slow_recovery(trial)
    await trial.deploy(2, seats=trial.size, **more)
    alone = net["old"]
    node = await trial.start("z", alone, **more)
    old, rest = group.servers[0], SentinelGroup(group.servers[1:], group.sentinels[1:])

    async def divide() -> None:
        began_s = time.monotonic()
        alone.unplug()
        new = await asyncio.to_thread(rest.until_primary_is_not, old)
        trial.told("promoted after, s", note_loss(trial) - began_s)
        await trial.watch.follow(f"redis://{new.address}")

    async def unite() -> None:
        alone.heal()
        await asyncio.to_thread(group.until_demoted, old)

    recovery_s = float(more["STORE_RECOVERY"].removesuffix("s"))
    await cut_off_with_old_primary(trial, Divide(node, alone, recovery_s, divide, unite))


def _spread_over(trial: Trial, hosts: list[Host]) -> SentinelGroup:
    """Each host has a server and a sentinel; the first one has the primary. Nodes that are here reach all."""
    down_ms = int(trial.times.scaled(5000))
    lag = {"min_replicas_to_write": "1", "min_replicas_max_lag": f"{LAG_S:g}"}
    group = trial.stand_on(
        sentinel_group(places=hosts * 2, down_after_ms=down_ms, appendonly="yes", **lag)  # type: ignore[arg-type]
    )
    trial.store, trial.watched = group.url, f"redis://{group.primary().address}"
    return group
