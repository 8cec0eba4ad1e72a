"""The live stream over real sockets: what happens arrives, nothing is lost over a cut, nobody sees what is not his."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest
from aiohttp import ClientConnectionError, ClientConnectionResetError, ClientResponse, web
from structlog.testing import capture_logs

from seatd.store.access_values import Grant, TokenRecord
from seatd.store.events import seq_key
from seatd.web.api import narration
from seatd.web.auth import token_hash
from seatd.web.live import LIVE, PER_CALLER
from tests.servers import eventually
from tests.web.conftest import TOKEN, Site
from tests.web.people import administrator, signed_in

PATH = "/api/v1/stream"
OTHER = "another-token-of-these-tests-0123456789abc"


class Told(NamedTuple):
    """One event of a stream."""

    type: str
    data: Any
    id: str = ""


@asynccontextmanager
async def opened(
    site: Site, query: str = "", *, last: str = "", token: str = TOKEN
) -> AsyncIterator[ClientResponse]:
    headers = {"Authorization": f"Bearer {token}"} | ({"Last-Event-ID": last} if last else {})
    async with site.admin.get(f"{PATH}?customer=acme{query}", headers=headers) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream"), await response.text()
        yield response


async def told(response: ClientResponse) -> AsyncIterator[Told]:
    """What a stream says, to its end."""
    fields: dict[str, str] = {}
    async for raw in response.content:
        line = raw.decode().rstrip("\n")
        name, _, value = line.partition(": ")
        if line:
            fields[name] = value
        elif "event" in fields:
            yield Told(fields["event"], json.loads(fields["data"]), fields.get("id", ""))
            fields = {}


async def first(response: ClientResponse, *types: str) -> list[Told]:
    """What it says until each of these types has come once, in this order."""
    found, left = [], list(types)
    async for one in told(response):
        found.append(one)
        if one.type == left[0]:
            left.pop(0)
        if not left:
            break
    assert not left, found
    return found


async def all_of(site: Site, query: str = "", **more: str) -> list[Told]:
    async with opened(site, query + "&seconds=0", **more) as response:
        return [one async for one in told(response)]


async def denied(site: Site, *users: str, customer: str = "acme") -> None:
    rows = [
        {"code": "overloaded", "product": None, "domain": user.partition("@")[2], "user": user, "times": 1}
        for user in users
    ]
    await site.services.store.note_denials(customer, rows)


async def seqs(site: Site) -> list[str]:
    found = [event.seq for event in await site.services.store.events("acme")]
    return found[::-1]


async def caller(site: Site, grant: Grant, **more: Any) -> str:
    record = TokenRecord(id="other", name="other", grant=grant, created_ms=0, **more)
    await site.services.store.register_token(token_hash(OTHER), record)
    return OTHER


@pytest.fixture
async def acme(site: Site) -> Site:
    """A customer with a license; its stream is read often."""
    await site.imported({"limit": 2}, domains=["acme.example", "other.example"])
    site.admin.app[LIVE]._poll_s = 0.02
    return site


async def test_what_happens_arrives(acme: Site) -> None:
    async with opened(acme) as response:
        (usage,) = await first(response, "usage")
        assert (usage.data["sessions"], usage.data["licenses"][0]["used"]) == (0, 0)
        _, welcome = await acme.signed_in("ann@acme.example", "CALL_CENTER")
        found = await first(response, "granted", "usage")
    (granted,) = [one for one in found if one.type == "granted"]
    assert (granted.data["user"], granted.data["session"]) == ("ann@acme.example", welcome["session"])
    assert granted.id == granted.data["seq"]
    usage = found[-1]
    assert usage.data["licenses"] == [
        {"id": "acme-1", "product": "CALL_CENTER", "limit": 2, "used": 1, "online": 1}
    ]
    assert (usage.data["products"][0]["used"], usage.data["sessions"], usage.data["waiting"]) == (1, 1, 0)


async def test_a_limit_that_changes_without_an_event_is_seen(acme: Site) -> None:
    async with opened(acme, "&types=usage") as response:
        await first(response, "usage")
        await acme.imported({"limit": 7}, jti="key-2", iat=1_750_000_000)
        (usage,) = await first(response, "usage")
        assert usage.data["licenses"][0]["limit"] == 7


async def test_a_cut_loses_nothing(acme: Site) -> None:
    await denied(acme, "u0@acme.example")
    async with opened(acme, "&after=0-0") as response:
        last = (await first(response, "denied"))[-1].id
    await denied(acme, *(f"u{number}@acme.example" for number in range(1, 700)))
    found = await all_of(acme, last=last, query="&types=denied")
    assert [one.data["user"] for one in found[:-1]] == [f"u{number}@acme.example" for number in range(1, 700)]
    assert found[-1].type == "end"


async def test_many_cuts_while_much_happens_lose_nothing_and_double_nothing(acme: Site) -> None:
    async def busy() -> None:
        for number in range(300):
            await denied(acme, f"u{number}@acme.example")
            await asyncio.sleep(0.003)

    work = asyncio.create_task(busy())
    seen: list[str] = []
    while len(seen) < 300:
        async with opened(
            acme, "&types=denied" + ("" if seen else "&after=0-0"), last=seen[-1] if seen else ""
        ) as one:
            async for event in told(one):
                seen.append(event.id)
                if len(seen) % 40 == 0 or len(seen) == 300:
                    break
    await work
    denials = [event.seq for event in await acme.services.store.events("acme") if event.type == "denied"]
    assert seen == denials[::-1]
    assert seen == sorted(seen, key=seq_key)


async def test_nothing_of_another_customer(acme: Site) -> None:
    await acme.imported({}, customer="beta", jti="beta")
    async with opened(acme) as response:
        await first(response, "usage")
        await denied(acme, "eve@beta.example", customer="beta")
        await denied(acme, "ann@acme.example")
        found = await first(response, "denied")
    assert [one.data["user"] for one in found] == ["ann@acme.example"]
    token = await caller(acme, Grant(role="admin", customers=("beta",)))
    headers = {"Authorization": f"Bearer {token}"}
    status, refused = await acme.call("GET", f"{PATH}?customer=acme", headers=headers)
    assert (status, refused["code"]) == (404, "unknown_customer")


async def test_only_own_domains(acme: Site) -> None:
    token = await caller(acme, Grant(role="supervisor", customers=("acme",), domains=("other.example",)))
    await denied(acme, "ann@acme.example", "eve@other.example", "bob@acme.example")
    found = await all_of(acme, "&after=0-0", token=token)
    assert [one.data.get("user") for one in found if one.type not in ("usage", "end")] == [
        "eve@other.example"
    ]
    (usage,) = [one for one in found if one.type == "usage"]
    assert (usage.data["sessions"], usage.data["waiting"]) == (None, None)
    async with opened(acme, token=token) as response:
        await first(response, "usage")
        await denied(acme, "ann@acme.example")
        await denied(acme, "eve@other.example")
        (live,) = await first(response, "denied")
        assert live.data["user"] == "eve@other.example"


async def test_no_use_for_whom_the_licenses_are_not_there(acme: Site) -> None:
    agency = Grant(role="agency", agency="wholesale")
    await acme.imported({}, customer="gamma", jti="gamma", profile={"agency": "wholesale"})

    async def permit(*permissions: str) -> None:
        path = "/api/v1/customers/gamma/permissions"
        assert (await acme.call("PUT", path, json={"permissions": list(permissions)}))[0] == 200

    headers = {"Authorization": f"Bearer {await caller(acme, agency)}"}
    for permissions, shown in ((("people",), False), (("people", "see"), True)):
        await permit(*permissions)
        async with acme.admin.get(f"{PATH}?customer=gamma&seconds=0", headers=headers) as response:
            assert response.status == 200
            assert ("event: usage" in await response.text()) is shown


async def test_what_has_been_forgotten_is_a_gap(acme: Site) -> None:
    await denied(acme, "ann@acme.example")
    assert [one.type for one in await all_of(acme, "&types=denied", last="1-1")] == ["gap", "denied", "end"]
    last = (await seqs(acme))[0]
    assert [one.type for one in await all_of(acme, "&types=denied", last=last)] == ["denied", "end"]


@pytest.mark.parametrize("query", ["&types=nonsense", "&after=x", "&seconds=-1", "&seconds=x", "&other=1"])
async def test_what_makes_no_sense(acme: Site, query: str) -> None:
    status, refused = await acme.call("GET", f"{PATH}?customer=acme{query}")
    assert (status, refused["code"]) == (422, "invalid")


async def test_a_last_event_id_that_is_none(acme: Site) -> None:
    headers = {"Last-Event-ID": "acme"}
    assert (await acme.call("GET", f"{PATH}?customer=acme", headers=headers))[0] == 422


async def test_a_reader_that_is_too_slow_is_told_so_and_closed(acme: Site) -> None:
    live = acme.admin.app[LIVE]
    live._room = 10
    host, port = acme.admin.host, acme.admin.port
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(raw, (host, port))
        request = f"GET {PATH}?customer=acme HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
        await loop.sock_sendall(raw, request.encode())
        await eventually(lambda: any(watch.usage for watch in live._watches.values()))
        await denied(acme, *(f"u{number}@acme.example" for number in range(50)))
        await eventually(lambda: not live._watches)
        text = b""
        while b"lagging" not in text:
            piece = await loop.sock_recv(raw, 65536)
            assert piece, text
            text += piece


async def test_a_reader_that_leaves_before_it_begins(acme: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(response: web.StreamResponse, request: web.Request) -> None:
        assert request.transport is not None
        request.transport.abort()
        raise ClientConnectionResetError("Cannot write to closing transport")

    monkeypatch.setattr(web.StreamResponse, "prepare", gone)
    with capture_logs() as events, pytest.raises(ClientConnectionError):
        async with opened(acme):
            raise AssertionError("it has been answered")
    await eventually(lambda: not acme.admin.app[LIVE]._watches)
    assert [event for event in events if event["log_level"] == "error"] == []


async def test_a_reader_that_takes_nothing_is_cut_off(acme: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seatd.web.api.event_stream.WRITE_S", 0.3)
    live = acme.admin.app[LIVE]
    loop = asyncio.get_running_loop()
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        await loop.sock_connect(raw, (acme.admin.host, acme.admin.port))
        request = (
            f"GET {PATH}?customer=acme&after=0-0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
        )
        await denied(acme, *(f"{'u' * 200}{number}@acme.example" for number in range(8000)))
        await loop.sock_sendall(raw, request.encode())
        await eventually(lambda: live._watches)
        await eventually(lambda: not live._watches)


async def test_it_ends_when_the_right_to_it_does(acme: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narration, "RECHECK_S", 0.05)
    monkeypatch.setattr(narration, "HEARTBEAT_S", 0.05)
    monkeypatch.setattr("seatd.web.auth.CACHE_S", 0.0)
    store = acme.services.store
    for after in (None, Grant(role="auditor", customers=("acme",)), Grant(role="admin", customers=("beta",))):
        token = await caller(acme, Grant(role="admin", customers=("acme",)))
        async with opened(acme, token=token) as response:
            await first(response, "usage")
            if after is None:
                await store.pipeline.command("HDEL", "seatd:{all}:api_tokens", token_hash(OTHER))
            else:
                await caller(acme, after)
            assert [one.type async for one in told(response)] == ["end"]


async def test_it_ends_with_the_session_and_does_not_prolong_it(
    acme: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(narration, "RECHECK_S", 0.05)
    monkeypatch.setattr(narration, "HEARTBEAT_S", 0.05)
    monkeypatch.setattr("seatd.web.console.CACHE_S", 0.0)
    person = await administrator(acme, "ann", Grant(role="admin", customers=("acme",)))
    who = (await signed_in(acme, person)).request()
    async with acme.admin.get(f"{PATH}?customer=acme", **who) as response:
        await first(response, "usage")
        ((digest, before),) = (await acme.services.store.sign_ins()).items()
        acme.services.now_ms.pass_ms(10 * 60_000)  # type: ignore[attr-defined]
        await asyncio.sleep(0.3)
        assert (await acme.services.store.sign_ins())[digest].seen_ms == before.seen_ms
        acme.services.now_ms.pass_ms(30 * 60_000)  # type: ignore[attr-defined]
        assert [one.type async for one in told(response)] == ["end"]


async def test_no_more_than_so_many(acme: Site) -> None:
    responses = [
        await acme.admin.get(f"{PATH}?customer=acme", headers={"Authorization": f"Bearer {TOKEN}"})
        for _ in range(PER_CALLER)
    ]
    status, refused = await acme.call("GET", f"{PATH}?customer=acme")
    assert (status, refused["code"]) == (429, "too_many_streams")
    token = await caller(acme, Grant(role="admin", customers=("acme",)))
    assert (await all_of(acme, token=token))[-1].type == "end"
    for response in responses:
        response.close()
    await acme.admin.app[LIVE].close()
    await eventually(lambda: not acme.admin.app[LIVE]._watches)


async def test_the_nodes_end_is_the_streams_end(acme: Site) -> None:
    async with opened(acme) as response:
        await first(response, "usage")
        await acme.admin.app[LIVE].close()
        assert [one.type async for one in told(response)] == ["end"]
    assert acme.admin.app[LIVE]._polling is None
    async with opened(acme) as response:
        assert [one.type async for one in told(response)] == ["usage", "end"]
