"""Whole nodes on a store of several servers, one of which is lost while people work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from seatd.store.cluster_map import slot_of
from seatd.store.keys import partition_key, partition_of
from seatd_protocol.messages import Logout, Notice
from tests.scenarios.company import Company
from tests.scenarios.conftest import BRISK
from tests.servers import Servers, eventually
from tests.topologies import cluster, sentinel_group

PARTITIONS = 8


class Lost(NamedTuple):
    """A store at `url`; `kill` ends the server that has a customer's seats and returns when another one has taken over."""

    url: str
    kill: Callable[[str], None]


@pytest.fixture(params=["sentinels", "cluster"])
def store(request: pytest.FixtureRequest) -> Iterator[Lost]:
    """A primary behind sentinels, or a cluster."""
    with ExitStack() as running:
        if request.param == "sentinels":
            group = running.enter_context(sentinel_group())

            def kill_the_primary(customer: str) -> None:
                old = group.primary()
                old.kill()
                group.until_primary_is_not(old)

            yield Lost(group.url, kill_the_primary)
            return
        servers = running.enter_context(cluster())

        def kill_one_primary(customer: str) -> None:
            servers.owner(slot_of(partition_key("meta", partition_of(customer, PARTITIONS)))).kill()
            servers.until_healed()

        yield Lost(servers.url, kill_one_primary)


async def test_people_go_on_working_when_a_server_is_lost(store: Lost, servers: Servers) -> None:
    settings = BRISK | {"STORE_PARTITIONS": str(PARTITIONS)}
    a, b = (servers.start(name, store=store.url, **settings) for name in ("a", "b"))
    company = Company(a, b)
    await company.licensed("CALL_CENTER:competitive:2")
    ann = await company.sign_in(a, "ann", "CALL_CENTER")
    bob = await company.sign_in(b, "bob", "CALL_CENTER", acks=True)
    assert (await company.sign_in(a, "eve", "CALL_CENTER")).denied.code == "no_seat"

    await asyncio.to_thread(store.kill, company.name)
    await asyncio.to_thread(lambda: [node.wait_ready() for node in (a, b)])
    while (eve := await company.sign_in(a, "eve", "CALL_CENTER")).denied.code == "unavailable":
        pass  # the node has yet to find the new one
    assert eve.denied.code == "recovering"
    assert {row["user"] for row in await company.sessions()} == {company.user("ann"), company.user("bob")}

    body = {"users": [company.user("bob")], "cooldown_s": 0}
    (receipt,) = (await a.call("POST", "/api/v1/logout", body))["sessions"]
    assert receipt["acknowledged"]
    await bob.until(Logout)
    assert (await ann.until(Notice)).code == "store_recovering"
    assert ann.heard_nothing()
    beats = ann.beats
    await eventually(lambda: ann.beats > beats)
    assert await ann.bye() == 1000
    company.leave()
