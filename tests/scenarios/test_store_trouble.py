"""The store dies, forgets, stalls or is replaced: nobody loses a seat, nobody gets a second one, and grants go on soon."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

from seatd_protocol.messages import Denied, Notice, Welcome
from tests.engine import PrivateEngine, private_engine
from tests.scenarios.client import Client, Heard
from tests.scenarios.company import Company
from tests.scenarios.conftest import BRISK
from tests.servers import Server, Servers, eventually
from tests.switch import Switch

WAIT_S = 30.0
T_S, C_S = 2.0, 3.0
"""The node's and the client's lease in BRISK."""


async def eight(company: Company) -> list[Client]:
    """Eight people at work, over both nodes."""
    return [await company.sign_in(company.nodes[n % 2], f"user{n}", "CALL_CENTER") for n in range(8)]


async def let_in(company: Company, name: str = "new") -> float:
    """Seconds until a newcomer gets a seat; what he is told meanwhile must be temporary."""
    began_s = time.monotonic()
    async with asyncio.timeout(WAIT_S):
        while True:
            new = await company.sign_in(company.nodes[0], name, "CALL_CENTER")
            if isinstance(new.first, Welcome):
                return time.monotonic() - began_s
            assert isinstance(new.first, Denied), new.first
            assert new.first.code in ("unavailable", "recovering")
            assert new.first.retry_after_s
            await asyncio.sleep(0.1)


async def disturbances(*people: Client) -> list[Heard]:
    """What they have heard, but for notices that the store is being checked."""
    heard = [await person.recv() for person in people for _ in range(person.unread)]
    return [what for what in heard if not (isinstance(what, Notice) and what.code == "store_recovering")]


Found = Callable[..., Company]


@pytest.fixture
async def found() -> AsyncIterator[Found]:
    """`found(*nodes)` is a company whose connections end with the test."""
    companies: list[Company] = []

    def make(*nodes: Server) -> Company:
        companies.append(Company(*nodes))
        return companies[-1]

    yield make
    for company in companies:
        company.leave()


async def started(servers: Servers, name: str, *, store: str | None = None, **settings: str) -> Server:
    """A node that is ready; this process goes on meanwhile (it may have a part in the node's way to the store)."""
    return await asyncio.to_thread(servers.launch(name, store=store, folder=None, **settings).wait_ready)


@contextmanager
def stopped(process: int) -> Iterator[None]:
    """While inside, a process does nothing."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def client_of(engine: PrivateEngine) -> Redis:
    return Redis(unix_socket_path=str(engine.socket))


async def test_a_killed_engine_costs_nobody_a_seat(servers: Servers, found: Found) -> None:
    a = servers.start("a")
    company = found(a, servers.start("b", store=a.store))
    await company.licensed("CALL_CENTER:competitive:9")
    people = await eight(company)
    os.kill(a.engine_pid(), signal.SIGKILL)
    await let_in(company)
    assert await company.used() == 9
    last = await company.sign_in(company.nodes[1], "last", "CALL_CENTER")
    assert last.denied.code == "no_seat"
    assert await disturbances(*people) == []


async def test_a_store_that_has_forgotten_its_sessions_is_told_again(servers: Servers, found: Found) -> None:
    """As after a restored backup: the licenses are there, the morning's sessions are not."""
    a = servers.start("a")
    company = found(a, servers.start("b", store=a.store))
    await company.licensed("CALL_CENTER:competitive:9")
    people = await eight(company)
    ended, lost, *stayed = people
    await ended.bye()
    lost.drop()
    await asyncio.sleep(0.1)
    _forget_sessions(a, company.name)
    await let_in(company)
    assert await company.used() == 8
    back = await company.sign_in(company.nodes[1], "user1", "CALL_CENTER", resume=lost.resume)
    assert back.welcome.resumed
    assert await disturbances(*stayed) == []


def _forget_sessions(node: Server, customer: str) -> None:
    with Redis(unix_socket_path=node.store.removeprefix("unix://")) as client:
        keys = [key.decode() for key in client.scan_iter(f"*:c:{customer}:*")]
        meta = {key.split(":c:")[0] + ":meta" for key in keys}
        pipe = client.pipeline()
        pipe.delete(*(key for key in keys if key.endswith((":seats", ":sessions", ":by_user"))))
        for key in meta:
            pipe.hset(key, "replid", "another")
        pipe.execute()


async def test_a_failover_to_a_replica_that_was_behind(servers: Servers, found: Found) -> None:
    """What the old primary has granted is told to the new one before it grants anything: never one too many."""
    with private_engine(appendonly="yes") as old, private_engine(appendonly="yes") as new:
        link = Path(old.socket.parent, "link")
        async with Switch(link, old.socket) as switch:
            company = found(
                await started(servers, "a", store=switch.url),
                await started(servers, "b", store=switch.url),
            )
            await company.licensed("CALL_CENTER:competitive:9")
            parked = await company.sign_in(company.nodes[0], "parked", "CALL_CENTER")
            _copy(old, new)
            people = await eight(company)
            parked.drop()
            full = await company.sign_in(company.nodes[1], "last", "CALL_CENTER")
            assert full.denied.code == "no_seat"
            switch.lead_to(new.socket)
            await full_again(company)
            assert await company.used() == 9
            back = await company.sign_in(company.nodes[1], "parked", "CALL_CENTER", resume=parked.resume)
            assert back.welcome.resumed
            assert await disturbances(*people) == []
            # The old primary comes back under a node's connections, and believes that it is in charge.
            switch.lead_to(old.socket)
            refused = await company.sign_in(company.nodes[0], "late", "CALL_CENTER")
            assert refused.denied.code == "unavailable"
            switch.lead_to(new.socket)
            await people.pop().bye()
            await let_in(company)
            assert await disturbances(*people) == []
            for node in company.nodes:
                assert await asyncio.to_thread(node.stop) == 0


async def full_again(company: Company) -> None:
    """Asks until the answer is that all seats are taken; nobody may be let in before."""
    async with asyncio.timeout(WAIT_S):
        while True:
            new = await company.sign_in(company.nodes[0], "new", "CALL_CENTER")
            if new.denied.code == "no_seat":
                return
            await asyncio.sleep(0.1)


def _copy(primary: PrivateEngine, replica: PrivateEngine) -> None:
    """The replica has what the primary has now, and hears no more."""
    with client_of(primary) as source, client_of(replica) as target:
        for key in source.scan_iter("*"):
            target.restore(key, 0, source.dump(key), replace=True)


async def test_a_node_that_was_frozen_says_nothing_before_it_has_asked(
    servers: Servers, found: Found
) -> None:
    """SIGSTOP for longer than its lease: what moved on meanwhile gets no beat from it, what is still its own goes on."""
    a = await started(servers, "a", **BRISK)
    b = await started(servers, "b", store=a.store, **BRISK)
    company = found(a, b)
    await company.licensed("CALL_CENTER:competitive:2")
    moved = await company.sign_in(b, "moved", "CALL_CENTER")
    stayed = await company.sign_in(b, "stayed", "CALL_CENTER")
    with stopped(b.process.pid):
        await asyncio.sleep(T_S + 0.5)
        elsewhere = await company.sign_in(a, "moved", "CALL_CENTER", resume=moved.resume)
        assert elsewhere.welcome.resumed
        beats = moved.beats
    assert await moved.closed() in (4001, 4301)
    assert moved.beats == beats
    await eventually(lambda: stayed.beats > beats + 1)
    assert stayed.heard_nothing()
    assert await company.used() == 2


async def test_strict_nodes_end_their_sessions_with_the_lease_others_with_the_grace(
    servers: Servers, found: Found
) -> None:
    """Nobody's seat is free meanwhile: who was closed finds it again, who was not never lost it."""
    a = await started(servers, "a", **BRISK)
    b = await started(servers, "b", store=a.store, SESSIONS_STRICT="true", **BRISK)
    company = found(a, b)
    await company.licensed("CALL_CENTER:competitive:2")
    kept = await company.sign_in(a, "kept", "CALL_CENTER")
    strict = await company.sign_in(b, "strict", "CALL_CENTER")
    with stopped(a.engine_pid()):
        frozen_s = time.monotonic()
        assert await strict.closed() == 4002
        took_s = time.monotonic() - frozen_s
        assert kept.heard_nothing()
    assert took_s > C_S
    async with asyncio.timeout(WAIT_S):
        while not isinstance(
            (back := await company.sign_in(b, "strict", "CALL_CENTER", resume=strict.resume)).first, Welcome
        ):
            await asyncio.sleep(0.1)
    assert back.welcome.resumed
    assert await disturbances(kept) == []
    assert await company.used() == 2
