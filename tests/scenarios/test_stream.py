"""The live stream of real servers: it goes on at another node without a loss, and holds no node's end up."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from tests.engine import PrivateEngine, private_engine
from tests.scenarios.company import Company
from tests.scenarios.conftest import BRISK
from tests.servers import Server, Servers


@pytest.fixture
def shared_engine() -> Iterator[PrivateEngine]:
    """A store that no node runs, so it outlives them all."""
    with private_engine() as running:
        yield running


@asynccontextmanager
async def stream(node: Server, company: Company, last: str = "") -> AsyncIterator[aiohttp.ClientResponse]:
    headers = {"Authorization": f"Bearer {node.token}"} | ({"Last-Event-ID": last} if last else {})
    url = f"http://{node.admin}/api/v1/stream?customer={company.name}"
    async with (
        aiohttp.ClientSession(headers=headers, read_bufsize=2**20) as http,
        http.get(url, timeout=aiohttp.ClientTimeout(total=60)) as response,
    ):
        assert response.status == 200
        yield response


async def said(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, str, str]]:
    """Id, type and user (or "") of each event."""
    fields: dict[str, str] = {}
    async for raw in response.content:
        name, _, value = raw.decode().rstrip("\n").partition(": ")
        if name:
            fields[name] = value
        elif "event" in fields:
            yield fields.get("id", ""), fields["event"], json.loads(fields["data"]).get("user") or ""
            fields = {}


async def until(response: aiohttp.ClientResponse, kind: str, user: str = "") -> list[tuple[str, str, str]]:
    found = []
    async for one in said(response):
        found.append(one)
        if one[1:] == (kind, user):
            break
    assert found[-1][1:] == (kind, user), found
    return found


async def test_it_goes_on_at_another_node_and_ends_with_that(
    servers: Servers, shared_engine: PrivateEngine
) -> None:
    a, b = [servers.start(name, store=shared_engine.url, **BRISK) for name in "ab"]
    company = Company(b)
    await company.licensed("CALL_CENTER:competitive:5")
    async with stream(a, company) as response:
        await until(response, "usage")
        await company.sign_in(b, "ann", "CALL_CENTER")
        last = (await until(response, "granted", company.user("ann")))[-1][0]
        a.kill()
    for name in ("bob", "cid"):
        await company.sign_in(b, name, "CALL_CENTER")
    async with stream(b, company, last) as response:
        found = await until(response, "granted", company.user("cid"))
        granted = [user for _, kind, user in found if kind == "granted"]
        assert granted == [company.user("bob"), company.user("cid")]
        assert b.stop() == 0
        assert [kind async for _, kind, _ in said(response)][-1] == "end"
    company.leave()
