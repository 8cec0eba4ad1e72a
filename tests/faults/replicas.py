"""A primary whose replica is behind when it takes over: what a failover loses, put together by hand."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from seatd_protocol.messages import Resume
from tests.faults.churn import Churn, first_after, longest_pause, refused_for
from tests.faults.fault import fault
from tests.faults.losses import epoch_on, note_loss, put_back, sessions_on
from tests.faults.minority import LAG_S, Divide, cut_off_with_old_primary
from tests.faults.nodes import sessions_of
from tests.faults.pair import Pair, one_server, pair, until_following
from tests.faults.people import all_live
from tests.faults.stubborn import Stubborn
from tests.faults.trial import Trial, together
from tests.places import LOOPBACK
from tests.servers import Server
from tests.topologies import Server as Store

BEHIND_S = 3.0


async def take_over(trial: Trial, stores: Pair, *, kill: bool = True) -> float:
    """The replica becomes the primary, the old one dies; the moment. What was lost is told."""
    customer = trial.company.name
    had, has = sessions_on(stores.first, customer), sessions_on(stores.second, customer)
    if kill:
        await asyncio.to_thread(stores.first.kill)
    since = note_loss(trial)
    await trial.watch.follow(f"redis://{stores.second.address}")
    await stores.promote(stores.second)
    trial.told("sign-ins lost", len(had - has))
    trial.told("endings lost", len(has - had))
    return since


async def knock_on(trial: Trial, number: int, since: float, *, stay_s: float = 0.3) -> Churn:
    """So many newcomers insist on a seat until the recovery is over and some have come and gone, or none could."""
    knocking = Churn(trial, number, prefix="new", stay_s=stay_s).start()
    await knocking.until_come(5, trial.times.recovery + 5)
    await asyncio.sleep(2 * trial.times.client)
    await knocking.stop()
    trial.told("new seats after, s", min(first_after(trial, since), 9999))
    trial.told("newcomers refused meanwhile", knocking.refused["recovering"])
    trial.told("refused for, s", refused_for(trial, since))
    return knocking


@fault(
    "F17",
    "a replica that is 3 s behind is promoted in the middle of a burst of sign-ins and endings",
    "never above the limit, no seat left behind; everybody keeps his session; lost and put back are counted",
    seconds=100,
)
async def promoted_behind(trial: Trial) -> None:
    stores = await pair(trial)
    nodes = await trial.deploy(3, seats=trial.size)
    half, quarter = trial.size // 2, trial.size // 4
    early = await trial.crowd(half)
    stores.link.freeze()
    behind_s = time.monotonic()
    await together([person.bye for person in early[:quarter]])
    late = await trial.crowd(half + quarter - 2, prefix="late")
    await asyncio.sleep(max(0.0, behind_s + trial.times.scaled(BEHIND_S) - time.monotonic()))
    people = early[quarter:] + late
    before = sessions_of(people)
    since = await take_over(trial, stores)
    knocking = await knock_on(trial, half, since)
    await all_live(people, trial.times.linger)
    trial.at_most("new seats at most R + 2 s after", first_after(trial, since), trial.times.recovery + 2)
    trial.exactly("sessions kept", trial.kept(people, before), 1.0)
    trial.told("put back", put_back(nodes))
    trial.told("newcomers served", knocking.came)
    trial.exactly("connections ended by servers", _ended(trial, since), 0)


def _ended(trial: Trial, since: float) -> int:
    return len([code for code in trial.ends_by_server(since) if code != 4300])


@fault(
    "F39",
    "forced logouts, then a failover that loses them",
    "who gets in before the nodes that saw it have told the store is out again at most a renewal and 1 s later, and stays out",
    seconds=90,
)
async def logout_lost(trial: Trial) -> None:
    stores = await pair(trial)
    a, b = await trial.deploy(2, seats=2 * trial.size)
    others = await trial.crowd(trial.size // 2)
    kicked = [trial.stubborn_person(f"k{n}") for n in range(min(10, trial.size // 2))]
    for n, person in enumerate(kicked):
        await person.connect((a, b)[n % 2].clients)
    await asyncio.sleep(0.5)
    stores.link.freeze()
    resumes = {person.name: person.resume for person in kicked}
    sessions = {person.session for person in kicked}
    for person in kicked:
        await _kick(trial, person)
    await asyncio.gather(*(person.wait_closed(5) for person in kicked))
    trial.told(
        "logouts that the replica knows of", len(sessions - sessions_on(stores.second, trial.company.name))
    )
    before, since = sessions_of(others), await take_over(trial, stores)
    until_s = since + trial.times.recovery + trial.times.lease
    back = await asyncio.gather(
        *(_insists(trial, person, resumes[person.name], until_s) for person in kicked)
    )
    moments = [seconds for one in back for seconds in one]
    trial.told("back for a moment", len(moments))
    trial.at_most("longest moment, s", max(moments, default=0.0), trial.times.renew + 1)
    trial.exactly("in at the end", sum(person.connected for person in kicked), 0)
    trial.exactly("sessions of others kept", trial.kept(others, before), 1.0)


async def _kick(trial: Trial, person: Stubborn) -> None:
    user = trial.company.user(person.name)
    trial.note_kick("invoke", user, 600, ())
    answer = await trial.nodes[1].call("POST", "/api/v1/logout", {"users": [user], "cooldown_s": 600})
    trial.note_kick("ok", user, 600, [receipt["session"] for receipt in answer["sessions"]])


async def _insists(trial: Trial, person: Stubborn, resume: Resume, until_s: float) -> list[float]:
    """Tries to come back on either node; for how long it was in each time that it could."""
    turn, moments = 0, []
    while time.monotonic() < until_s:
        node, turn = trial.nodes[turn % 2], turn + 1
        await person.connect(node.clients, resume=resume)
        if person.welcome:
            began_s = time.monotonic()
            await person.wait_closed(trial.times.stop)
            moments.append(time.monotonic() - began_s)
        person.drop()
        await asyncio.sleep(0.2)
    return moments


@fault(
    "F57",
    "two failovers, A to B and back to A, no script on B; the second one loses writes",
    "the guard fires: one new epoch; never above the limit, no seat left behind",
    seconds=90,
)
async def there_and_back(trial: Trial) -> None:
    stores = await pair(trial)
    nodes = await trial.deploy(2, seats=trial.size)
    early = await trial.crowd(trial.size // 2)
    a, b, customer = stores.first, stores.second, trial.company.name
    await asyncio.sleep(0.5)
    stores.link.freeze()
    late = await trial.crowd(trial.size // 4, prefix="late")  # A has them, B does not, and A will follow B
    people = early + late
    before, epoch = sessions_of(people), epoch_on(a, customer)
    stores.front.cut(refuse=True)
    since = note_loss(trial)
    stores.link.cut(refuse=True)
    await asyncio.to_thread(b.ask, "REPLICAOF", "NO", "ONE")
    await stores.follow(a, b)
    trial.told("sign-ins lost", len(late) - len(sessions_on(a, customer) & {p.session for p in late}))
    await asyncio.to_thread(a.ask, "REPLICAOF", "NO", "ONE")
    scripts_on_b = b.commands_of("evalsha")
    await trial.watch.follow(f"redis://{a.address}")
    stores.front.restore()
    await knock_on(trial, trial.size // 2, since)
    await all_live(people, trial.times.linger)
    trial.exactly("scripts on B", scripts_on_b, 0)
    trial.exactly("guard fired", int(epoch_on(a, customer) > epoch), 1)
    trial.exactly("sessions kept", trial.kept(people, before), 1.0)
    trial.told("put back", put_back(nodes))


@fault(
    "F58",
    "a first replica joins a single server",
    "one recovery at the most; new grants pause at most 3 s; nobody loses anything",
    seconds=40,
)
async def first_replica(trial: Trial) -> None:
    alone, joins = trial.stand_on(one_server()), trial.stand_on(one_server())
    trial.store = f"redis://{alone.address}"
    await trial.deploy(2, seats=2 * trial.size)
    people = await trial.crowd(trial.size // 2)
    churn = Churn(trial, trial.size // 4).start()
    await churn.until_come(5, 10)
    before, epoch, since = sessions_of(people), epoch_on(alone, trial.company.name), time.monotonic()
    await asyncio.to_thread(joins.ask, "REPLICAOF", *alone.address.split(":"))
    await until_following(joins)
    await asyncio.sleep(2 * trial.times.renew)
    await churn.until_come(5, trial.times.recovery + 5)
    await churn.stop()
    epochs = {event.epoch for event in trial.history.of("epoch") if event.epoch > epoch}
    trial.at_most("recoveries", len(epochs), 1)
    trial.at_most("grants paused, s", longest_pause(trial, since), 3.0)
    trial.exactly("sessions kept", trial.kept(people, before), 1.0)
    trial.exactly("connections ended by servers", _ended(trial, since), 0)


@fault(
    "F59",
    "a node registers, grants and dies, all of it within what a failover loses; its clients cannot come back",
    "never above the limit, no seat left behind",
    seconds=100,
)
async def forgotten_node(trial: Trial) -> None:
    stores = await pair(trial)
    await trial.deploy(2, seats=trial.size)
    half = trial.size // 2
    people = await trial.crowd(half)
    known = await _launched(trial, "known")
    await asyncio.sleep(0.5)
    stores.link.freeze()
    forgotten = await _launched(trial, "late")
    trial.told("seats that the forgotten node granted", len(await _granted_by(trial, forgotten, "s")))
    trial.told("seats that a node known before granted", len(await _granted_by(trial, known, "t")))
    before, since = sessions_of(people), await take_over(trial, stores)
    await knock_on(trial, half, since, stay_s=2 * trial.times.client)
    trial.exactly("sessions kept", trial.kept(people, before), 1.0)
    await all_live(people, trial.times.linger)


async def _launched(trial: Trial, name: str) -> Server | None:
    """A further node; None when it does not serve within 5 s."""
    node = trial.servers.launch(name, store=trial.store, folder=None, **trial.node_settings())
    until_s = time.monotonic() + 5
    while "seatd ready" not in node.said and time.monotonic() < until_s:
        await asyncio.sleep(0.05)
    if "seatd ready" in node.said:
        await asyncio.to_thread(node.wait_ready)
        return node
    trial.remarks.append("a node does not serve before the replica knows of it")
    node.kill()
    return None


async def _granted_by(trial: Trial, node: Server | None, prefix: str) -> list[Stubborn]:
    """Those whom a node gave seats before it died; they hold on to them as long as they may."""
    if node is None:
        return []
    clients = [trial.stubborn_person(f"{prefix}{n}") for n in range(trial.size // 4)]
    await together([partial(client.connect, node.clients) for client in clients])
    node.kill()
    del trial.stubborn[-len(clients) :]
    return [client for client in clients if client.welcome]


@fault(
    "F21",
    "old primary and one node cut off from the rest for 60 s (min-replicas-to-write 1, lag 2; strict)",
    "the minority closes all its clients (4002) at lag + T + C and a beat at the latest; never above the limit",
    seconds=150,
)
async def minority(trial: Trial) -> None:
    stores = await pair(trial)
    await asyncio.to_thread(_want_replica, stores.first)
    await trial.deploy(2, seats=trial.size, SESSIONS_STRICT="true")
    side = await trial.proxied(stores.first.address)
    cut_off = await trial.start("z", store=f"redis://{side.address}", SESSIONS_STRICT="true")

    async def divide() -> None:
        stores.link.freeze()
        await asyncio.to_thread(stores.second.ask, "REPLICAOF", "NO", "ONE")
        stores.lead_to(stores.second)
        note_loss(trial)
        await trial.watch.follow(f"redis://{stores.second.address}")

    async def unite() -> None:
        await stores.follow(stores.first, stores.second)
        side.target = stores.second.address
        side.cut()

    await cut_off_with_old_primary(trial, Divide(cut_off, LOOPBACK, trial.times.recovery, divide, unite))


def _want_replica(primary: Store) -> None:
    primary.ask("CONFIG", "SET", "min-replicas-to-write", "1", "min-replicas-max-lag", f"{LAG_S:g}")
