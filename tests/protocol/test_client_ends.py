"""`SeatClient`: everything that can end a connection, and how it comes back."""

import asyncio
from typing import Any

import pytest
from aiohttp import web
from msgspec.structs import replace

from seatd_protocol.codec import CODECS, MAX_SERVER_FRAME
from seatd_protocol.codes import Action
from seatd_protocol.events import Closed, Stopped
from seatd_protocol.messages import Alive, Beat, Hello, Moving, Notice, Queued, Resume
from seatd_protocol.state import State
from tests.protocol.clients import EMAIL, RESUMED, Make, Time, all_events, opened, until_s
from tests.protocol.contract_server import SEAT, WELCOME, ContractServer

pytestmark = pytest.mark.usefixtures("nothing_left")


# The end of a connection


async def test_a_cut_is_resumed_on_another_node(
    make: Make, server: ContractServer, other_server: ContractServer, time: Time
) -> None:
    client = make([server.url, other_server.url])
    peer = await opened(client, server)
    peer.cut()
    again = await other_server.accept()
    hello = await again.expect(Hello)
    assert hello.resume == Resume(session="s-1", secret="k-1")
    assert client.seats == (SEAT,)
    await again.send(replace(RESUMED, secret="k-2"))
    await again.beat(1)
    again.cut()
    back = await server.accept()
    assert (await back.expect(Hello)).resume == Resume(session="s-1", secret="k-2")
    assert time.slept_s == [0.5, 0.5]


async def test_the_old_session_is_gone(make: Make, server: ContractServer) -> None:
    client = make()
    peer = await opened(client, server)
    peer.cut()
    again = await server.accept()
    await again.open(replace(WELCOME, session="s-2", secret="k-2", seats=(EMAIL,)))
    await again.beat(1)
    assert (client.session, client.seats) == ("s-2", (EMAIL,))


async def test_who_comes_back_too_late_and_waits_has_no_seat_any_more(
    make: Make, server: ContractServer, time: Time
) -> None:
    """His session is gone, and his seat another's. The beats of a waiter do not bring it back."""
    client = make(wait_s=60)
    peer = await opened(client, server)
    peer.cut()
    time.now_s += 100
    again = await server.accept()
    assert (await again.expect(Hello)).resume is not None
    await again.send(Queued(product="CALL_CENTER", position=1))
    for n in (1, 2):
        await again.send(Beat(n=n, lease_s=24))
        await again.expect(Alive)
        assert (client.state, client.seats, until_s(client)) == (State.WAITING, (), None)
    await client.aclose()


async def test_a_client_that_is_stopped_as_soon_as_it_begins_tells_so(make: Make) -> None:
    client = make()
    connecting = asyncio.create_task(client.connect())
    await asyncio.sleep(0)
    await client.aclose()
    with pytest.raises(Stopped):
        await connecting
    assert [type(event) for event in await all_events(client)] == [Closed]


@pytest.mark.parametrize("code", [4000, 4001, 4002, 4077])
async def test_40xx_resumes_at_once(make: Make, server: ContractServer, time: Time, code: int) -> None:
    client = make()
    peer = await opened(client, server)
    await peer.close(code, "moving")
    again = await server.accept()
    assert (await again.open(RESUMED)).resume == Resume(session="s-1", secret="k-1")
    assert time.slept_s == [0.0]


@pytest.mark.parametrize("code", [4100, 4101, 4102, 4103, 4104, 4155, 1011, 1009, 3000])
async def test_41xx_and_the_unknown_back_off(
    make: Make, server: ContractServer, time: Time, code: int
) -> None:
    client = make()
    peer = await opened(client, server)
    await peer.close(code)
    again = await server.accept()
    assert (await again.open(RESUMED)).resume == Resume(session="s-1", secret="k-1")
    assert time.slept_s == [0.5]


@pytest.mark.parametrize(
    ("code", "action"),
    [(1000, Action.DONE), (1001, Action.DONE)]
    + [(code, Action.TELL) for code in (4300, 4301, 4302, 4303, 4390)]
    + [(code, Action.NEVER) for code in (4400, 4401, 4403, 4409, 4490)],
)
async def test_the_end(make: Make, server: ContractServer, code: int, action: Action) -> None:
    client = make()
    peer = await opened(client, server)
    await peer.close(code, "why")
    assert await client.wait_closed() == Closed(code, "why", action)
    assert client.state is State.CLOSED
    assert (client.session, client.seats, until_s(client)) == (None, (), None)
    assert (await all_events(client))[-1] == Closed(code, "why", action)


async def test_an_end_before_the_first_session(make: Make, server: ContractServer) -> None:
    client = make()
    connecting = asyncio.create_task(client.connect())
    peer = await server.accept()
    await peer.expect(Hello)
    await peer.close(4401, "bad_token")
    with pytest.raises(Stopped, match="4401 bad_token") as caught:
        await connecting
    assert caught.value.closed.action is Action.NEVER


async def test_the_waits_grow(make: Make, server: ContractServer, time: Time) -> None:
    client = make(timing={"random": lambda: 1.0})
    connecting = asyncio.create_task(client.connect())
    for _ in range(8):
        peer = await server.accept()
        await peer.expect(Hello)
        await peer.close(4100, "overloaded")
    await (await server.accept()).open()
    await connecting
    assert time.slept_s == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


async def test_nobody_sleeps_through_the_time_for_which_its_seats_are_kept(
    make: Make, server: ContractServer, time: Time
) -> None:
    client = make(timing={"random": lambda: 1.0})
    peer = await opened(client, server)
    peer.cut()
    for _ in range(11):  # for 54 s it may be kept: `lease_s` and `linger_s`
        peer = await server.accept()
        await peer.expect(Hello)
        await peer.close(4100, "overloaded")
    await (await server.accept()).open(RESUMED)
    assert time.slept_s == [1.0, 2.0, 4.0, *[7.5] * 7, 30.0, 30.0]


async def test_a_fault_on_every_node_is_no_tight_loop(make: Make, server: ContractServer, time: Time) -> None:
    client = make()
    peer = await opened(client, server)
    for _ in range(3):
        await peer.close(4002, "store_lost")
        peer = await server.accept()
        await peer.open(RESUMED)
    assert time.slept_s == [0.0, 0.5, 0.5]
    await peer.beat(1)
    await peer.close(4002, "store_lost")
    await (await server.accept()).open(RESUMED)
    assert time.slept_s[3:] == [0.0]


async def test_nobody_listens(make: Make, server: ContractServer, time: Time) -> None:
    async with ContractServer() as gone:
        pass
    client = make([gone.url, server.url])
    connecting = asyncio.create_task(client.connect())
    await (await server.accept()).open()
    await connecting
    assert time.slept_s == [0.5]
    await client.aclose()
    first, *_ = await all_events(client)
    assert (first.code, first.action, first.retry_in_s) == (1006, Action.RECONNECT, 0.5)


async def test_refused_before_the_upgrade_for_a_while(make: Make, server: ContractServer, time: Time) -> None:
    server.refusals = [
        web.Response(status=503, headers={"Retry-After": "7"}),
        web.Response(status=429),
        web.Response(status=503, headers={"Retry-After": "Tue, 01 Jan 2030 00:00:00 GMT"}),
    ]
    client = make()
    connecting = asyncio.create_task(client.connect())
    await (await server.accept()).open()
    await connecting
    assert time.slept_s == [7.0, 0.5, 0.5]


@pytest.mark.parametrize("status", [400, 403])
async def test_refused_before_the_upgrade_for_good(make: Make, server: ContractServer, status: int) -> None:
    server.refusals = [web.Response(status=status)]
    client = make()
    with pytest.raises(Stopped) as caught:
        await client.connect()
    assert caught.value.closed.code == status


async def test_a_server_that_speaks_something_else(make: Make, aiohttp_server: Any) -> None:
    async def upgrade(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        return socket

    application = web.Application()
    application.router.add_get("/elsewhere", upgrade)
    running = await aiohttp_server(application)
    client = make(str(running.make_url("/elsewhere")))
    with pytest.raises(Stopped, match="does not speak"):
        await client.connect()


async def test_a_silent_server_is_a_dead_one(
    make: Make, server: ContractServer, other_server: ContractServer
) -> None:
    client = make([server.url, other_server.url], timing={"silence_s": 0.1})
    await opened(client, server)
    again = await other_server.accept()
    assert (await again.open(RESUMED)).resume == Resume(session="s-1", secret="k-1")
    await client.aclose()
    closed = next(event for event in await all_events(client) if isinstance(event, Closed))
    assert (closed.code, closed.reason) == (1006, "nothing heard for 0.1 s")


async def test_the_largest_frame(make: Make, server: ContractServer) -> None:
    client = make()
    peer = await opened(client, server)
    empty = len(CODECS["seatd.v1.msgpack"].encode(Notice(code="", message="x" * 256)))
    notice = Notice(code="", message="x" * (256 + MAX_SERVER_FRAME - empty))
    await peer.send(notice)
    await peer.beat(1)
    await client.aclose()
    assert notice in await all_events(client)


@pytest.mark.parametrize(
    "frame",
    [b"\xc1", b"\x81\xa4type\xa4sudo", "a text", b"\x00" * 65_536, b"\x00" * 65_537, b"\x00" * 100_000],
)
async def test_a_bad_frame_of_the_server(make: Make, server: ContractServer, frame: bytes | str) -> None:
    client = make()
    peer = await opened(client, server)
    await peer.send_raw(frame)
    assert await peer.gone() in (1002, 1009)
    again = await server.accept()
    assert (await again.open(RESUMED)).resume == Resume(session="s-1", secret="k-1")


async def test_a_message_of_the_server_at_the_wrong_time(make: Make, server: ContractServer) -> None:
    client = make()
    peer = await opened(client, server)
    await peer.send(replace(WELCOME, session="s-7"))
    assert await peer.gone() == 1002
    assert client.session == "s-1"
    await (await server.accept()).open(RESUMED)


# Moving


async def test_moving(make: Make, server: ContractServer, other_server: ContractServer, time: Time) -> None:
    client = make([server.url, other_server.url])
    peer = await opened(client, server)
    await peer.beat(1)
    await peer.send(Moving(after_ms=1500))
    assert await peer.gone() == 4000
    again = await other_server.accept()
    assert (await again.open(RESUMED)).resume == Resume(session="s-1", secret="k-1")
    assert time.slept_s == [1.5, 0.0]
    assert until_s(client) is not None


async def test_moving_but_closed_before_its_time(make: Make, server: ContractServer, time: Time) -> None:
    waiting = asyncio.Event()

    async def sleep(delay_s: float) -> None:
        if delay_s == 1.5:
            await waiting.wait()  # until the connection ends
        await time.sleep(delay_s)

    client = make(timing={"sleep": sleep})
    peer = await opened(client, server)
    await peer.send(Moving(after_ms=1500))
    await peer.beat(1)
    time.now_s += 0.5
    await peer.close(4000, "moving")
    await (await server.accept()).open(RESUMED)
    assert time.slept_s == [1.0]
