"""Webhooks of real servers: what happens is delivered, also when the node that was about to do it is killed."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Iterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.engine import PrivateEngine, private_engine
from tests.scenarios.company import Company
from tests.scenarios.conftest import BRISK
from tests.servers import Servers, eventually
from tests.web.receiver import Receiver

Receivers = Callable[[web.Application], Awaitable[TestServer]]

SETTINGS = {**BRISK, "WEBHOOKS_ALLOW_PRIVATE": "true", "WEBHOOKS_TIMEOUT": "2s"}


@pytest.fixture
def shared_engine() -> Iterator[PrivateEngine]:
    """A store that no node runs, so it outlives them all."""
    with private_engine() as running:
        yield running


async def hooked(company: Company, url: str, *types: str) -> str:
    """Makes a webhook; its path."""
    path = f"/api/v1/customers/{company.name}/webhooks"
    made = await company.nodes[0].call("POST", path, {"url": url, "types": list(types)})
    return f"{path}/{made['id']}"


async def test_a_node_that_is_killed_over_a_delivery(
    servers: Servers, shared_engine: PrivateEngine, aiohttp_server: Receivers
) -> None:
    receiver = Receiver(0, 204)
    url = str((await aiohttp_server(receiver.app())).make_url("/"))
    a, b = (servers.start(name, store=shared_engine.url, **SETTINGS) for name in "ab")
    company = Company(a, b)
    await company.licensed("CALL_CENTER:competitive:1")
    await hooked(company, url, "limit_reached")
    b.process.send_signal(signal.SIGSTOP)  # so it is the other one that claims
    await company.sign_in(a, "ann", "CALL_CENTER")
    await eventually(lambda: receiver.got)
    b.process.send_signal(signal.SIGCONT)
    a.kill()
    await eventually(lambda: len(receiver.got) == 2)
    assert receiver.ids[0] == receiver.ids[1]
    assert receiver.got[0] == receiver.got[1]
    assert receiver.got[0]["type"] == "limit_reached"
    company.leave()


async def test_many_refusals_are_told_as_one(servers: Servers, aiohttp_server: Receivers) -> None:
    receiver = Receiver(204)
    url = str((await aiohttp_server(receiver.app())).make_url("/"))
    node = servers.start(**SETTINGS)
    company = Company(node)
    await company.licensed("CALL_CENTER:competitive:1")
    await hooked(company, url, "denial", "forced_logout")
    await company.sign_in(node, "ann", "CALL_CENTER")
    for number in range(12):
        await company.sign_in(node, f"u{number}", "CALL_CENTER")
    await eventually(lambda: receiver.got)
    (body,) = receiver.got
    assert (body["type"], body["code"], body["times"], body["user"]) == ("denial", "no_seat", 12, None)
    await node.call("POST", "/api/v1/logout", {"users": [company.user("ann")], "cooldown_s": 0})
    await eventually(lambda: len(receiver.got) == 2)
    assert (receiver.got[1]["type"], receiver.got[1]["user"]) == ("forced_logout", company.user("ann"))
    company.leave()
