"""Seats that were left behind: kept while their client may still believe in them, free afterwards.

Real time has to pass here, so all the ways to leave are lived through at once, on nodes with short times.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from seatd_protocol.messages import Welcome
from tests.scenarios.client import Client, Closed
from tests.scenarios.company import Company
from tests.scenarios.conftest import BRISK
from tests.servers import Server, Servers

ASK_AGAIN_S = 0.25


@pytest.fixture
async def companies(brisk: Server, servers: Servers) -> AsyncIterator[list[Company]]:
    """Customers with one seat each, on two nodes with short times."""
    other = servers.start("other", store=brisk.store, **BRISK)
    owners = [Company(brisk, other) for _ in range(4)]
    for company in owners:
        await company.licensed("CALL_CENTER:competitive:1")
    yield owners
    for company in owners:
        company.leave()


async def test_seats_left_behind_are_free_in_the_end(companies: list[Company], servers: Servers) -> None:
    dropping, silent, crashing, staying = companies
    doomed = servers.start("doomed", store=dropping.nodes[0].store, **BRISK)
    stays = await staying.sign_in(staying.nodes[0], "ann", "CALL_CENTER")
    await asyncio.gather(
        _drops(dropping),
        _falls_silent(silent),
        _loses_its_node(crashing, doomed),
        _is_hung_up(staying.nodes[0].clients, b""),
        _is_hung_up(staying.nodes[0].clients, b"GET /v1/connect HTTP/1.1\r\nHost: x\r\n"),
        _is_hung_up(staying.nodes[0].admin, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"),
    )
    assert await _is_taken(staying)
    assert stays.heard_nothing()
    assert await stays.bye() == 1000


async def _drops(company: Company) -> None:
    ann = await company.sign_in(company.nodes[0], "ann", "CALL_CENTER")
    ann.drop()
    await _kept_then_free(company, ann)


async def _falls_silent(company: Company) -> None:
    ann = await company.sign_in(company.nodes[0], "ann", "CALL_CENTER", alive=False)
    assert await ann.recv() == Closed(4102, "no_alive")
    await _kept_then_free(company, ann)


async def _loses_its_node(company: Company, doomed: Server) -> None:
    ann = await company.sign_in(doomed, "ann", "CALL_CENTER")
    doomed.kill()
    await _kept_then_free(company, ann)


async def _is_hung_up(address: str, said: bytes) -> None:
    """A connection that says no more than this is not kept."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(said)
    await reader.read()
    writer.close()


async def _kept_then_free(company: Company, ann: Client) -> None:
    """Nobody has the seat before the lease of its client is over; then somebody has, and there is no way back."""
    assert await _is_taken(company)
    while await _is_taken(company):
        await asyncio.sleep(ASK_AGAIN_S)
    assert time.monotonic() > ann.believed_until_s
    back = await company.sign_in(company.nodes[0], "ann", "CALL_CENTER", resume=ann.resume)
    assert back.denied.code == "no_seat"


async def _is_taken(company: Company) -> bool:
    """Whether Bob is refused; once he is let in he stays."""
    bob = await company.sign_in(company.nodes[1], "bob", "CALL_CENTER")
    return not isinstance(bob.first, Welcome)
