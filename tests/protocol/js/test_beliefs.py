"""A crowd of JavaScript clients, cut off, forced out and coming back: never do more of them believe than there are seats."""

from __future__ import annotations

import asyncio
import contextlib
import random

from tests.faults.proxy import Proxy
from tests.protocol.js.people import PRODUCT, made
from tests.protocol.js.runtimes import JsClient, Runtime, Told
from tests.scenarios.company import Company
from tests.servers import eventually

SEATS, PEOPLE = 3, 9
HARM_S = 12.0


def spans(client: JsClient) -> list[tuple[float, float]]:
    """From when to when it believed that it may use its seat, by the clock that all clients in one process share."""
    following: list[Told | None] = [*client.beliefs[1:], None]
    found = []
    for belief, later in zip(client.beliefs, following, strict=True):
        if belief["untilS"] is not None:
            end_s = belief["untilS"] if later is None else min(belief["untilS"], later["atS"])
            found.append((belief["atS"], end_s))
    return [(begin_s, end_s) for begin_s, end_s in found if begin_s < end_s]


def most_at_once(clients: list[JsClient]) -> int:
    steps = [
        step for client in clients for begin_s, end_s in spans(client) for step in ((begin_s, 1), (end_s, -1))
    ]
    most = now = 0
    for _, change in sorted(steps):
        now += change
        most = max(most, now)
    return most


async def works(client: JsClient, rng: random.Random) -> None:
    """Signs in, works for a while, leaves, again and again."""
    while True:
        answer = await client.call("connect")
        if isinstance(answer, dict) and answer["type"] == "welcome":
            await asyncio.sleep(rng.uniform(0.2, 3))
            await client.call(rng.choice(["bye", "bye", "close"]))
        await asyncio.sleep(0.1)


async def does_harm(company: Company, proxies: list[Proxy], rng: random.Random) -> None:
    """Cuts lines, leaves them silent for a while, forces somebody out."""
    while True:
        await asyncio.sleep(rng.uniform(0.3, 1.2))
        proxy = rng.choice(proxies)
        match rng.randrange(3):
            case 0:
                proxy.cut()
            case 1:
                proxy.freeze()
                await asyncio.sleep(rng.uniform(0.5, 4))
                proxy.restore()
            case _:
                body = {"users": [company.user(f"p{rng.randrange(PEOPLE)}")], "cooldown_s": 0}
                await company.nodes[0].call("POST", "/api/v1/logout", body)


async def enough(people: list[JsClient]) -> None:
    """Until some time has gone by, and everything has happened that is to be lived through."""
    await asyncio.sleep(HARM_S)
    await asyncio.gather(
        *(_somebody(people, kind) for kind in ("queued", "closed", "logout")),
        _somebody(people, "welcome", resumed=True),
    )


async def _somebody(people: list[JsClient], kind: str, **fields: bool) -> None:
    def hears(event: Told) -> bool:
        return event["type"] == kind and all(event[name] == value for name, value in fields.items())

    await eventually(lambda: any(hears(event) for client in people for event in client.events))


def believing(*beliefs: tuple[float, float | None]) -> JsClient:
    """A client with these beliefs: from when on, and until when at the most."""

    async def nobody(*_: object) -> None: ...

    client = JsClient(nobody, "made up")
    client.beliefs = [{"atS": at_s, "untilS": until_s} for at_s, until_s in beliefs]
    return client


def test_the_count_itself() -> None:
    first = believing((0, None), (1, 10), (5, None))  # believes from 1 to 5
    assert most_at_once([first, believing((5, 9))]) == 1
    assert most_at_once([first, believing((4.9, 9))]) == 2
    assert most_at_once([believing((1, 4)), believing((4, 9))]) == 1  # a lease that has ended is none


async def test_never_more_believers_than_seats(node: Runtime, company: Company) -> None:
    await company.licensed(f"{PRODUCT}:competitive:{SEATS}")
    rng = random.Random(4)
    async with contextlib.AsyncExitStack() as stack:
        proxies = [await stack.enter_async_context(Proxy(server.clients)) for server in company.nodes]
        nodes = [f"ws://{proxy.address}" for proxy in proxies]
        people = [
            await made(node, company, f"p{number}", urls=rng.sample(nodes, 2), waitS=30)
            for number in range(PEOPLE)
        ]
        tasks = [asyncio.create_task(works(client, rng)) for client in people]
        tasks.append(asyncio.create_task(does_harm(company, proxies, rng)))
        tasks.append(asyncio.create_task(enough(people)))
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        failed = [task.exception() for task in tasks[:-1] if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert not failed
        for proxy in proxies:
            proxy.restore()
        await asyncio.gather(*(client.call("close") for client in people))
    assert most_at_once(people) == SEATS  # all were used, and never one more
