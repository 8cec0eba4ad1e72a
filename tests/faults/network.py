"""The network between nodes and their store: cut, one-way, slow, broken now and then."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from functools import partial

from redis.asyncio import Redis

from seatd_protocol.messages import Denied, Welcome
from tests.faults.cable import Cable, ProxyCable
from tests.faults.ending import ended
from tests.faults.fault import fault
from tests.faults.nodes import sessions_of
from tests.faults.people import Person, all_live
from tests.faults.proxy import Proxy
from tests.faults.trial import Trial, share, together
from tests.servers import Server

IMPATIENT = "300ms"


async def one_behind_a_proxy(
    trial: Trial, *, seats: int | None = None, **settings: str
) -> tuple[Server, Server, Proxy]:
    """Node `a` reaches the store through a proxy, node `b` directly."""
    proxy = await trial.proxied(trial.engine.url)
    b, *_ = await trial.deploy(1, seats=seats, **settings)
    a = await trial.start("z", store=f"redis://{proxy.address}", **settings)
    return a, b, proxy


async def until_welcome(person: Person, within_s: float) -> bool:
    """Asks again and again, as a person would."""
    give_up_s = time.monotonic() + within_s
    while time.monotonic() < give_up_s:
        if isinstance(await person.sign_in(), Welcome):
            return True
        await asyncio.sleep(0.2)
    return False


@fault("F26", "node and store cut for 15 s", "no connection ended by a server, no session lost", seconds=50)
async def store_cut_briefly(trial: Trial) -> None:
    _, _, proxy = await one_behind_a_proxy(trial)
    await cut_briefly(trial, ProxyCable(proxy))


async def cut_briefly(trial: Trial, to_store: Cable) -> None:
    """F26, whatever the cable is."""
    people = await trial.crowd()
    before, began_s = sessions_of(people), time.monotonic()
    to_store.cut()
    await asyncio.sleep(trial.times.scaled(15))
    to_store.heal()
    await asyncio.sleep(2 * trial.times.beat)
    await all_live(people, trial.times.linger)
    trial.exactly("connections ended by servers", len(trial.ends_by_server(began_s)), 0)
    trial.exactly("sessions kept", trial.kept(people, before), 1.0)


@fault(
    "F27",
    "node and store cut for 120 s, strict mode",
    "clients that stay are closed (4002) when node lease and client lease are over, at most a beat and 1 s later; "
    "at least 99 % of the others resume elsewhere",
    seconds=150,
)
async def store_cut_long(trial: Trial) -> None:
    a, b, proxy = await one_behind_a_proxy(trial, SESSIONS_STRICT="true")
    stays = [trial.stubborn_person(f"s{n}") for n in range(5)]
    for person in stays:
        await person.connect(a.clients)
    people = await trial.crowd(trial.size - 5, a.clients, b.clients)
    before = sessions_of(people)
    proxy.freeze()
    cut_s, times = time.monotonic(), trial.times
    await asyncio.sleep(times.scaled(120))
    proxy.restore()
    closed = [person.closed_at - cut_s for person in stays if person.closed_at]
    trial.exactly("clients that stayed, closed", len(closed), len(stays))
    trial.exactly("with store_lost (4002)", sum(person.code == 4002 for person in stays), len(stays))
    trial.at_least("first closed after, s", min(closed, default=0), times.stop - 2 * times.renew - 1)
    trial.at_most("last closed after, s", max(closed, default=1e9), times.stop + times.beat + 1)
    await all_live(people, times.linger)
    trial.at_least("others' sessions kept", trial.kept(people, before), 0.99)


@fault(
    "F28",
    "requests reach the store, their answers are lost, again and again while people sign in",
    "exactly one session per person, no seat left behind",
    seconds=60,
)
async def replies_lost(trial: Trial) -> None:
    a, _, proxy = await one_behind_a_proxy(trial, STORE_TIMEOUT=IMPATIENT)
    await lose_answers_now_and_then(trial, a, ProxyCable(proxy))


async def lose_answers_now_and_then(trial: Trial, node: Server, to_store: Cable) -> None:
    """F28, whatever the cable is."""
    people = [trial.person(f"u{n}", node.clients) for n in range(trial.size)]
    flapping = asyncio.create_task(_flaps(to_store))
    try:
        welcomed = await together([partial(until_welcome, person, 60) for person in people])
    finally:
        await ended(flapping)
        to_store.heal()
    trial.exactly("people with a seat", sum(welcomed), len(people))
    await asyncio.gather(*(person.vanish() for person in people[::2]))
    await trial.settle()
    ledger = await trial.watch.look()
    owners = Counter(record["user"] for record in ledger.sessions.values())
    trial.exactly("most sessions of one person", max(owners.values()), 1)
    grants = Counter(event.session for event in trial.history.of("granted"))  # its id is the request's
    trial.exactly("most grants of one session", max(grants.values()), 1)
    seats = sum(len(holders) for holders in ledger.holders.values())
    trial.exactly("seats without a session", seats - len(ledger.sessions), 0)
    asked = sum(1 for _ in trial.history.of("hello", type_="invoke"))
    trial.told("asked again", asked - len(people))


async def _flaps(to_store: Cable) -> None:
    while True:
        to_store.lose_answers()
        await asyncio.sleep(0.4)
        to_store.heal()
        await asyncio.sleep(0.6)


@fault(
    "F29",
    "200 ms, give or take 100, between nodes and store",
    "p99 of sign-ins at most 1.5 s; no lease lapses",
    seconds=40,
)
async def slow_store(trial: Trial) -> None:
    proxy = await trial.proxied(trial.engine.url)
    nodes = await trial.deploy(2, store=f"redis://{proxy.address}")
    proxy.delay(0.1, 0.05)  # each way
    began_s = time.monotonic()
    await trial.crowd()
    await asyncio.sleep(2 * trial.times.lease)
    took = sign_in_s(trial, began_s)
    trial.told("p50 of sign-ins, s", share(took, 0.5))
    trial.at_most("p99 of sign-ins, s", share(took, 0.99), 1.5)
    trial.exactly("leases lapsed", sum(node.said.count("lease had lapsed") for node in nodes), 0)


def sign_in_s(trial: Trial, since: float) -> list[float]:
    """How long sign-ins took, from hello to welcome; sorted."""
    said: dict[str, float] = {}
    took = []
    for event in trial.history:
        if event.op == "hello" and event.type == "invoke":
            said[event.proc] = event.t
        elif event.op == "hello" and event.type == "ok" and event.t >= since:
            took.append(event.t - said[event.proc])
    return sorted(took)


@fault(
    "F30",
    "RST in 1 % of what a node sends to the store, while people come and go",
    "no seat granted twice, none left behind",
    seconds=240,
)
async def broken_now_and_then(trial: Trial) -> None:
    a, _, proxy = await one_behind_a_proxy(trial)
    await trial.crowd(trial.size // 2)
    proxy.reset_some(0.01)
    rounds = 200 if trial.times.scale == 1 else 5
    done = await together(
        [partial(_comes_and_goes, trial, f"w{n}", a, rounds) for n in range(trial.size // 2)]
    )
    proxy.restore()
    trial.told("sign-ins", sum(done))
    trial.told("scripts that the store ran", await _scripts_run(trial))
    trial.told("connections of the node to the store", proxy.accepted)


async def _scripts_run(trial: Trial) -> int:
    async with Redis.from_url(trial.engine.url) as client:
        stats = await client.info("commandstats")
    return int(stats["cmdstat_evalsha"]["calls"])


async def _comes_and_goes(trial: Trial, name: str, node: Server, rounds: int) -> int:
    """Signs in and out; how often that worked."""
    person, worked = trial.person(name, node.clients), 0
    for _ in range(rounds):
        answer = await person.sign_in()
        worked += isinstance(answer, Welcome)
        if isinstance(answer, Welcome):
            await person.bye()
        elif isinstance(answer, Denied):
            await asyncio.sleep(0.1)
    return worked
