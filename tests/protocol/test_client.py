"""`SeatClient` against a real server: signing in, what it believes, and that it leaves nothing behind."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace

from seatd_protocol.client import SeatClient
from seatd_protocol.codes import Action
from seatd_protocol.events import Closed
from seatd_protocol.messages import Ack, Alive, Beat, Denied, Granted, Hello, Logout, Queued, Welcome
from seatd_protocol.state import State
from seatd_protocol.timing import steady_s
from tests.protocol.clients import DEVICE, RESUMED, Make, Time, all_events, opened, soon, until_s
from tests.protocol.contract_server import SEAT, WELCOME, ContractServer

pytestmark = pytest.mark.usefixtures("nothing_left")


# Signing in


@pytest.mark.parametrize("subprotocol", ["seatd.v1.msgpack", "seatd.v1.json"])
async def test_sign_in(make: Make, server: ContractServer, subprotocol: str) -> None:
    client = make(want=["EMAIL"], wait_s=5, subprotocol=subprotocol)
    connecting = asyncio.create_task(client.connect())
    peer = await server.accept()
    assert await peer.open() == Hello(
        token="a-token", device=DEVICE, need=("CALL_CENTER",), want=("EMAIL",), wait_s=5
    )
    assert await connecting == WELCOME
    assert client.state is State.LIVE
    assert (client.session, client.seats, client.sections) == ("s-1", (SEAT,), ("calls",))
    assert until_s(client) == 124.0
    await peer.beat(1)


async def test_denied(make: Make, server: ContractServer) -> None:
    client = make()
    denied = Denied(code="no_seat", message="all taken", limit=2, used=2)
    connecting = asyncio.create_task(client.connect())
    peer = await server.accept()
    await peer.expect(Hello)
    await peer.send(denied)
    await peer.close(4300, "denied")
    assert await connecting == denied
    assert until_s(client) is None
    assert await all_events(client) == [denied, Closed(4300, "denied", Action.TELL)]


async def test_denied_then_welcome_is_the_emergency_path(make: Make, server: ContractServer) -> None:
    client = make(allow_unseated=True)
    denied = Denied(code="no_seat", message="")
    unseated = replace(WELCOME, seats=(), sections=())
    connecting = asyncio.create_task(client.connect())
    peer = await server.accept()
    assert (await peer.expect(Hello)).allow_unseated
    await peer.send(denied, unseated)
    assert await connecting == unseated
    assert client.state is State.LIVE
    assert until_s(client) is None
    seated = Granted(ref=1, seats=WELCOME.seats, sections=())
    await peer.send(seated)
    await soon(lambda: bool(client.seats))
    assert (
        until_s(client) == 124.0
    )  # what it acquires later is its own from the first moment on: the `hello` left at 100
    await client.aclose()
    assert (await all_events(client))[:2] == [denied, unseated]


async def test_a_wait_in_the_queue(make: Make, server: ContractServer, time: Time) -> None:
    client = make(wait_s=60)
    connecting = asyncio.create_task(client.connect())
    peer = await server.accept()
    await peer.expect(Hello)
    await peer.send(Queued(product="CALL_CENTER", position=2))
    for n in (1, 2, 3):
        time.now_s += 8
        await peer.send(Beat(n=n, lease_s=24))
        assert await peer.expect(Alive) == Alive(n=n)
    assert client.state is State.WAITING
    assert until_s(client) is None
    await peer.send(Queued(product="CALL_CENTER", position=1), WELCOME)
    assert await connecting == WELCOME
    assert until_s(client) == 140.0  # `alive 2` left at 116
    await client.aclose()
    assert [type(event) for event in await all_events(client)] == [Queued, Queued, Welcome, Closed]


async def test_a_wait_in_vain(make: Make, server: ContractServer) -> None:
    client = make(wait_s=1)
    connecting = asyncio.create_task(client.connect())
    peer = await server.accept()
    await peer.expect(Hello)
    await peer.send(Queued(product="CALL_CENTER", position=1), Denied(code="wait_timeout", message=""))
    await peer.close(4300, "denied")
    answer = await connecting
    assert isinstance(answer, Denied)
    assert answer.code == "wait_timeout"


# The lease


async def test_the_lease_follows_the_beats(make: Make, server: ContractServer, time: Time) -> None:
    client = make()
    peer = await opened(client, server)
    for n, end_s in ((1, 124.0), (2, 132.0), (3, 140.0)):
        time.now_s += 8
        await peer.beat(n)
        assert until_s(client) == end_s
    time.now_s = 139.5
    assert until_s(client) == 140.0
    time.now_s = 140.0
    assert until_s(client) is None
    time.now_s = 150.0
    await peer.beat(4)  # `alive 3` left at 124: too long ago
    assert until_s(client) is None
    await peer.beat(5)
    assert until_s(client) == 174.0


async def test_the_lease_outlives_the_connection_and_ends(
    make: Make, server: ContractServer, time: Time
) -> None:
    client = make()
    peer = await opened(client, server)
    peer.cut()
    again = await server.accept()
    await again.expect(Hello)
    assert until_s(client) == 124.0
    time.now_s = 124.0
    assert until_s(client) is None
    await again.send(RESUMED)
    await soon(lambda: client.state is State.LIVE)
    assert until_s(client) == 124.5  # hello left at 100.5, after the back-off


async def test_what_was_believed_can_be_observed(make: Make, server: ContractServer, time: Time) -> None:
    records: list[Mapping[str, Any]] = []
    client = make(observe=records.append)
    peer = await opened(client, server)
    time.now_s = 108.0
    await peer.beat(1)
    await peer.send(Logout(order=1, code="forced", message="", cooldown_s=60))
    await peer.expect(Ack)
    await peer.close(4302)
    await client.wait_closed()
    held = [("CALL_CENTER", "L-1", "alice@acme.example")]
    assert records[:4] == [
        {"at_s": 100.0, "what": "hello", "session": None, "seats": [], "until_s": None},
        {"at_s": 100.0, "what": "welcome", "session": "s-1", "seats": held, "until_s": 124.0},
        {"at_s": 108.0, "what": "beat", "session": "s-1", "seats": held, "until_s": 124.0},
        {"at_s": 108.0, "what": "logout", "session": None, "seats": [], "until_s": None},
    ]
    assert all(record["seats"] == [] for record in records[4:])


# Robustness


async def test_cancelling_connect_closes_the_socket(make: Make, server: ContractServer) -> None:
    client = make(wait_s=60)
    connecting = asyncio.create_task(client.connect())
    peer = await server.accept()
    await peer.expect(Hello)
    connecting.cancel()
    assert await peer.gone() == 1000
    with pytest.raises(asyncio.CancelledError):
        await connecting
    assert await client.wait_closed() == Closed(1000, "closed by the client", Action.DONE)


async def test_cancelling_while_it_waits_to_reconnect(make: Make) -> None:
    async with ContractServer() as gone:
        pass
    client = make(gone.url, timing={"sleep": asyncio.sleep, "random": lambda: 1.0})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await client.connect()
    assert client.state is State.CLOSED


async def test_cancelling_during_the_upgrade(make: Make) -> None:
    async def mute(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.wait({asyncio.ensure_future(stop.wait())})
        writer.close()

    stop = asyncio.Event()
    listener = await asyncio.start_server(mute, "127.0.0.1", 0)
    host, port = listener.sockets[0].getsockname()
    client = make(f"ws://{host}:{port}")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await client.connect()
    stop.set()
    listener.close()
    await asyncio.sleep(0.01)


async def test_leaving_the_block_drops_the_connection(make: Make, server: ContractServer) -> None:
    async with make() as client:
        peer = await opened(client, server)
    assert await peer.gone() == 1000
    assert until_s(client) is None


async def test_a_failing_listener_costs_nothing(make: Make, server: ContractServer) -> None:
    def on_event(_event: object) -> None:
        raise ZeroDivisionError

    client = make(on_event=on_event)
    peer = await opened(client, server)
    await peer.beat(1)
    assert client.state is State.LIVE


def failing_at(what: str) -> Callable[[Mapping[str, Any]], None]:
    """An observer that raises at one record: nothing that follows it can have happened."""

    def observe(record: Mapping[str, Any]) -> None:
        if record["what"] == what:
            raise ZeroDivisionError

    return observe


async def test_the_lease_counts_from_before_hello_left(make: Make, server: ContractServer) -> None:
    connecting = asyncio.create_task(make(observe=failing_at("hello")).connect())
    assert await (await server.accept()).gone() == 1000
    with pytest.raises(ZeroDivisionError):
        await connecting


async def test_seats_are_given_up_before_ack_leaves(make: Make, server: ContractServer) -> None:
    peer = await opened(make(observe=failing_at("logout")), server)
    await peer.send(Logout(order=1, code="forced", message="", cooldown_s=60))
    assert await peer.gone() == 1000


async def test_seats_are_given_up_before_release_leaves(make: Make, server: ContractServer) -> None:
    client = make(observe=failing_at("release"))
    peer = await opened(client, server)
    with pytest.raises(ZeroDivisionError):
        await client.release(["CALL_CENTER"])
    await peer.beat(1)


async def test_a_failure_of_its_own_ends_it(
    make: Make, server: ContractServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = make(observe=failing_at("beat"))
    peer = await opened(client, server)
    await peer.send(Beat(n=1, lease_s=24))
    assert await peer.gone() == 1000  # and no `alive` before it: that counts from before it left, too
    assert (await client.wait_closed()).reason == "the client failed: ZeroDivisionError"
    assert "the client failed" in caplog.text


async def test_events_go_to_a_listener(make: Make, server: ContractServer) -> None:
    events: list[Any] = []
    client = make(on_event=events.append)
    peer = await opened(client, server)
    await peer.beat(1)
    await peer.close(4303, "license_ended")
    await client.wait_closed()
    assert events == [WELCOME, Closed(4303, "license_ended", Action.TELL)]


async def test_it_can_sign_in_again(make: Make, server: ContractServer) -> None:
    client = make()
    peer = await opened(client, server)
    await peer.close(4302, "logout")
    await client.wait_closed()
    peer = await opened(client, server)
    await peer.beat(1)
    assert until_s(client) == 124.0


async def test_a_hello_that_does_not_fit_a_frame(make: Make, server: ContractServer) -> None:
    client = make(token="t" * 9000)
    connecting = asyncio.create_task(client.connect())
    assert await (await server.accept()).gone() == 1000
    with pytest.raises(ValueError, match="a frame holds 8192"):
        await connecting
    assert (await client.wait_closed()).reason == "the client failed: ValueError"


async def test_a_ticket_that_does_not_fit_the_frame_is_left_out(make: Make, server: ContractServer) -> None:
    """Without it the hello is as good as ever; one that fits is shown."""
    shown = []
    for token in ("t", "t" * 6100):
        client = make(token=token, want=tuple(f"{n:064}" for n in range(16)))
        peer = await opened(client, server, replace(WELCOME, ticket="t" * 1024))
        await peer.close(4000)
        again = await server.accept()
        hello = await again.expect(Hello)
        assert hello.resume
        shown.append(hello.resume.ticket)
        await client.aclose()
    assert shown == ["t" * 1024, None]


async def test_clients_share_a_session(make: Make, server: ContractServer) -> None:
    async with aiohttp.ClientSession() as http:
        clients = [make(http=http) for _ in range(5)]
        for client in clients:
            await opened(client, server)
        await asyncio.gather(*(client.aclose() for client in clients))
        assert not http.closed


@pytest.mark.parametrize("urls", [[], "example", "ftp://example", "ws:///v1/connect"])
async def test_urls_that_are_none(make: Make, urls: Any) -> None:
    with pytest.raises(ValueError, match="URL"):
        SeatClient(urls, "t", DEVICE, [])


def test_the_clock_never_goes_back() -> None:
    moments = [steady_s() for _ in range(100)]
    assert moments == sorted(moments)


async def test_a_sub_protocol_that_is_none() -> None:
    with pytest.raises(ValueError, match=r"seatd\.v1\.msgpack"):
        SeatClient("ws://example", "t", DEVICE, [], subprotocol="seatd.v9")
