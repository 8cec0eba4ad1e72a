"""Two nodes are replaced one after the other while people work and wait: nobody loses a seat, nor a place in the queue."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator

import aiohttp
import pytest

from seatd_protocol.codec import CODECS
from seatd_protocol.messages import Bye, Denied, Hello, Moving, Queued, ServerMessage, Welcome
from tests.engine import private_engine
from tests.scenarios import websocket
from tests.scenarios.client import Client, Closed
from tests.scenarios.company import Company
from tests.scenarios.websocket import WebSocket
from tests.servers import Server, Servers

SEATED, WAITING = 60, 10
DRAIN_S = 10
CODEC = CODECS["seatd.v1.msgpack"]


class Person:
    """Somebody at work or in the queue, on a device of his own, who goes where the server sends him.

    `settled` is set while he has what he is entitled to; `welcomes` and `moves` is what he was told in all; `ready` says
    for each move whether that node still called itself ready.
    """

    def __init__(self, company: Company, name: str) -> None:
        self.company = company
        self.name = name
        self.welcomes: list[Welcome] = []
        self.position = 0
        self.moves: list[str] = []
        self.ready: list[bool] = []
        self.settled = asyncio.Event()
        self.left = False
        self.client: Client

    async def live(self, node: Server, other: Server) -> None:
        """Signs in; after every 4000 on the other node. Any other end, and any denial, is an error."""
        while True:
            client = await self._arrive(node)
            while not isinstance(heard := await client.listen(), Closed):
                await self._hear(heard, node)
            assert heard.code == (1000 if self.left else 4000), (self.name, heard)
            if self.left:
                return
            node, other = other, node

    async def leave(self) -> None:
        self.left = True
        await self.client.say(Bye())

    async def _arrive(self, node: Server) -> Client:
        resume = self.client.resume if self.welcomes else None
        self.client = await self.company.sign_in(
            node, self.name, "CALL_CENTER", device=self.name, resume=resume, wait_s=600
        )
        await self._hear(self.client.first, node)
        return self.client

    async def _hear(self, heard: object, node: Server) -> None:
        match heard:
            case Moving():
                self.settled.clear()
                self.moves.append(node.name)
                self.ready.append(await is_ready(node))
            case Welcome():
                self.client.first = heard  # a waiter's comes later
                self.welcomes.append(heard)
                self.settled.set()
            case Queued(position=position):
                self.position = position
                self.settled.set()
            case _:
                raise AssertionError((self.name, heard))


@pytest.fixture
def url() -> Iterator[str]:
    """A store that outlives the nodes."""
    with private_engine() as running:
        yield running.url


async def test_nobody_loses_anything(servers: Servers, url: str) -> None:
    a, b = (servers.start(name, store=url, NODE_DRAIN=f"{DRAIN_S}s") for name in ("a", "b"))
    company = Company(a, b)
    await company.licensed(f"CALL_CENTER:competitive:{SEATED}")
    people = [Person(company, f"p{number}") for number in range(SEATED + WAITING)]
    seated, waiting = people[:SEATED], people[SEATED:]
    async with asyncio.TaskGroup() as group:
        nodes = [(a, b), (b, a)] * len(people)
        lives = [group.create_task(p.live(*at)) for p, at in zip(seated, nodes, strict=False)]
        await settled(seated)
        for person, at in zip(waiting, nodes, strict=False):
            lives.append(group.create_task(person.live(*at)))
            await person.settled.wait()
        assert [person.position for person in waiting] == [*range(1, WAITING + 1)]

        for node, other in ((a, b), (b, a)):
            company.nodes = (other,)
            done = asyncio.Event()
            watch = [group.create_task(look(company, done)) for look in (all_taken, tries_in_vain)]
            await replace(node)
            await settled(people)
            done.set()
            await asyncio.wait(watch)
        await judge(seated, waiting)
        for life in lives:
            life.cancel()
    company.leave()


async def replace(node: Server) -> None:
    """SIGTERM; its clients go elsewhere, it ends within the time it has for that, and a new process takes its place."""
    node.process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(node.process.wait, DRAIN_S) == 0
    node.launch()
    await asyncio.to_thread(node.wait_ready)


async def judge(seated: list[Person], waiting: list[Person]) -> None:
    """Everybody was moved and told so, first by readiness; seats were resumed, places kept, and turns come in order."""
    for person in (*seated, *waiting):
        assert person.moves in (["a", "b"], ["b"])
        assert not any(person.ready)
    for person in seated:
        first, *later = person.welcomes
        assert len(later) == len(person.moves)
        assert all(again.resumed and again.session == first.session for again in later)
        assert all(again.seats == first.seats for again in later)
    assert not any(person.welcomes for person in waiting)
    for leaving, next_one in zip(seated, waiting, strict=False):
        still = waiting[waiting.index(next_one) + 1 :]
        await leaving.leave()
        while not next_one.welcomes:
            await asyncio.sleep(0.005)
        assert not any(person.welcomes for person in still)


async def settled(people: list[Person]) -> None:
    await asyncio.gather(*(person.settled.wait() for person in people))


async def all_taken(company: Company, done: asyncio.Event) -> None:
    """At no moment is a seat of those at work free, or one too many taken."""
    while not done.is_set():
        assert await company.used() == SEATED
        await asyncio.sleep(0.02)


async def tries_in_vain(company: Company, done: asyncio.Event) -> None:
    """Somebody without a seat finds none free at any moment."""
    while not done.is_set():
        outsider = await company.sign_in(company.nodes[0], "outsider", "CALL_CENTER")
        assert isinstance(outsider.first, Denied), outsider.first
        assert outsider.first.code == "no_seat"
        await outsider.closed()
        await asyncio.sleep(0.02)


async def is_ready(node: Server) -> bool:
    """Whether a load balancer would still send it clients."""
    try:
        async with aiohttp.ClientSession() as http, http.get(f"http://{node.admin}/readyz") as page:
            return page.status == 200
    except aiohttp.ClientConnectionError:
        return False


async def test_a_second_signal_ends_a_node_at_once(servers: Servers, url: str) -> None:
    """While it still waits for a client that does not let go."""
    node = servers.start("a", store=url)
    company = Company(node)
    mute = await websocket.upgrade(node.clients)
    assert isinstance(mute, WebSocket)
    await mute.send(websocket.BINARY, encoded(company.hello("ann")))
    assert await told(mute) == Welcome
    node.process.send_signal(signal.SIGTERM)
    assert await told(mute) == Moving
    node.process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(node.process.wait, DRAIN_S) == 1
    mute.abort()


def encoded(hello: Hello) -> bytes:
    frame = CODEC.encode(hello)
    assert isinstance(frame, bytes)
    return frame


async def told(socket: WebSocket) -> type[ServerMessage]:
    """What kind of message comes next."""
    frame = await socket.receive()
    assert frame is not None
    return type(CODEC.decode_server(frame.payload))
