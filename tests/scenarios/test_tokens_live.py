"""Tokens within a live session: told before they end, renewed by the same user only, the end without a renewal."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from seatd_protocol.client import SeatClient
from seatd_protocol.messages import Device, Notice, Refresh, Welcome
from tests.scenarios.client import Client, Closed
from tests.scenarios.company import Company
from tests.scenarios.conftest import Pair

SHORT_S = 3.5


async def test_a_token_that_ends(brisk_company: Company) -> None:
    """One client lets it end, one renews it, one has a library that renews it by itself; all at once."""
    await brisk_company.licensed("CALL_CENTER:competitive:3")
    await asyncio.gather(_lets_it_end(brisk_company), _renews(brisk_company), _has_a_library(brisk_company))


async def _told(company: Company, name: str) -> Client:
    """A client that has been told that its token ends soon."""
    token = company.token(name, ttl_s=SHORT_S)
    client = await company.sign_in(company.nodes[0], name, "CALL_CENTER", token=token)
    assert client.welcome.token_ttl_s < SHORT_S
    notice = await client.until(Notice)
    assert (notice.code, notice.until_ms is not None) == ("token_expiring", True)
    return client


async def _lets_it_end(company: Company) -> None:
    client = await _told(company, "ann")
    assert await client.recv() == Closed(4200, "token_expired")
    back = await company.sign_in(company.nodes[0], "ann", "CALL_CENTER", resume=client.resume)
    assert back.welcome.resumed
    assert back.seats == client.seats


async def _renews(company: Company) -> None:
    client = await _told(company, "bob")
    await client.say(Refresh(token=company.token("bob", ttl_s=3600)))
    told_s = time.monotonic()
    while time.monotonic() < told_s + SHORT_S:
        await asyncio.sleep(0.1)
    beats = client.beats
    while client.beats == beats:
        await asyncio.sleep(0.1)
    assert client.heard_nothing()


async def _has_a_library(company: Company) -> None:
    given: list[float] = [SHORT_S, 3600]

    async def provider() -> str:
        return company.token("cid", ttl_s=given.pop(0))

    told: list[object] = []
    async with SeatClient(
        f"ws://{company.nodes[0].clients}",
        provider,
        Device(kind="desktop", id="d1"),
        ["CALL_CENTER"],
        on_event=told.append,
    ) as client:
        assert isinstance(await client.connect(), Welcome)
        while given:
            await asyncio.sleep(0.05)
        await asyncio.sleep(SHORT_S)
        assert client.usable_until_s is not None
        assert [type(event) for event in told] == [Welcome, Notice]
        await client.bye()


@pytest.mark.parametrize(
    ("name", "claims", "code"),
    [
        ("ann", {}, None),
        ("bob", {}, 4403),
        ("ann", {"customer": "elsewhere"}, 4403),
        ("ann", {"exp": 1_700_000_000}, 4401),
        ("ann", {"aud": "another"}, 4401),
    ],
    ids=["same user", "other user", "other customer", "expired", "other audience"],
)
async def test_whose_token_renews_a_session(
    pair: Pair, company: Company, name: str, claims: dict[str, Any], code: int | None
) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    ann = await company.sign_in(pair.a, "ann", "CALL_CENTER")
    await ann.say(Refresh(token=company.token(name, **claims)))
    if code is None:
        assert await ann.bye() == 1000
    else:
        assert await ann.closed() == code
        assert (await company.sign_in(pair.b, "ann", "CALL_CENTER", resume=ann.resume)).welcome.resumed


async def test_the_products_of_a_renewed_token_count(pair: Pair, company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:1", "CALL_MANAGER:competitive:1")
    token = company.token("ann", products=["CALL_CENTER"])
    denied = await company.sign_in(pair.a, "ann", "CALL_CENTER", "CALL_MANAGER", token=token)
    assert (denied.denied.code, denied.denied.product) == ("not_entitled", "CALL_MANAGER")
    wider = company.token("ann", products=["CALL_CENTER", "CALL_MANAGER"])
    assert len((await company.sign_in(pair.a, "ann", "CALL_CENTER", "CALL_MANAGER", token=wider)).seats) == 2
