"""The JavaScript client where networks, nodes and tokens end: it keeps its session, or says that it cannot."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from tests.faults.proxy import Proxy
from tests.protocol.js.people import CODECS, PRODUCT, made, signed_in
from tests.protocol.js.runtimes import JsClient, Runtime
from tests.scenarios.company import Company
from tests.scenarios.conftest import BRISK, GENEROUS
from tests.servers import Servers, eventually

ANYWHERE = {**BRISK, **GENEROUS, "CLIENTS_ALLOWED_ORIGINS": "*"}


def ends(client: JsClient) -> list[tuple[int, str]]:
    return [(event["code"], event["action"]) for event in client.events if event["type"] == "closed"]


async def welcomed_again(client: JsClient, session: str) -> dict[str, Any]:
    """The `welcome` with which it has its session back."""
    return await client.heard("welcome", resumed=True, session=session)


@pytest.mark.parametrize("subprotocol", CODECS)
async def test_a_cut_costs_no_seat(runtime: Runtime, company: Company, subprotocol: str) -> None:
    await company.licensed(f"{PRODUCT}:competitive:1")
    async with Proxy(company.nodes[0].clients) as proxy:
        line = f"ws://{proxy.address}"
        ann, welcome = await signed_in(runtime, company, "ann", urls=line, subprotocol=subprotocol)
        proxy.cut(refuse=True)
        cut = await ann.heard("closed")
        assert (cut["code"], cut["action"]) == (1006, "reconnect")
        assert 0.5 <= cut["retryInS"] <= 1
        knows = await ann.look()
        assert (knows["state"], knows["usable"]) == ("closed", True)  # its lease goes on
        asking = await ann.call("acquire", ["CALL_MANAGER"])
        assert asking.error == "Disconnected"

        proxy.restore()
        again = await welcomed_again(ann, welcome["session"])
        assert again["seats"] == welcome["seats"]
        assert await company.used() == 1
        await ann.call("bye")


async def test_silence_is_noticed(runtime: Runtime, company: Company) -> None:
    """Nothing passes any more and nobody is told: after one and a half beats it looks for another way."""
    await company.licensed(f"{PRODUCT}:competitive:1")
    async with Proxy(company.nodes[0].clients) as proxy:
        nodes = [f"ws://{proxy.address}", f"ws://{company.nodes[1].clients}"]
        ann, welcome = await signed_in(runtime, company, "ann", urls=nodes)
        await eventually(lambda: any(belief["what"] == "beat" for belief in ann.beliefs))
        proxy.freeze()
        again = await welcomed_again(ann, welcome["session"])
        assert again["node"] == company.nodes[1].name
        assert (await ann.heard("closed"))["reason"] == "nothing heard for 1.5 s"
        await ann.call("bye")


async def test_the_lease_ends_by_itself_and_comes_back(runtime: Runtime, company: Company) -> None:
    await company.licensed(f"{PRODUCT}:competitive:1")
    async with Proxy(company.nodes[0].clients) as proxy:
        ann, welcome = await signed_in(runtime, company, "ann", urls=f"ws://{proxy.address}")
        proxy.cut(refuse=True)
        await ann.heard("lapsed")
        knows = await ann.look()
        assert (knows["usable"], knows["leaseLeftS"]) == (False, 0)
        assert knows["seats"] == welcome["seats"]  # the server keeps them a while longer
        proxy.restore()
        await welcomed_again(ann, welcome["session"])
        assert (await ann.look())["usable"]
        await ann.call("bye")


async def test_waits_stay_within_their_bounds(runtime: Runtime, company: Company) -> None:
    """A session that is kept for 8 s is tried for every 2 s at the most; later, without one, more seldom."""
    await company.licensed(f"{PRODUCT}:competitive:1")
    async with Proxy(company.nodes[0].clients) as proxy:
        ann, _ = await signed_in(runtime, company, "ann", urls=f"ws://{proxy.address}")
        proxy.cut(refuse=True)
        await eventually(lambda: len(ends(ann)) >= 5)
        waits_s = [event["retryInS"] for event in ann.events if event["type"] == "closed"][:5]
        for wait_s, ceiling_s in zip(waits_s, (1, 2, 2, 2, 2), strict=True):
            assert 0.5 <= wait_s <= ceiling_s
        await ann.call("close")
        assert (await ann.heard("closed", retryInS=None))["code"] == 1000


async def test_a_place_in_the_queue_outlives_a_cut(runtime: Runtime, company: Company) -> None:
    await company.licensed(f"{PRODUCT}:competitive:1")
    ann, _ = await signed_in(runtime, company, "ann")
    async with Proxy(company.nodes[0].clients) as proxy:
        bob = await made(runtime, company, "bob", urls=f"ws://{proxy.address}", waitS=60)
        bob_waits = asyncio.create_task(bob.call("connect"))
        await bob.heard("queued", position=1)
        eve = await made(runtime, company, "eve", waitS=60)
        eve_waits = asyncio.create_task(eve.call("connect"))
        await eve.heard("queued", position=2)
        told = len(bob.events)
        proxy.cut()
        await bob.heard("queued", after=told, position=1)
        await ann.call("bye")
        assert (await bob_waits)["type"] == "welcome"
        await bob.call("bye")
        assert (await eve_waits)["type"] == "welcome"
        await eve.call("bye")


async def test_a_node_that_drains(runtime: Runtime, servers: Servers) -> None:
    a = servers.start("a", **ANYWHERE)
    b = servers.start("b", store=a.store, **ANYWHERE)
    company = Company(b, a)
    await company.licensed(f"{PRODUCT}:competitive:1")
    ann, welcome = await signed_in(runtime, company, "ann")
    assert welcome["node"] == "b"
    stopping = asyncio.create_task(asyncio.to_thread(b.stop))
    moving = await ann.heard("moving")
    assert moving["after_ms"] >= 0
    again = await welcomed_again(ann, welcome["session"])
    assert (again["node"], again["seats"]) == ("a", welcome["seats"])
    assert ends(ann) == [(4000, "resume")]
    assert await stopping == 0
    await ann.call("bye")


async def test_a_node_that_is_killed(runtime: Runtime, servers: Servers) -> None:
    a = servers.start("a", **ANYWHERE)
    b = servers.start("b", store=a.store, **ANYWHERE)
    company = Company(b, a)
    await company.licensed(f"{PRODUCT}:competitive:1")
    ann, welcome = await signed_in(runtime, company, "ann")
    b.kill()
    again = await welcomed_again(ann, welcome["session"])
    assert (again["node"], again["seats"]) == ("a", welcome["seats"])
    await ann.call("bye")


async def test_a_new_token_before_the_old_one_ends(runtime: Runtime) -> None:
    """`token_expiring` comes a minute before: the client shows a new one, and nothing is interrupted. (Nor by one and a half
    beats of silence, which a busy machine may have when beats are short.)"""
    with Servers() as servers:
        times = {"SESSIONS_BEAT": "3s", "SESSIONS_LEASE": "9s", "SESSIONS_LINGER": "14s"}
        company = Company(servers.start("patient", **{**ANYWHERE, **times}))
        await company.licensed(f"{PRODUCT}:competitive:1")
        tokens = [company.token("ann", ttl_s=5), company.token("ann", ttl_s=3600)]
        ann, _ = await signed_in(runtime, company, "ann", tokens=tokens)
        await ann.heard("notice", code="token_expiring")
        beats = len(ann.beliefs)
        await eventually(lambda: len(ann.beliefs) > beats + 2)  # the first token has ended between them
        assert ends(ann) == []
        await ann.call("bye")


async def test_a_token_that_has_ended(runtime: Runtime, company: Company) -> None:
    """Who has only that one is told; who can get another comes back with it."""
    await company.licensed(f"{PRODUCT}:competitive:2")
    ann, _ = await signed_in(runtime, company, "ann", token=company.token("ann", ttl_s=2))
    ended = await ann.heard("closed")
    assert (ended["code"], ended["action"], ended["retryInS"]) == (4200, "new_token", None)
    assert not (await ann.look())["usable"]


async def test_a_token_that_ends_while_there_is_no_other(runtime: Runtime, company: Company) -> None:
    """It asks again when the server closes, and has its session back."""
    await company.licensed(f"{PRODUCT}:competitive:1")
    tokens = [company.token("ann", ttl_s=2), None, company.token("ann")]
    ann, welcome = await signed_in(runtime, company, "ann", tokens=tokens)
    again = await welcomed_again(ann, welcome["session"])
    assert again["seats"] == welcome["seats"]
    first, *others = ends(ann)
    assert first == (4200, "new_token")
    # Where signing in took all of the first one's time, that there is no other is told now only.
    assert others in ([], [(1006, "reconnect")])
    await ann.call("bye")


async def refusing(status: int, **headers: str) -> tuple[web.AppRunner, str]:
    """A server that refuses every upgrade."""

    async def refuse(_request: web.Request) -> web.Response:
        return web.Response(status=status, headers=headers)

    app = web.Application()
    app.router.add_get("/v1/connect", refuse)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"ws://127.0.0.1:{runner.addresses[0][1]}"


@pytest.mark.parametrize(
    ("status", "headers", "action", "least_s"),
    [
        (503, {"Retry-After": "7"}, "reconnect", 7),
        (429, {}, "reconnect", 0.5),
        (403, {}, "never", None),
        (400, {}, "never", None),
    ],
)
async def test_refused_before_the_upgrade(
    node: Runtime, company: Company, status: int, headers: dict[str, str], action: str, least_s: float | None
) -> None:
    """Node's socket is told why, and for how long to stay away."""
    runner, url = await refusing(status, **headers)
    ann = await made(node, company, "ann", urls=url)
    waits = asyncio.create_task(ann.call("connect"))
    refused = await ann.heard("closed")
    assert (refused["code"], refused["action"]) == (status, action)
    assert refused["retryInS"] is None if least_s is None else refused["retryInS"] >= least_s
    await ann.call("close")
    assert (await waits).error == "Stopped"
    await runner.cleanup()


async def test_a_browser_is_not_told_why_and_tries_again(page: Runtime, company: Company) -> None:
    runner, url = await refusing(403)
    ann = await made(page, company, "ann", urls=url)
    waits = asyncio.create_task(ann.call("connect"))
    refused = await ann.heard("closed")
    assert (refused["code"], refused["action"]) == (1006, "reconnect")
    await ann.call("close")
    assert (await waits).error == "Stopped"
    await runner.cleanup()
