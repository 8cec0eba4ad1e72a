"""Too little CPU, or a slow store: newcomers are told to come back, who is there goes on, and it is over by itself."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest

from seatd_protocol.codec import CODECS
from seatd_protocol.messages import Acquire, Denied, Granted, Release, Released, Welcome
from tests.engine import private_engine
from tests.faults.proxy import Proxy
from tests.scenarios.client import Client, Closed
from tests.scenarios.company import Company
from tests.scenarios.test_slow import total
from tests.scenarios.test_store_trouble import WAIT_S, started
from tests.scenarios.websocket import Refusal, WebSocket, upgrade
from tests.servers import Server, Servers, eventually

CROWD, HELLOS = 40, 8
"""So many come at once, and of so many the hellos may wait (half of that for who is new)."""
FROZEN_S, RUNS_S = 0.5, 0.05
LATE = {"CLIENTS_MAX_LAG": "200ms"}
SLOW_S = 0.4


@pytest.fixture
async def companies() -> AsyncIterator[list[Company]]:
    """Their connections end with the test."""
    made: list[Company] = []
    yield made
    for company in made:
        company.leave()


async def attempt(company: Company, name: str) -> str:
    """Comes as a newcomer: `welcome`, or how he was turned away."""
    socket = await upgrade(company.nodes[0].clients)
    if isinstance(socket, Refusal):
        assert int(socket.headers["retry-after"]) >= 1
        return f"HTTP {socket.status}"
    return told(await said_hello(company, socket, name))


async def said_hello(company: Company, socket: WebSocket, name: str) -> Client:
    client = Client(socket, CODECS["seatd.v1.msgpack"])
    company._clients.append(client)
    return await client.sign_in(company.hello(name, "CALL_CENTER"))


def told(client: Client) -> str:
    match client.first:
        case Welcome():
            return "welcome"
        case Denied(code=code):
            return f"denied {code}"
        case Closed(code=code):
            return f"closed {code}"
        case other:
            raise AssertionError(other)


async def until_let_in(company: Company, name: str) -> list[str]:
    """Comes until there is a seat; what he was told before."""
    heard: list[str] = []
    async with asyncio.timeout(WAIT_S):
        while (answer := await attempt(company, name)) != "welcome":
            heard.append(answer)
            await asyncio.sleep(0.1)
    return heard


# -- CPU ------------------------------------------------------------------------------------------


async def starved(node: Server, enough: asyncio.Event) -> None:
    """Gives the node a small part of a CPU only, as a machine does that has too much to do."""
    try:
        while not enough.is_set():
            os.kill(node.process.pid, signal.SIGSTOP)
            await asyncio.sleep(FROZEN_S)
            os.kill(node.process.pid, signal.SIGCONT)
            await asyncio.sleep(RUNS_S)
    finally:
        os.kill(node.process.pid, signal.SIGCONT)


async def test_a_late_node_sheds_newcomers_and_keeps_its_sessions(
    servers: Servers, companies: list[Company]
) -> None:
    node = await started(servers, "late", **LATE)
    company = Company(node)
    companies.append(company)
    await company.licensed("CALL_CENTER:competitive:20")
    people = [await company.sign_in(node, f"user{n}", "CALL_CENTER") for n in range(5)]
    enough, answers = asyncio.Event(), Counter[str]()
    starving = asyncio.create_task(starved(node, enough))
    async with asyncio.timeout(WAIT_S):
        while answers["HTTP 503"] < 5:
            answers[await attempt(company, "new")] += 1
    enough.set()
    await starving
    assert set(answers) <= {"HTTP 503", "welcome"}
    assert await total(node, 'seatd_shed_total{reason="lag"}') == answers["HTTP 503"]
    before = [person.beats for person in people]
    await until_let_in(company, "late")
    await eventually(lambda: all(now.beats > was for now, was in zip(people, before, strict=True)))
    assert all(person.heard_nothing() for person in people)


# -- the store ------------------------------------------------------------------------------------


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    with private_engine() as engine:
        async with Proxy(f"unix://{engine.socket}") as proxy:
            yield proxy


@pytest.fixture
def slow_servers(proxy: Proxy) -> Iterator[Servers]:
    """They end before their way to the store does."""
    with Servers() as own:
        yield own


async def few_hellos(servers: Servers, proxy: Proxy, companies: list[Company], **settings: str) -> Company:
    """A company on a node at which few hellos may wait."""
    store = f"redis://{proxy.address}"
    node = await started(servers, "n", store=store, CLIENTS_MAX_HELLOS=str(HELLOS), **settings)
    company = Company(node)
    companies.append(company)
    await company.licensed(f"CALL_CENTER:competitive:{CROWD + 5}", "CALL_MANAGER:competitive:1")
    return company


async def come_at_once(company: Company) -> Counter[str]:
    """A crowd; all have their sockets before anybody says hello."""
    sockets = await asyncio.gather(*(upgrade(company.nodes[0].clients) for _ in range(CROWD)))
    inside = [socket for socket in sockets if isinstance(socket, WebSocket)]
    people = await asyncio.gather(
        *(said_hello(company, socket, f"crowd{n}") for n, socket in enumerate(inside))
    )
    return Counter(told(person) for person in people)


async def test_a_slow_store_makes_few_wait_and_nobody_is_denied(
    slow_servers: Servers, proxy: Proxy, companies: list[Company]
) -> None:
    company = await few_hellos(slow_servers, proxy, companies)
    (node,) = company.nodes
    person = await company.sign_in(node, "ann", "CALL_CENTER")
    proxy.delay(SLOW_S)
    answers = await come_at_once(company)
    assert answers["closed 4100"] > 0
    assert set(answers) <= {"closed 4100", "welcome"}
    assert await total(node, 'seatd_shed_total{reason="hellos"}') == answers["closed 4100"]
    await person.say(Acquire(ref=1, products=("CALL_MANAGER",)))
    assert isinstance(await person.recv(), Granted)
    before = person.beats
    await eventually(lambda: person.beats > before)
    later = asyncio.gather(*(until_let_in(company, f"crowd{n}") for n in range(CROWD)))
    await asyncio.sleep(1)
    proxy.restore()
    for heard in await later:
        assert set(heard) <= {"closed 4100", "HTTP 503"}
    assert person.heard_nothing()
    assert await total(node, "\nseatd_hellos_waiting") == 0


async def test_a_store_that_hangs_makes_few_wait_and_is_found_again(
    slow_servers: Servers, proxy: Proxy, companies: list[Company]
) -> None:
    company = await few_hellos(slow_servers, proxy, companies)
    (node,) = company.nodes
    person = await company.sign_in(node, "ann", "CALL_CENTER")
    back = await company.sign_in(node, "back", "CALL_CENTER")
    proxy.freeze()
    answers = await come_at_once(company)
    assert answers["closed 4100"] >= CROWD - HELLOS
    assert set(answers) <= {"closed 4100", "denied unavailable"}
    assert answers["denied unavailable"] <= HELLOS // 2
    before = person.beats
    await eventually(lambda: person.beats > before)
    back.drop()
    proxy.restore()
    for heard in await asyncio.gather(*(until_let_in(company, f"crowd{n}") for n in range(CROWD))):
        assert set(heard) <= {"closed 4100", "HTTP 503", "denied unavailable", "denied recovering"}
    again = await company.sign_in(node, "back", "CALL_CENTER", resume=back.resume)
    assert again.welcome.resumed
    assert person.heard_nothing()
    await person.say(Release(ref=2, products=("CALL_CENTER",)))
    assert isinstance(await person.recv(), Released)


async def test_who_comes_back_finds_a_place_that_newcomers_may_not_take(
    slow_servers: Servers, proxy: Proxy, companies: list[Company]
) -> None:
    company = await few_hellos(slow_servers, proxy, companies)
    (node,) = company.nodes
    away = await company.sign_in(node, "away", "CALL_CENTER")
    away.drop()
    await eventually(lambda: company.is_parked("away"))
    sockets = [await upgrade(node.clients) for _ in range(HELLOS)]
    mine = await company.connect(node)
    proxy.delay(SLOW_S)
    new = [
        said_hello(company, socket, f"new{n}")
        for n, socket in enumerate(sockets)
        if isinstance(socket, WebSocket)
    ]
    newcomers = asyncio.gather(*new)
    await eventually(lambda: waiting(node))
    back = await mine.sign_in(company.hello("away", "CALL_CENTER", resume=away.resume))
    assert back.welcome.resumed
    assert Counter(told(one) for one in await newcomers) == {
        "welcome": HELLOS // 2,
        "closed 4100": HELLOS // 2,
    }


async def waiting(node: Server) -> bool:
    """Whether as many newcomers wait as may."""
    return await total(node, 'seatd_shed_total{reason="hellos"}') == HELLOS // 2
