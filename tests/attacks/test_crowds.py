"""Many connections: of one address, without a hello, of one user, of one customer."""

from __future__ import annotations

import asyncio
import os
from socket import AF_INET, SOCK_DGRAM
from socket import socket as a_socket

import pytest

from seatd_protocol.codec import CODECS
from tests.attacks.attack import attack
from tests.attacks.attacker import Attacker
from tests.attacks.operators import Operator, counted
from tests.attacks.wire import hung_up, opened
from tests.scenarios.company import Company
from tests.scenarios.websocket import BINARY, Refusal, WebSocket, upgrade
from tests.servers import Server, Servers, eventually
from tests.web.edge import closed

MSGPACK = ("seatd.v1.msgpack",)
CROWDED = {"CLIENTS_PER_ADDRESS": "20", "CLIENTS_SILENT_PER_ADDRESS": "10", "CLIENTS_PROXIES": "127.0.0.1"}
CROWDED |= {"CLIENTS_CONNECTS_PER_S": "100000"}
"""Small limits, and a proxy on this machine: so that a test can come from any address."""


async def come(node: Server, address: str) -> WebSocket | Refusal:
    """A connection from an address, as the proxy tells it."""
    return await upgrade(node.clients, MSGPACK, headers=[f"X-Forwarded-For: 203.0.113.9, {address}"])


async def seated(company: Company, node: Server, name: str, address: str) -> WebSocket:
    """A signed-in client from an address."""
    socket = await come(node, address)
    assert isinstance(socket, WebSocket), socket
    frame = CODECS[MSGPACK[0]].encode(company.hello(name, "CALL_CENTER", device=f"{name}-{address}"))
    assert isinstance(frame, bytes)
    await socket.send(BINARY, frame)
    answer = await socket.receive()
    assert answer is not None
    assert b"welcome" in answer.payload
    return socket


@attack(
    "S11",
    "an upgrade, and then no `hello`",
    "closed with 4202 `hello_timeout` after 5 s (`clients.hello_timeout`), however many bytes come meanwhile",
)
async def test_s11_no_hello(attacker: Attacker) -> None:
    assert await closed(await attacker.upgraded()) == (4202, "hello_timeout")


@attack(
    "S11",
    "many such sockets from one address, to leave no room for others",
    "no more than `clients.silent_per_address` (300): 429 with `Retry-After`, "
    '`seatd_shed_total{reason="silent"}`; other addresses notice nothing',
)
async def test_s11_many_without_hello(servers: Servers) -> None:
    node = servers.start("a", **CROWDED)
    company = Company(node)
    await company.licensed("CALL_CENTER:competitive:5")
    silent = [await come(node, "198.51.100.1") for _ in range(10)]
    assert all(isinstance(socket, WebSocket) for socket in silent)
    refusal = await come(node, "198.51.100.1")
    assert isinstance(refusal, Refusal)
    assert (refusal.status, int(refusal.headers["retry-after"]) > 0) == (429, True)
    assert await counted(node, 'seatd_shed_total{reason="silent"}') == 1
    other = await seated(company, node, "ann", "198.51.100.2")
    other.abort()
    for socket in silent:
        assert isinstance(socket, WebSocket)
        socket.abort()

    async def is_let_in() -> bool:
        socket = await come(node, "198.51.100.1")
        if isinstance(socket, WebSocket):
            socket.abort()
        return isinstance(socket, WebSocket)

    await eventually(is_let_in)


@attack(
    "S12",
    "more connections than one address (one /64 of IPv6) may have",
    "429 with `Retry-After` beyond `clients.per_address` (5,000), "
    '`seatd_shed_total{reason="address"}`; the room is free again when they end',
    left="not counted: this machine itself, and a proxy that `clients.proxies` does not name is one address for all behind it",
)
@pytest.mark.parametrize(
    ("theirs", "same", "another"),
    [
        ("198.51.100.1", "198.51.100.1", "198.51.100.2"),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"),
    ],
    ids=["IPv4", "IPv6"],
)
async def test_s12_many_of_one_address(servers: Servers, theirs: str, same: str, another: str) -> None:
    node = servers.start("a", **CROWDED)
    company = Company(node)
    await company.licensed("CALL_CENTER:competitive:50")
    sockets = [await seated(company, node, f"u{number}", theirs) for number in range(20)]
    refusal = await come(node, same)
    assert isinstance(refusal, Refusal)
    assert refusal.status == 429
    assert await counted(node, 'seatd_shed_total{reason="address"}') == 1
    (await seated(company, node, "elsewhere", another)).abort()
    for socket in sockets:
        socket.abort()

    async def is_let_in() -> bool:
        socket = await come(node, same)
        if isinstance(socket, WebSocket):
            socket.abort()
        return isinstance(socket, WebSocket)

    await eventually(is_let_in)


def own_address() -> str:
    """An address of this machine that is not the loopback; "" when there is none."""
    with a_socket(AF_INET, SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return ""
        address = str(probe.getsockname()[0])
    return "" if address.startswith("127.") else address


@attack("S12", "the same with connections that never become an upgrade", "429 before they have said anything")
async def test_s12_many_silent_connections(servers: Servers) -> None:
    if not (address := own_address()):
        pytest.skip("needs an address of this machine that is not the loopback, and it has none")
    node = servers.start("a", **CROWDED, CLIENTS_LISTEN="0.0.0.0:0")
    place = f"{address}:{node.clients.rpartition(':')[2]}"
    silent = [await opened(place) for _ in range(20)]
    reader, writer = await opened(place)
    assert (await hung_up(reader)).startswith(b"HTTP/1.1 429")
    writer.close()
    assert await counted(node, 'seatd_shed_total{reason="address"}') == 1
    for _, one in silent:
        one.transport.abort()


@attack(
    "S12",
    "connections that come and go by the thousand, to make a counter drift until nobody is let in",
    "counted when they begin and when they end, however they end: after 1,000 cycles (10,000 in `SEATD_ATTACK_CYCLES=10000`) "
    "as many fit as before",
)
async def test_s12_counters_do_not_drift(servers: Servers) -> None:
    node = servers.start("a", **CROWDED)
    cycles = int(os.environ.get("SEATD_ATTACK_CYCLES", "1000"))

    async def cycle(number: int) -> None:
        for _ in range(cycles // 5):
            socket = await come(node, "198.51.100.1")
            if isinstance(socket, WebSocket):
                socket.abort() if number % 2 else await socket.close()

    await asyncio.gather(*(cycle(number) for number in range(5)))

    async def all_fit() -> bool:
        sockets = [await come(node, "198.51.100.1") for _ in range(10)]
        for socket in sockets:
            if isinstance(socket, WebSocket):
                socket.abort()
        return all(isinstance(socket, WebSocket) for socket in sockets)

    await eventually(all_fit)


@attack(
    "S43",
    "one user opens sessions by the hundred to fill the pool",
    "a user is one holder: however many devices, one seat; no more than `sessions.per_user` (20) sessions, then the answer is "
    "`denied` `too_many_sessions`",
)
async def test_s43_one_user_with_many_sessions(server: Server, company: Company, operator: Operator) -> None:
    clients = [
        await company.sign_in(server, "ann", "CALL_CENTER", device=f"d{number}") for number in range(25)
    ]
    denied = {client.denied.code for client in clients[20:]}
    assert len(denied) == 1
    assert await company.used() == 1
    other = await company.sign_in(server, "bob", "CALL_CENTER")
    assert other.seats


@attack(
    "S12",
    "one address that connects, is closed, and connects again, as fast as it can",
    "429 beyond `clients.connects_per_s` (50) in the long run, after as many at once as it may have; others come in meanwhile",
)
async def test_s12_connecting_again_and_again(servers: Servers) -> None:
    node = servers.start("a", **CROWDED | {"CLIENTS_CONNECTS_PER_S": "1"})
    answers = []
    for _ in range(40):
        answer = await come(node, "198.51.100.1")
        answers.append(isinstance(answer, WebSocket))
        if isinstance(answer, WebSocket):
            answer.abort()
    assert answers[:10] == [True] * 10
    assert answers.count(False) > 0
    other = await come(node, "198.51.100.2")
    assert isinstance(other, WebSocket)
    other.abort()
