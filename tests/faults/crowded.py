"""A node that runs out of descriptors: more clients than it may have connections."""

from __future__ import annotations

import asyncio
import time

from tests.faults.fault import fault
from tests.faults.nodes import sessions_of
from tests.faults.people import Person
from tests.faults.trial import Trial
from tests.faults.usage import descriptors
from tests.scenarios import websocket
from tests.servers import Server

MOST = 256
CLIENTS = 320
REFUSALS = 40


@fault(
    "F51",
    "a node that may have 256 descriptors open, and 320 clients",
    "who finds no room gets 503 with Retry-After; sessions that it has go on and are beaten; the node itself goes on; "
    "when clients leave, others are let in",
    seconds=90,
)
async def few_descriptors(trial: Trial) -> None:
    await trial.deploy(1, seats=CLIENTS)
    node = await trial.start("z", descriptors=str(MOST))
    idle = descriptors(node.process.pid)
    people = [trial.person(f"u{n}", node.clients) for n in range(CLIENTS)]
    for person in people:
        person.begin()
    inside = await _settled(people)
    trial.at_least("let in", len(inside), MOST // 2)
    trial.told("descriptors before any came", idle)
    trial.told("descriptors open", descriptors(node.process.pid))
    before, since = sessions_of(inside), time.monotonic()
    trial.exactly("refused with 503 and Retry-After", await _refused(node), REFUSALS)
    await asyncio.sleep(3 * trial.times.beat)
    trial.exactly("connections ended by servers", len(trial.ends_by_server(since)), 0)
    trial.exactly("sessions kept", trial.kept(inside, before), 1.0)
    trial.at_least("administrators answered", await trial.metric(node, "seatd_sessions"), len(inside))
    await _make_room(trial, inside, people)


async def _settled(people: list[Person]) -> list[Person]:
    """Who is in, when many are and nobody has come in for two seconds; at the latest after half a minute."""
    inside: list[Person] = []
    since = began_s = time.monotonic()
    while time.monotonic() < since + 2 or (len(inside) < MOST // 2 and time.monotonic() < began_s + 30):
        now = [person for person in people if person.live]
        since = since if len(now) == len(inside) else time.monotonic()
        inside = now
        await asyncio.sleep(0.05)
    return inside


async def _refused(node: Server) -> int:
    """Connects some more times, one after the other; how often it was told to come back later."""
    refused = 0
    for _ in range(REFUSALS):
        answer = await websocket.upgrade(node.clients)
        if isinstance(answer, websocket.WebSocket):
            answer.abort()
        elif answer.status == 503 and int(answer.headers.get("retry-after", 0)) > 0:
            refused += 1
    return refused


async def _make_room(trial: Trial, inside: list[Person], people: list[Person]) -> None:
    """As many leave as are waiting, and more: everybody else has a seat then."""
    waiting = [person for person in people if person not in inside]
    gone, stay = inside[: len(waiting)], inside[len(waiting) :]
    before, left_s = sessions_of(stay), time.monotonic()
    await asyncio.gather(*(person.bye() for person in gone))
    while not all(person.live for person in waiting) and time.monotonic() < left_s + 60:
        await asyncio.sleep(0.05)
    trial.exactly("let in after others have left", sum(person.live for person in waiting), len(waiting))
    trial.at_most(
        "last let in after, s", time.monotonic() - left_s, 35.0
    )  # what a client waits at the most, and more
    trial.exactly("sessions of others kept", trial.kept(stay, before), 1.0)
