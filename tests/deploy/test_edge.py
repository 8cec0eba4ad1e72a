"""Clients and administrators behind HAProxy and nginx, set up as in `deploy/`: what passes, what does not, and restarts."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohappyeyeballs import AddrInfoType
from yarl import URL

from seatd_protocol.client import SeatClient
from seatd_protocol.events import Closed, Event
from seatd_protocol.messages import Device, Moving, Notice, Welcome
from tests.deploy.edge import Certificate, Edge
from tests.scenarios.company import Company
from tests.scenarios.conftest import Pair
from tests.servers import Server, eventually

pytestmark = pytest.mark.timeout(600)  # many programs are started, and the machine may be busy

SEATED = 40
LOAD = 2
"""So many people sign in and leave all the time."""


class Person:
    """Somebody at work with the real client, who writes down all that it tells him."""

    def __init__(
        self, edge: Edge, company: Company, http: aiohttp.ClientSession, name: str, product: str
    ) -> None:
        self.heard: list[Event] = []
        self.client = SeatClient(
            f"wss://{edge.clients}",
            company.token(name),
            Device(kind="desktop", id=name),
            [product],
            on_event=self.heard.append,
            http=http,
        )

    def judge(self) -> None:
        """He was never denied, never refused, never cut off: only sent on, and welcomed back to the same seats."""
        first, *later = [heard for heard in self.heard if isinstance(heard, Welcome)]
        assert all(again.resumed and again.session == first.session for again in later)
        assert all(again.seats == first.seats for again in later)
        ends = [heard for heard in self.heard if isinstance(heard, Closed)]
        assert {end.code for end in ends} <= {4000, 1000}, ends
        others = [h for h in self.heard if not isinstance(h, Welcome | Closed | Moving | Notice)]
        assert others == []


@asynccontextmanager
async def browser(certificate: Certificate) -> AsyncIterator[aiohttp.ClientSession]:
    """Over TLS, whose goodbye takes a moment longer than aiohttp waits: it is over when every socket is closed."""
    sockets: list[socket.socket] = []

    def noted(address: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, _ = address
        sockets.append(socket.socket(family, kind, protocol))
        return sockets[-1]

    connector = aiohttp.TCPConnector(ssl=certificate.trusted(), limit=0, socket_factory=noted)
    async with aiohttp.ClientSession(connector=connector) as http:
        yield http
    await eventually(lambda: all(one.fileno() == -1 for one in sockets))


@pytest.fixture
async def http(certificate: Certificate) -> AsyncIterator[aiohttp.ClientSession]:
    """A client that trusts the certificate."""
    async with browser(certificate) as session:
        yield session


async def test_only_what_is_meant_to_passes(edge: Edge, nodes: Pair, http: aiohttp.ClientSession) -> None:
    for url, status in [
        (f"https://{edge.clients}/", 404),
        (f"https://{edge.clients}/metrics", 404),
        (f"https://{edge.clients}/v1/connect", 400),  # the node's own answer to who offers no sub-protocol
        (f"https://{edge.admin}/metrics", 404),
        (f"https://{edge.admin}/metric%73", 404),
        (f"https://{edge.admin}/readyz", 404),
        (f"https://{edge.admin}/livez", 404),
        (f"https://{edge.admin}/api/v1/licenses", 401),
    ]:
        async with http.get(URL(url, encoded=True)) as page:
            assert page.status == status, url
    headers = {"Authorization": f"Bearer {nodes.b.token}"}
    async with http.get(f"https://{edge.admin}/api/v1/licenses", headers=headers) as page:
        assert page.status == 200
        assert page.headers["Strict-Transport-Security"] == "max-age=31536000"


async def test_the_callers_address_is_what_we_say_it_is(
    edge: Edge, nodes: Pair, http: aiohttp.ClientSession
) -> None:
    """What the caller writes into the header does not count, what the proxy saw does."""
    headers = {"Authorization": f"Bearer {nodes.a.token}", "X-Forwarded-For": "203.0.113.9"}
    body = {"name": "robot", "grant": {"role": "auditor"}}
    async with http.post(f"https://{edge.admin}/api/v1/tokens", json=body, headers=headers) as page:
        assert page.status == 200, await page.text()
    trail = await nodes.a.call("GET", "/api/v1/audit")
    assert "203.0.113.9" not in str(trail)
    assert "127.0.0.1" in str(trail)


async def test_a_page_elsewhere_may_not_connect(edge: Edge, http: aiohttp.ClientSession) -> None:
    offer = {"protocols": ("seatd.v1.msgpack",)}
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        await http.ws_connect(f"wss://{edge.clients}/v1/connect", origin="https://evil.example", **offer)
    own = f"https://{edge.clients}"
    async with http.ws_connect(f"wss://{edge.clients}/v1/connect", origin=own, **offer) as socket:
        assert not socket.closed


async def test_nobody_loses_a_seat_while_both_nodes_are_replaced(
    edge: Edge, nodes: Pair, company: Company, http: aiohttp.ClientSession
) -> None:
    await company.licensed(f"CALL_CENTER:competitive:{SEATED}", "CUSTOMER_SERVICE:competitive:1000")
    people = [Person(edge, company, http, f"p{number}", "CALL_CENTER") for number in range(SEATED)]
    for answer in await asyncio.gather(*(person.client.connect() for person in people)):
        assert isinstance(answer, Welcome)
    stop = asyncio.Event()
    passers = [
        asyncio.create_task(passing(edge, company, http, f"w{number}", stop)) for number in range(LOAD)
    ]
    for node, other in ((nodes.a, nodes.b), (nodes.b, nodes.a)):
        company.nodes = (other,)
        watch = asyncio.create_task(always_taken(company))
        await replaced(node)
        watch.cancel()
    stop.set()
    welcomed = sum(await asyncio.gather(*passers))
    for person in people:
        person.judge()
        assert Moving in map(type, person.heard)
    assert welcomed > LOAD
    assert await company.used() == SEATED
    await asyncio.gather(*(person.client.aclose() for person in people))


async def replaced(node: Server) -> None:
    """SIGTERM, a new process at the same addresses, and the edge has sent it clients again."""
    node.process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(node.process.wait, 30) == 0
    node.relaunch()
    await eventually(lambda: "seatd ready" in node.said)  # as long as it takes: the others are busy meanwhile
    await asyncio.to_thread(node.wait_ready)
    await eventually(lambda: has_clients(node))


async def has_clients(node: Server) -> bool:
    async with aiohttp.ClientSession() as http, http.get(f"http://{node.admin}/metrics") as page:
        return "seatd_sessions_opened_total{" in await page.text()


async def always_taken(company: Company) -> None:
    """At no moment is a seat of those at work free."""
    while True:
        assert await company.used() == SEATED
        await asyncio.sleep(0.05)


async def passing(
    edge: Edge, company: Company, http: aiohttp.ClientSession, name: str, stop: asyncio.Event
) -> int:
    """Somebody who signs in and leaves, again and again, and never in vain; how often."""
    times = 0
    while not stop.is_set():
        person = Person(edge, company, http, name, "CUSTOMER_SERVICE")
        assert isinstance(await person.client.connect(), Welcome), person.heard
        await person.client.aclose()
        person.judge()
        times += 1
        await asyncio.sleep(0.02)  # a steady load, not as much as the machine can
    return times


async def test_what_a_dead_node_leaves_is_resumed_at_the_other(
    edge: Edge, nodes: Pair, company: Company, http: aiohttp.ClientSession
) -> None:
    """Without a goodbye: nobody is denied, and everybody has the same seats again."""
    await company.licensed("CALL_CENTER:competitive:10")
    people = [Person(edge, company, http, f"p{number}", "CALL_CENTER") for number in range(10)]
    for answer in await asyncio.gather(*(person.client.connect() for person in people)):
        assert isinstance(answer, Welcome)
    nodes.a.kill()
    hit = [person for person in people if await cut_off(person, nodes.b)]
    for person in hit:
        await eventually(lambda heard=person.heard: welcomes(heard) == 2)  # type: ignore[misc]
        assert [heard.resumed for heard in person.heard if isinstance(heard, Welcome)] == [False, True]
    assert len(hit) in range(1, 10)
    company.nodes = (nodes.b,)
    assert await company.used() == 10
    await asyncio.gather(*(person.client.aclose() for person in people))


async def cut_off(person: Person, living: Server) -> bool:
    """Whether he was at the node that died."""
    page = await living.call("GET", f"/api/v1/sessions/{person.client.session}")
    return page["node"] != "b"


def welcomes(heard: list[Event]) -> int:
    return sum(isinstance(event, Welcome) for event in heard)
