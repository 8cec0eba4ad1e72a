"""Clients that vanish, roam, duel, race with administrators, come all at once."""

from __future__ import annotations

import asyncio
import random
import time
from functools import partial

from redis.asyncio import Redis

from seatd_protocol.messages import Acquire, Denied, Welcome
from tests.faults.cable import Cable, ProxyCable
from tests.faults.ending import ended
from tests.faults.fault import fault
from tests.faults.network import one_behind_a_proxy
from tests.faults.nodes import sessions_of
from tests.faults.people import all_live
from tests.faults.stubborn import Stubborn
from tests.faults.trial import Trial, share, together
from tests.scenarios import websocket
from tests.scenarios.test_slow import encoded, memory_kb
from tests.servers import Server

OWN_DEVICES, DEAF = 8, 12  # of one user, who may have 20
OFTEN = 20  # messages a second: a client that sends more (and usually may, here) is closed for that
RACES_AT_ONCE = 16  # so that it is the race that is measured, not how long it waits for a CPU
CLOSE_S = 2.0  # what a server gives a client to answer its close frame


@fault(
    "F33",
    "a client is half-open: its packets are dropped, nobody is told",
    "parked when a second beat is due and the close handshake (2 s) has failed, at most 1 s late; free G later, "
    "at most 2 renewals and 1 s late; nobody else before",
    seconds=80,
)
async def half_open(trial: Trial) -> None:
    a, b = await trial.deploy(2, seats=1)
    proxy = await trial.proxied(a.clients)
    person = trial.stubborn_person("ann")
    await person.connect(proxy.address)
    await goes_silent(trial, person, ProxyCable(proxy), b)


async def goes_silent(trial: Trial, person: Stubborn, to_node: Cable, other: Server) -> None:
    """F33, whatever the cable is. `other`: a node that it does not lead to."""
    while person.beats < 1:
        await asyncio.sleep(0.05)
    to_node.drop()
    began_s, times = time.monotonic(), trial.times
    answer = await trial.knock("early", other)
    trial.exactly("strangers let in at once", not isinstance(answer, Denied), 0)
    session = person.session
    freed = await trial.freed_s([session], began_s, 3 * times.beat + times.free + 5)
    parked = [event.t - began_s for event in trial.history.of("parked") if event.session == session]
    trial.at_most("parked after, s", min(parked, default=1e9), 2 * times.beat + CLOSE_S + 1)
    free_s = share(freed, 1)
    trial.at_least("free after parked, s", free_s - min(parked, default=0), times.linger - 1)
    trial.at_most("free after parked, s", free_s - min(parked, default=0), times.linger + 2 * times.renew + 1)
    person.forget()
    to_node.heal()


@fault(
    "F34",
    "clients roam over three nodes, 50 times a minute",
    "each has exactly one seat all the time; p99 of a take-over at most 250 ms; nobody is refused",
    seconds=150,
)
async def roaming(trial: Trial) -> None:
    number = min(100, trial.size)
    nodes = await trial.deploy(3, seats=number)
    people = [trial.stubborn_person(f"r{n}") for n in range(number)]
    turns = 100 if trial.times.scale == 1 else 6
    took = await asyncio.gather(
        *(roams(person, nodes, turns, pause_s=1.2, late_s=n / number) for n, person in enumerate(people))
    )
    every = sorted(seconds for person in took for seconds in person)
    trial.exactly("take-overs", len(every), number * turns)
    trial.told("p50 of a take-over, s", share(every, 0.5))
    trial.at_most("p99 of a take-over, s", share(every, 0.99), 0.25)
    ledger = await trial.watch.look()
    trial.exactly("sessions in the ledger", len(ledger.sessions), number)


async def roams(
    person: Stubborn, nodes: list[Server], turns: int, *, pause_s: float, late_s: float
) -> list[float]:
    """Goes from node to node with its session; how long each take-over took."""
    await asyncio.sleep(late_s)
    await person.connect(nodes[0].clients)
    took = []
    for turn in range(1, turns + 1):
        await asyncio.sleep(pause_s)
        old, resume = person.client, person.resume
        began_s = time.monotonic()
        await person.connect(nodes[turn % len(nodes)].clients, resume=resume)
        assert person.welcome, f"refused: {person.denied}"
        if person.welcome.resumed:
            took.append(time.monotonic() - began_s)
        if old:
            old.drop()
    return took


@fault(
    "F35",
    "two processes duel for one session, each resuming it when it has lost it, for 60 s",
    "never two of its sockets open for more than 250 ms; one seat all along",
    seconds=80,
)
async def duel(trial: Trial) -> None:
    nodes = await trial.deploy(2, seats=1)
    first = trial.stubborn_person("ann")
    await first.connect(nodes[0].clients)
    second = Stubborn(trial.history, trial.company, "ann")
    holder, other, place = first, second, 1
    overlaps, until_s = [], time.monotonic() + trial.times.scaled(60)
    while time.monotonic() < until_s:
        await other.connect(nodes[place % 2].clients, resume=holder.resume)
        taken_s = time.monotonic()
        assert other.welcome, f"refused: {other.denied}"
        assert await holder.wait_closed(10), "the loser was not told"
        overlaps.append((holder.closed_at or taken_s) - taken_s)
        holder, other, place = other, holder, place + 1
    trial.told("take-overs", len(overlaps))
    trial.at_most("longest overlap, s", max(overlaps), 0.25)
    ledger = await trial.watch.look()
    trial.exactly("sessions in the ledger", len(ledger.sessions), 1)
    trial.remarks.append(
        "take-overs are not limited; a client that keeps to the codes stops at the first (4301)"
    )
    holder.drop()
    other.drop()
    trial.stubborn.remove(first)
    first.forget()


@fault(
    "F36",
    "forced logout and resume race: sent within 20 ms of each other",
    "no session that was forced out is attached afterwards; whoever got in first is told within 2 s",
    seconds=240,
)
async def kick_races_resume(trial: Trial) -> None:
    races = 4000 if trial.times.scale == 1 else max(12, trial.size)
    a, b = await trial.deploy(2, seats=races)
    rng = random.Random(36)
    people = [trial.stubborn_person(f"k{n}") for n in range(races)]
    won = await together(
        [partial(_race, trial, person, a, b, rng.uniform(-0.02, 0.005)) for person in people],
        at_once=RACES_AT_ONCE,
    )
    trial.exactly("logouts not told within 2 s", sum(told is False for told in won), 0)
    trial.told("races", len(won))
    trial.told("races that the resume won", sum(told is not None for told in won))
    kicked = {s for event in trial.history.of("kick") for s in event.value["sessions"]}
    trial.exactly("sessions forced out", len(kicked), races)
    ledger = await trial.watch.look()
    alive = [session for session in kicked if ledger.sessions.get(session, {}).get("state") == "attached"]
    trial.exactly("attached afterwards", len(alive), 0)


async def _race(trial: Trial, person: Stubborn, a: Server, b: Server, offset_s: float) -> bool | None:
    """None: the resume lost. Else whether the winner was told of its logout in time."""
    await person.connect(a.clients)
    resume, session = person.resume, person.session
    person.drop()
    kick = asyncio.create_task(_kicked(trial, person.name, session, b, late_s=max(0.0, offset_s)))
    await asyncio.sleep(max(0.0, -offset_s))
    await person.connect(a.clients, resume=resume)
    told: bool | None = None
    if person.welcome and person.session == session:
        told = await person.wait_closed(2.0) and person.code in (4302, 4301)
    await kick
    person.forget()
    return told


async def _kicked(trial: Trial, name: str, session: str, node: Server, *, late_s: float) -> None:
    user = trial.company.user(name)
    await asyncio.sleep(late_s)
    trial.note_kick("invoke", user, 0, ())
    answer = await node.call("POST", "/api/v1/logout", {"sessions": [session], "cooldown_s": 0})
    trial.note_kick("ok", user, 0, [receipt["session"] for receipt in answer["sessions"]])


@fault(
    "F37",
    "forced logout while every wake-up is lost",
    "every client told at most a renewal and 1 s later",
    seconds=40,
)
async def kick_without_wakeups(trial: Trial) -> None:
    a, b = await trial.deploy(2)
    people = [trial.stubborn_person(f"k{n}") for n in range(min(20, trial.size))]
    for person in people:
        await person.connect(a.clients)
    deafening = asyncio.create_task(_deafens(trial))
    await asyncio.sleep(2)
    began_s = time.monotonic()
    try:
        await b.call("POST", "/api/v1/logout", {"customer": trial.company.name, "cooldown_s": 0})
        closed = [await person.wait_closed(10) for person in people]
    finally:
        await ended(deafening)
    trial.exactly("clients told", sum(closed), len(people))
    told = sorted((person.logout_at or began_s + 99) - began_s for person in people)
    trial.at_most("last told after, s", share(told, 1), trial.times.renew + 1)


async def _deafens(trial: Trial) -> None:
    async with Redis.from_url(trial.engine.url) as client:
        while True:
            await client.client_kill_filter(_type="pubsub")
            await asyncio.sleep(0.01)


@fault(
    "F38",
    "forced logout while the client's node is cut off from the store, strict mode",
    "resume elsewhere refused; the client stops at most T + C later; its seat goes to nobody before",
    seconds=80,
)
async def kick_while_cut_off(trial: Trial) -> None:
    a, b, proxy = await one_behind_a_proxy(trial, seats=1, SESSIONS_STRICT="true")
    person = trial.stubborn_person("ann")
    await person.connect(a.clients)
    resume, session = person.resume, person.session
    proxy.freeze()
    user, began_s = trial.company.user("ann"), time.monotonic()
    trial.note_kick("invoke", user, 0, ())
    answer = await b.call("POST", "/api/v1/logout", {"users": [user], "cooldown_s": 0})
    trial.note_kick("ok", user, 0, [receipt["session"] for receipt in answer["sessions"]])
    thief = Stubborn(trial.history, trial.company, "ann")
    await thief.connect(b.clients, resume=resume)
    trial.exactly("resumed elsewhere", thief.session == session, 0)
    thief.drop()
    answers = []
    while not (freed := await trial.freed_s([session], began_s, 0.3 + time.monotonic() - began_s)):
        answers.append(await trial.knock("bob", b))
        assert time.monotonic() < began_s + 4 * trial.times.stop, "the seat never came free"
    trial.exactly("strangers let in before", sum(not isinstance(answer, Denied) for answer in answers), 0)
    trial.at_most("seat free after, s", share(freed, 1), trial.times.stop + 2 * trial.times.renew + 1)
    beliefs = [
        event.value["until_s"] or 0.0 for event in trial.history.of("believes") if event.session == session
    ]
    trial.at_most("client believed for, s", max(beliefs) - began_s, trial.times.stop)
    proxy.restore()
    await person.wait_closed(trial.times.stop + 5)


@fault(
    "F47",
    "clients stop reading while they are sent a lot",
    "all closed at most 10 s later; at most 512 kB of memory each; p99 of others' requests at most 0.5 s; "
    "others keep their session",
    seconds=60,
)
async def deaf_clients(trial: Trial) -> None:
    node, *_ = await trial.deploy(1, SESSIONS_MESSAGES_PER_S=f"{OFTEN}", SESSIONS_MESSAGES_BURST="40")
    await trial.license(1, "CALL_MANAGER")
    people = await trial.crowd(trial.size // 2)
    (other,) = people[:1]
    await other.client.acquire(["CALL_MANAGER"])
    users = [f"ann{n}" for n in range(max(1, trial.size // 100))]
    for user in users:
        for number in range(OWN_DEVICES):  # refusals are much longer than what asks for them
            await trial.stubborn_person(user, chr(0x1F600 + number) * 128).connect(node.clients)
    before_kb, before = memory_kb(node), sessions_of(people)
    deaf = [
        asyncio.create_task(_never_reads(trial, user, f"deaf{n}", node))
        for user in users
        for n in range(DEAF)
    ]
    peak_kb, took = 0, []
    while not all(task.done() for task in deaf):
        asked_s = time.monotonic()
        await other.client.acquire(["CALL_CENTER"])
        took.append(time.monotonic() - asked_s)
        peak_kb = max(peak_kb, memory_kb(node) - before_kb)
        await asyncio.sleep(0.1)
    trial.at_most("last closed after, s", max([await task for task in deaf]), 10.0)
    trial.at_most("memory per deaf client, kB", peak_kb / len(deaf), 512)
    trial.at_most("p99 of others' requests, s", share(sorted(took), 0.99), 0.5)
    trial.exactly("sessions kept", trial.kept(people, before), 1.0)
    for person in trial.stubborn:
        person.forget()


async def _never_reads(trial: Trial, user: str, device: str, node: Server) -> float:
    """Asks as often as it may and does not read the answers; seconds until it was cut off, or 30."""
    socket = await websocket.upgrade(node.clients, receive_buffer=4096)
    assert isinstance(socket, websocket.WebSocket)
    await socket.send(websocket.BINARY, encoded(trial.company.hello(user, "CALL_CENTER", device=device)))
    request, began_s = encoded(Acquire(ref=0, products=("CALL_MANAGER",))), time.monotonic()
    try:
        async with asyncio.timeout(30):
            while True:
                await socket.send(websocket.BINARY, request)
                await asyncio.sleep(1.1 / OFTEN)
    except (ConnectionError, TimeoutError):
        socket.abort()
    return time.monotonic() - began_s


@fault(
    "F48",
    "a node dies under all clients, ten times as many as usual (10,000 at the most), who all come to the other at once",
    "all held at most 30 s later; no lease lapses",
    seconds=150,
    heavy=True,
)
async def stampede(trial: Trial) -> None:
    number = min(10_000, 10 * trial.size)
    a, b = await trial.deploy(2, seats=number, CLIENTS_MAX_SESSIONS="20000")
    people = [trial.person(f"u{n}", a.clients, b.clients) for n in range(number)]
    answers = await together([person.sign_in for person in people])
    assert all(isinstance(answer, Welcome) for answer in answers)
    before = sessions_of(people)
    a.kill()
    killed_s = time.monotonic()
    back = await trial.all_back(people, killed_s, 60)
    trial.exactly("clients back", len(back), number)
    for p in (0.5, 0.99):
        trial.told(f"p{p * 100:g} to held, s", share(back, p))
    trial.at_most("last back, s", share(back, 1), 30.0)
    trial.exactly("leases lapsed", b.said.count("lease had lapsed"), 0)
    await all_live(people, 10)
    trial.exactly("sessions kept", trial.kept(people, before), 1.0)
