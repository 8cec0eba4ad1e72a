"""The JavaScript client against a server that does just what a test says: what it shows, answers, and does not put up with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace

from seatd_protocol.messages import (
    Ack,
    Alive,
    Beat,
    Busy,
    Changed,
    Denied,
    Hello,
    Logout,
    Moving,
    Notice,
    Queued,
    Release,
    Released,
)
from tests.protocol.contract_server import SEAT, WELCOME, ContractServer, Peer
from tests.protocol.js.people import CODECS, PRODUCT
from tests.protocol.js.runtimes import JsClient, Runtime

LOGOUT = Logout(order=7, code="forced", message="", cooldown_s=60)
NOT_YET = Queued(product=PRODUCT, position=2)


@pytest_asyncio.fixture(loop_scope="session")
async def server() -> AsyncIterator[ContractServer]:
    async with ContractServer() as running:
        yield running


async def client_of(runtime: Runtime, server: ContractServer, **options: Any) -> JsClient:
    device = {"kind": "desktop", "id": "pc-7"}
    usual = {"urls": server.url, "token": "a-token", "device": device, "need": [PRODUCT]}
    return await runtime.client(**usual | options)


async def opened(
    runtime: Runtime, server: ContractServer, welcome: Any = WELCOME, **options: Any
) -> tuple[JsClient, Peer]:
    """A client with a session, and the server's end of it."""
    client = await client_of(runtime, server, **options)
    connecting = asyncio.create_task(client.call("connect"))
    peer = await server.accept()
    await peer.open(welcome)
    assert (await connecting)["type"] == "welcome"
    return client, peer


async def back(server: ContractServer) -> tuple[Peer, Hello]:
    """The client's next connection, and what it says there."""
    peer = await server.accept()
    return peer, await peer.expect(Hello)


async def test_it_shows_the_newest_ticket(node: Runtime, server: ContractServer) -> None:
    client, peer = await opened(node, server, replace(WELCOME, ticket="first"))
    await peer.send(Beat(n=1, lease_s=24, ticket="second"))
    await peer.expect(Alive)
    peer.cut()
    peer, hello = await back(server)
    assert hello.resume is not None
    assert (hello.resume.session, hello.resume.secret, hello.resume.ticket) == ("s-1", "k-1", "second")
    await peer.send(replace(WELCOME, resumed=True, secret="k-2", ticket="third"))
    await client.heard("welcome", resumed=True)
    await peer.send(Changed(seats=(), sections=(), reason="less"))
    await client.heard("changed")
    peer.cut()
    _, hello = await back(server)
    assert hello.resume is not None
    assert (hello.resume.secret, hello.resume.ticket) == ("k-2", None)  # it named more than is held
    await client.call("close")


async def test_after_a_release_the_ticket_is_forgotten(node: Runtime, server: ContractServer) -> None:
    client, peer = await opened(node, server, replace(WELCOME, ticket="first"))
    releasing = asyncio.create_task(client.call("release", [PRODUCT]))
    release = await peer.expect(Release)
    assert (await client.look())["seats"] == []  # before the answer
    await peer.send(Released(ref=release.ref, products=(PRODUCT,), sections=()))
    assert (await releasing)["type"] == "released"
    peer.cut()
    _, hello = await back(server)
    assert hello.resume is not None
    assert hello.resume.ticket is None
    await client.call("close")


async def test_what_crosses_a_release_brings_nothing_back(node: Runtime, server: ContractServer) -> None:
    """The server wrote it before it had read the release."""
    client, peer = await opened(node, server)
    releasing = asyncio.create_task(client.call("release", [PRODUCT]))
    request = await peer.expect(Release)
    await peer.send(Changed(seats=(SEAT,), sections=(), reason=""))
    await client.heard("changed")
    assert (await client.look())["seats"] == []
    await peer.send(Released(ref=request.ref, products=(PRODUCT,), sections=()))
    await releasing
    so_far = len(client.events)
    await peer.send(Changed(seats=(SEAT,), sections=(), reason=""))
    await client.heard("changed", after=so_far)
    assert len((await client.look())["seats"]) == 1
    await client.call("close")


async def test_a_hello_that_is_too_large_goes_without_its_ticket(
    node: Runtime, server: ContractServer
) -> None:
    large = {"token": "t" * 6144, "device": {"kind": "desktop", "id": "é" * 128, "name": "é" * 64}}
    products = [f"{number:02}{'P' * 55}" for number in range(16)]
    client, peer = await opened(node, server, replace(WELCOME, ticket="t" * 1024), need=products, **large)
    peer.cut()
    _, hello = await back(server)
    assert hello.resume is not None
    assert (hello.resume.session, hello.resume.ticket) == ("s-1", None)
    await client.call("close")


async def test_a_call_is_said_again_before_the_first_alive(node: Runtime, server: ContractServer) -> None:
    client, peer = await opened(node, server)
    await client.call("busy", True)
    assert (await peer.expect(Busy)).busy
    peer.cut()
    peer = await server.accept()
    await peer.open(replace(WELCOME, resumed=True))
    await peer.send(Beat(n=1, lease_s=24))
    assert (await peer.expect(Busy)).busy
    await peer.expect(Alive)
    await client.call("close")


@pytest.mark.parametrize("subprotocol", CODECS)
async def test_it_confirms_a_logout_and_stays_away(
    node: Runtime, server: ContractServer, subprotocol: str
) -> None:
    """Also when the connection breaks instead of being closed."""
    client, peer = await opened(node, server, subprotocol=subprotocol)
    await peer.send(LOGOUT)
    assert (await peer.expect(Ack)).order == 7
    await client.heard("logout")
    assert client.beliefs[-1]["what"] == "logout"
    assert client.beliefs[-1]["seats"] == []
    await peer.send(Beat(n=1, lease_s=24))
    await peer.expect(Alive)  # what crosses a logout is still answered
    peer.cut()
    assert (await client.heard("closed"))["retryInS"] is None


async def test_a_waiter_is_forced_out(node: Runtime, server: ContractServer) -> None:
    client = await client_of(node, server, waitS=60)
    connecting = asyncio.create_task(client.call("connect"))
    peer, _ = await back(server)
    await peer.send(NOT_YET)
    await client.heard("queued", position=2)
    await peer.send(LOGOUT)
    assert (await peer.expect(Ack)).order == 7
    await peer.close(4302, "logout")
    assert (await connecting).code == 4302


async def test_who_comes_back_too_late_and_waits_has_no_seat_any_more(
    node: Runtime, server: ContractServer
) -> None:
    """The session is gone, and its seat another's. The beats of a waiter do not bring it back."""
    client, peer = await opened(node, server, waitS=60)
    assert (await client.look())["usable"]
    peer.cut()
    peer, hello = await back(server)
    assert hello.resume is not None
    await peer.send(NOT_YET)
    for n in (1, 2):
        await peer.send(Beat(n=n, lease_s=24))
        await peer.expect(Alive)
        looked = await client.look()
        assert (looked["state"], looked["usable"], looked["seats"]) == ("waiting", False, [])
    await client.call("close")


@pytest.mark.parametrize("wrong", ["", 7])
async def test_what_is_no_token_is_asked_for_again(node: Runtime, server: ContractServer, wrong: Any) -> None:
    """An application's own server may be down: that ends nothing, and no connection is opened for it."""
    client = await client_of(node, server, tokens=[wrong, "a-token"])
    connecting = asyncio.create_task(client.call("connect"))
    peer = await server.accept()
    await peer.open()
    assert (await connecting)["type"] == "welcome"
    assert (await client.heard("closed"))["action"] == "reconnect"
    await client.call("close")


async def test_moving_is_not_hurried(node: Runtime, server: ContractServer) -> None:
    """A close with 4000 before the time is no reason to come earlier."""
    client, peer = await opened(node, server)
    await peer.send(Moving(after_ms=1500))
    await client.heard("moving")
    await peer.close(4000, "moving")
    ended = await client.heard("closed")
    assert 1 < ended["retryInS"] <= 1.5
    _, hello = await back(server)
    assert hello.resume is not None
    await client.call("close")


async def test_moving_ends_the_connection_when_its_time_has_come(
    runtime: Runtime, server: ContractServer
) -> None:
    client, peer = await opened(runtime, server)
    await peer.send(Moving(after_ms=100))
    assert await peer.gone() == 4000
    _, hello = await back(server)
    assert hello.resume is not None
    await client.call("close")


@pytest.mark.parametrize(
    ("code", "action", "comes_back"),
    [
        (1000, "done", False),
        (1001, "done", False),
        (4001, "resume", True),
        (4042, "resume", True),
        (4102, "reconnect", True),
        (1011, "reconnect", True),
        (4500, "reconnect", True),
        (4301, "tell", False),
        (4399, "tell", False),
        (4401, "never", False),
        (4409, "never", False),
    ],
)
async def test_close_codes(
    node: Runtime, server: ContractServer, code: int, action: str, comes_back: bool
) -> None:
    client, peer = await opened(node, server)
    await peer.close(code, "why")
    ended = await client.heard("closed")
    assert (ended["code"], ended["reason"], ended["action"]) == (code, "why", action)
    assert (ended["retryInS"] is not None) == comes_back
    knows = await client.look()
    assert (knows["usable"], knows["session"]) == ((True, "s-1") if comes_back else (False, None))
    if comes_back:
        _, hello = await back(server)
        assert hello.resume is not None
        await client.call("close")


@pytest.mark.parametrize(
    ("subprotocol", "frame", "reason"),
    [
        ("seatd.v1.msgpack", b"\xc1", "not valid msgpack"),
        ("seatd.v1.msgpack", '{"type":"beat"}', "a text frame on msgpack"),
        ("seatd.v1.json", b"\x80", "a binary frame on JSON"),
        ("seatd.v1.json", '{"type":"beat","n":1}', "`lease_s` is missing in `beat`"),
        ("seatd.v1.json", '{"type":"hello"}', "unknown `type`"),
        ("seatd.v1.json", f'{{"type":"beat","x":"{"x" * 65536}"}}', "larger than 65536 bytes"),
    ],
)
async def test_a_server_that_breaks_the_contract(
    runtime: Runtime, server: ContractServer, subprotocol: str, frame: bytes | str, reason: str
) -> None:
    client, peer = await opened(runtime, server, subprotocol=subprotocol)
    await peer.send_raw(frame)
    ended = await client.heard("closed")
    if ended["code"] != 1009:  # Node's socket does not even read what is too large
        assert (ended["code"], ended["reason"]) == (1002, f"the server sent a bad message: {reason}")
    _, hello = await back(server)
    assert hello.resume is not None
    await client.call("close")


async def test_a_word_out_of_turn(node: Runtime, server: ContractServer) -> None:
    client = await client_of(node, server)
    connecting = asyncio.create_task(client.call("connect"))
    peer, _ = await back(server)
    await peer.send(Beat(n=1, lease_s=24))
    ended = await client.heard("closed")
    assert (ended["code"], ended["reason"]) == (1002, "the server sent beat in state opening")
    await client.call("close")
    assert (await connecting).error == "Stopped"


async def test_codes_and_fields_of_a_newer_server(node: Runtime, server: ContractServer) -> None:
    client, peer = await opened(node, server, subprotocol="seatd.v1.json")
    await peer.send(Notice(code="something_new", message="Read me"))
    assert (await client.heard("notice"))["message"] == "Read me"
    await peer.send_raw('{"type":"notice","code":"maintenance","message":"m","colour":{"of":["x"]}}')
    assert await client.heard("notice", code="maintenance") == {
        "type": "notice", "code": "maintenance", "message": "m",
    }  # fmt: skip
    await client.call("close")


async def test_denied_and_yet_a_session(node: Runtime, server: ContractServer) -> None:
    client = await client_of(node, server, allowUnseated=True)
    connecting = asyncio.create_task(client.call("connect"))
    peer, hello = await back(server)
    assert hello.allow_unseated
    await peer.send(Denied(code="new_code", message="No"), replace(WELCOME, seats=(), sections=()))
    assert (await connecting)["type"] == "welcome"
    assert [event["type"] for event in client.events] == ["denied", "welcome"]
    assert not (await client.look())["usable"]
    await client.call("close")


async def test_a_seat_for_the_same_product_takes_the_place_of_the_last(
    node: Runtime, server: ContractServer
) -> None:
    client, peer = await opened(node, server)
    other = replace(SEAT, license="L-2")
    await peer.send(Changed(seats=(other,), sections=("calls",), reason="another license"))
    await client.heard("changed")
    assert [seat["license"] for seat in (await client.look())["seats"]] == ["L-2"]
    await client.call("close")


async def test_a_client_that_was_closed_can_sign_in_again(node: Runtime, server: ContractServer) -> None:
    client, peer = await opened(node, server)
    again = await client.call("connect")
    assert (again.error, again.message) == ("Error", "already connected")
    bye = asyncio.create_task(client.call("bye"))
    await peer.receive()
    await peer.close(1000, "normal")
    await bye
    connecting = asyncio.create_task(client.call("connect"))
    _, hello = await back(server)
    assert hello.resume is None  # the session has ended
    await client.call("close")
    assert (await connecting).error == "Stopped"


async def test_a_client_whose_token_never_comes_can_be_closed(node: Runtime, server: ContractServer) -> None:
    client = await client_of(node, server, tokens=["never"])
    connecting = asyncio.create_task(client.call("connect"))
    await client.look()
    await client.call("close")
    assert (await connecting).code == 1000
