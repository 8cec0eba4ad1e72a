"""A client that is the last one to know of its seat: the store has lost it, and its node is gone."""

from __future__ import annotations

import asyncio
from pathlib import Path

from seatd.store.keys import deployment_key
from seatd_protocol.messages import Resume, Welcome
from tests.engine import private_engine
from tests.scenarios.client import Client
from tests.scenarios.company import Company
from tests.scenarios.test_store_trouble import Found, _copy, client_of, found, started  # noqa: F401 # a fixture
from tests.servers import Servers, eventually
from tests.switch import Switch


def shown(client: Client) -> Resume:
    welcome = client.welcome
    return Resume(session=welcome.session, secret=welcome.secret, ticket=welcome.ticket)


async def resumed(company: Company, client: Client, name: str) -> Welcome:
    """Resumes at the node that is left, as soon as that has found the new store."""
    async with asyncio.timeout(20):
        while True:
            again = await company.sign_in(company.nodes[0], name, "CALL_CENTER", resume=shown(client))
            if isinstance(again.first, Welcome):
                return again.first
            await asyncio.sleep(0.1)


async def test_its_ticket_has_it_back_after_a_failover_that_lost_it(
    servers: Servers,
    found: Found,  # noqa: F811
) -> None:
    """A node grants what the replica never hears of, and dies together with the primary."""
    with private_engine(appendonly="yes") as old, private_engine(appendonly="yes") as new:
        async with Switch(Path(old.socket.parent, "link"), old.socket) as switch:
            a = await started(servers, "a", store=switch.url)
            b = await started(servers, "b", store=switch.url)
            company = found(a, b)
            await company.licensed("CALL_CENTER:competitive:2")
            ann = await company.sign_in(a, "ann", "CALL_CENTER")
            _copy(old, new)
            bob = await company.sign_in(b, "bob", "CALL_CENTER")
            b.kill()
            switch.lead_to(new.socket)
            back = await resumed(company, bob, "bob")
            assert (back.resumed, back.session) == (True, bob.welcome.session)
            assert await company.used() == 2
            late = await company.sign_in(a, "late", "CALL_CENTER")
            assert late.denied.code == "recovering"
            assert ann.heard_nothing() or ann.unread == 1  # that the store is being checked


async def test_an_empty_store_has_everything_again(servers: Servers, found: Found) -> None:  # noqa: F811
    """Licenses, sessions and the operator's token, from the nodes; the seat of a node that died too, from its client."""
    with private_engine(appendonly="yes") as engine:
        a = await started(servers, "a", store=engine.url)
        b = await started(servers, "b", store=engine.url)
        company = found(a, b)
        await company.licensed("CALL_CENTER:competitive:2")
        await company.sign_in(a, "ann", "CALL_CENTER")
        bob = await company.sign_in(b, "bob", "CALL_CENTER")
        was = await company.rows()
        await asyncio.sleep(0.5)  # the node asks for the licenses of who is there in the background
        b.kill()
        with client_of(engine) as client:
            client.flushall()
            back = await resumed(company, bob, "bob")
            assert back.resumed
            await eventually(lambda: client.hlen(deployment_key("api_tokens")) == 1)
        await eventually(lambda: "licenses put back" in a.said)
        await eventually(lambda: company.used())
        assert await company.rows() == was
        assert {row["user"] for row in await company.sessions()} == {company.user("ann"), company.user("bob")}
