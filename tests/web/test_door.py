"""A node that connections take descriptors from: there are some left for administrators, Prometheus and the store, always."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator

import pytest
from redis import Redis

from seatd.descriptors import kept, limit, opened
from seatd.web.door import Bounds
from seatd_protocol.messages import Acquire, Granted, Release, Released
from tests.faults.usage import descriptors
from tests.scenarios.client import Client
from tests.scenarios.company import Company
from tests.scenarios.conftest import BRISK
from tests.scenarios.test_slow import total
from tests.scenarios.websocket import WebSocket, upgrade
from tests.servers import Server, Servers, eventually

MOST = 128
MANY = 300
BEATS = 3


@pytest.mark.parametrize("share", [2, 4])
@pytest.mark.parametrize("descriptors", [70, 128, 1024, 16_384])
def test_some_are_out_of_reach_of_each_door(share: int, descriptors: int) -> None:
    bounds = Bounds.of(share, descriptors)
    assert descriptors - bounds.most == kept(descriptors) // share
    assert 0 < bounds.gap < kept(descriptors) // share


def test_what_is_open_is_counted() -> None:
    before = opened()
    assert 0 < before < limit()
    with socket.socket(), socket.socket():
        assert opened() == before + 2
    assert opened() == before


@pytest.fixture
def node() -> Iterator[Server]:
    with Servers() as servers:
        yield servers.launch("few", descriptors=str(MOST), **BRISK).wait_ready()


@pytest.fixture
async def company(node: Server) -> AsyncIterator[Company]:
    own = Company(node)
    await own.licensed("CALL_CENTER:competitive:200", "CALL_MANAGER:competitive:1")
    yield own
    own.leave()


@pytest.fixture
def wires() -> Iterator[list[socket.socket]]:
    """Connections that are closed in the end."""
    made: list[socket.socket] = []
    yield made
    for wire in made:
        wire.close()


async def connected(address: str, number: int, wires: list[socket.socket]) -> None:
    """So many more, that say nothing."""
    host, _, port = address.rpartition(":")
    for _ in range(number):
        wire = socket.socket()
        wire.setblocking(False)
        wires.append(wire)
        await asyncio.get_running_loop().sock_connect(wire, (host, int(port)))


async def test_silent_connections_do_not_take_the_last_descriptors(
    node: Server, company: Company, wires: list[socket.socket]
) -> None:
    person = await company.sign_in(node, "ann", "CALL_CENTER")
    await connected(node.clients, MANY, wires)
    await eventually(lambda: descriptors(node.process.pid) >= Bounds.of(2, MOST).most)
    await all_is_well(node, person)
    assert descriptors(node.process.pid) < MOST - kept(MOST) // 4
    assert await total(node, 'seatd_doors_shut_total{listener="clients"}') >= 1
    assert node.said.count("few descriptors are left") == 1
    for wire in wires:
        wire.close()
    await let_in(company, "bob")


async def all_is_well(node: Server, person: Client) -> None:
    """Beats come, seats are asked for and given back, and a new connection to the store is found, while others press in."""
    before = person.beats
    with Redis(unix_socket_path=node.store.removeprefix("unix://")) as store:
        store.client_kill_filter(_type="normal", skipme=True)
        store.client_kill_filter(_type="pubsub")
    while person.beats < before + BEATS:
        assert await total(node, "\nprocess_max_fds") == MOST  # a new connection each time
        await person.say(Acquire(ref=1, products=("CALL_MANAGER",)))
        if isinstance(await person.recv(), Granted):  # not while the store is being connected to again
            await person.say(Release(ref=2, products=("CALL_MANAGER",)))
            assert isinstance(await person.recv(), Released)
        await asyncio.sleep(0.1)
    await eventually(lambda: asks(node, person))


async def asks(node: Server, person: Client) -> bool:
    """Whether the store serves it."""
    await person.say(Acquire(ref=3, products=("CALL_MANAGER",)))
    return isinstance(await person.recv(), Granted)


async def let_in(company: Company, name: str) -> Client:
    """Tries until there is room."""
    while not isinstance(socket := await upgrade(company.nodes[0].clients), WebSocket):
        await asyncio.sleep(0.05)
    socket.abort()
    return await company.sign_in(company.nodes[0], name, "CALL_CENTER")


async def test_a_crowd_of_administrators_leaves_some_for_the_store(
    node: Server, company: Company, wires: list[socket.socket]
) -> None:
    person = await company.sign_in(node, "ann", "CALL_CENTER")
    await connected(node.admin, MANY, wires)
    await eventually(lambda: descriptors(node.process.pid) >= Bounds.of(4, MOST).most)
    assert descriptors(node.process.pid) < MOST
    before = person.beats
    await eventually(lambda: person.beats >= before + BEATS)
    assert person.heard_nothing()
    for wire in wires:
        wire.close()
    await eventually(lambda: asks(node, person))
    assert await total(node, 'seatd_doors_shut_total{listener="admin"}') >= 1


async def test_a_door_that_is_shut_does_not_keep_a_node_from_ending(
    node: Server, wires: list[socket.socket]
) -> None:
    await connected(node.clients, MANY, wires)
    await eventually(lambda: descriptors(node.process.pid) >= Bounds.of(2, MOST).most)
    assert await asyncio.to_thread(node.stop) == 0
