"""`SeatClient`: requests in a session, and tokens."""

import asyncio

import pytest
from msgspec.structs import replace

from seatd_protocol.codes import Action
from seatd_protocol.events import Closed, Disconnected, RequestRefused
from seatd_protocol.messages import (
    Acquire,
    Busy,
    Changed,
    Denied,
    Error,
    Granted,
    Notice,
    Queued,
    Refresh,
    Release,
    Released,
    Resume,
    SessionInfo,
    Sessions,
    TakeOver,
    Welcome,
)
from seatd_protocol.state import State
from tests.protocol.clients import DEVICE, EMAIL, RESUMED, Issuer, Make, Time, all_events, opened, until_s
from tests.protocol.contract_server import SEAT, ContractServer

pytestmark = pytest.mark.usefixtures("nothing_left")


# Requests


async def test_acquire(make: Make, server: ContractServer) -> None:
    client = make()
    peer = await opened(client, server)
    asking = asyncio.create_task(client.acquire(["EMAIL"]))
    request = await peer.expect(Acquire)
    assert request.products == ("EMAIL",)
    granted = Granted(ref=request.ref, seats=(EMAIL,), sections=("calls", "email_profile"))
    await peer.send(granted)
    assert await asking == granted
    assert client.seats == (SEAT, EMAIL)
    assert client.sections == ("calls", "email_profile")


async def test_acquire_is_denied_and_the_session_goes_on(make: Make, server: ContractServer) -> None:
    client = make()
    peer = await opened(client, server)
    asking = asyncio.create_task(client.acquire(["EMAIL"]))
    request = await peer.expect(Acquire)
    await peer.send(Denied(ref=request.ref, code="no_seat", message=""))
    assert isinstance(await asking, Denied)
    assert client.state is State.LIVE
    assert client.seats == (SEAT,)


async def test_acquire_waits_in_the_queue(make: Make, server: ContractServer) -> None:
    client = make()
    peer = await opened(client, server)
    asking = asyncio.create_task(client.acquire(["EMAIL"], wait_s=30))
    request = await peer.expect(Acquire)
    assert request.wait_s == 30
    await peer.send(Queued(ref=request.ref, product="EMAIL", position=1))
    await peer.beat(1)
    assert not asking.done()
    await peer.send(Granted(ref=request.ref, seats=(EMAIL,), sections=()))
    assert isinstance(await asking, Granted)
    await client.aclose()
    assert [type(event) for event in await all_events(client)] == [Welcome, Queued, Granted, Closed]


async def test_answers_find_their_requests(make: Make, server: ContractServer) -> None:
    client = make()
    peer = await opened(client, server)
    products = ["A", "B", "C"]
    asking = [asyncio.create_task(client.acquire([product])) for product in products]
    requests = [await peer.expect(Acquire) for _ in products]
    assert len({request.ref for request in requests}) == 3
    for request in reversed(requests):
        await peer.send(Denied(ref=request.ref, code="no_seat", message="", product=request.products[0]))
    answers = [await task for task in asking]
    assert [answer.product for answer in answers if isinstance(answer, Denied)] == products


async def test_release_gives_the_seat_up_before_it_is_sent(make: Make, server: ContractServer) -> None:
    client = make()
    peer = await opened(client, server)
    releasing = asyncio.create_task(client.release(["CALL_CENTER"]))
    request = await peer.expect(Release)
    assert client.seats == ()
    assert until_s(client) is None
    await peer.send(Released(ref=request.ref, products=("CALL_CENTER",), sections=()))
    assert (await releasing).products == ("CALL_CENTER",)
    assert client.sections == ()


async def test_take_over(make: Make, server: ContractServer) -> None:
    client = make()
    peer = await opened(client, server)
    taking = asyncio.create_task(client.take_over("s-9"))
    request = await peer.expect(TakeOver)
    mine = SessionInfo(session="s-1", device=DEVICE, since_ms=1, seats=(SEAT,))
    await peer.send(Sessions(ref=request.ref, sessions=(mine,)))
    assert (await taking).sessions == (mine,)


async def test_a_request_that_cannot_be_served(make: Make, server: ContractServer) -> None:
    client = make()
    peer = await opened(client, server)
    taking = asyncio.create_task(client.take_over("s-9"))
    request = await peer.expect(TakeOver)
    await peer.send(Error(ref=request.ref, code="unknown_session", message="gone", temporary=False))
    with pytest.raises(RequestRefused, match="unknown_session: gone"):
        await taking
    assert client.state is State.LIVE


async def test_the_wrong_kind_of_answer(make: Make, server: ContractServer) -> None:
    client = make()
    peer = await opened(client, server)
    for request in (client.acquire(["EMAIL"]), client.release(["CALL_CENTER"]), client.take_over("s-9")):
        asking = asyncio.create_task(request)
        asked = await peer.receive()
        assert isinstance(asked, Acquire | Release | TakeOver)
        if isinstance(asked, Acquire):
            await peer.send(Released(ref=asked.ref, products=(), sections=()))
        else:
            await peer.send(Denied(ref=asked.ref, code="no_seat", message=""))
        with pytest.raises(Disconnected, match="the server answered with"):
            await asking


async def test_an_answer_that_never_came(make: Make, server: ContractServer) -> None:
    client = make()
    peer = await opened(client, server)
    asking = asyncio.create_task(client.acquire(["EMAIL"]))
    abandoned = asyncio.create_task(client.acquire(["CHAT"]))
    await peer.expect(Acquire)
    await peer.expect(Acquire)
    abandoned.cancel()
    peer.cut()
    with pytest.raises(Disconnected):
        await asking
    again = await server.accept()
    await again.open(RESUMED)


async def test_no_requests_without_a_session(make: Make, server: ContractServer) -> None:
    client = make()
    with pytest.raises(Disconnected):
        await client.acquire(["EMAIL"])
    with pytest.raises(Disconnected):
        await client.release(["CALL_CENTER"])
    with pytest.raises(RuntimeError):
        await client.wait_closed()
    await client.bye()
    await opened(client, server)
    with pytest.raises(RuntimeError, match="already"):
        await client.connect()


async def test_licenses_change_under_the_session(make: Make, server: ContractServer) -> None:
    client = make()
    peer = await opened(client, server)
    await peer.send(Changed(seats=(EMAIL,), sections=("users",), reason="license_ended"))
    await peer.beat(1)
    assert (client.seats, client.sections) == ((EMAIL,), ("users",))


async def test_a_late_turn_in_the_queue(make: Make, server: ContractServer) -> None:
    client = make()
    peer = await opened(client, server)
    better = replace(SEAT, license="L-9")
    await peer.send(Granted(seats=(better, EMAIL), sections=()))
    await peer.beat(1)
    assert client.seats == (better, EMAIL)


async def test_busy_is_said_again_after_a_resume(make: Make, server: ContractServer) -> None:
    client = make()
    await client.busy(True)
    peer = await opened(client, server)
    assert await peer.expect(Busy) == Busy(busy=True)
    peer.cut()
    again = await server.accept()
    await again.open(RESUMED)
    assert await again.expect(Busy) == Busy(busy=True)
    await client.busy(False)
    assert await again.expect(Busy) == Busy(busy=False)
    again.cut()
    third = await server.accept()
    await third.open(RESUMED)
    await third.beat(1)


# Tokens


async def test_a_refresh_now_and_for_later(make: Make, server: ContractServer) -> None:
    client = make()
    peer = await opened(client, server)
    await client.refresh("newer")
    assert await peer.expect(Refresh) == Refresh(token="newer")
    peer.cut()
    again = await server.accept()
    assert (await again.open(RESUMED)).token == "newer"


async def test_a_token_that_ends_is_renewed(make: Make, server: ContractServer) -> None:
    client = make(token=Issuer())
    peer = await opened(client, server)
    await peer.send(Notice(code="token_expiring", message=""))
    assert await peer.expect(Refresh) == Refresh(token="token-2")


async def test_a_renewal_that_fails_costs_nothing(make: Make, server: ContractServer) -> None:
    issuer = Issuer()

    async def only_once() -> str:
        token = await issuer()
        if issuer.issued > 1:
            raise OSError("the identity provider is away")
        return token

    client = make(token=only_once)
    peer = await opened(client, server)
    await peer.send(Notice(code="token_expiring", message=""))
    await peer.beat(1)
    await peer.beat(2)
    assert issuer.issued == 2
    assert client.state is State.LIVE


async def test_a_token_is_used_as_long_as_it_lasts(make: Make, server: ContractServer, time: Time) -> None:
    client = make(token=Issuer())
    peer = await opened(client, server)
    peer.cut()
    again = await server.accept()
    assert (await again.open(RESUMED)).token == "token-1"
    await again.beat(1)
    time.now_s += 3580
    again.cut()
    third = await server.accept()
    assert (await third.open(RESUMED)).token == "token-2"


async def test_new_token_on_42xx(make: Make, server: ContractServer, time: Time) -> None:
    client = make(token=Issuer())
    peer = await opened(client, server)
    await peer.close(4201, "token_revoked")
    again = await server.accept()
    hello = await again.open(RESUMED)
    assert (hello.token, hello.resume) == ("token-2", Resume(session="s-1", secret="k-1"))
    assert time.slept_s == [0.0]


async def test_no_new_token_to_be_had(make: Make, server: ContractServer) -> None:
    client = make()
    peer = await opened(client, server)
    await peer.close(4200, "token_expired")
    assert await client.wait_closed() == Closed(4200, "token_expired", Action.NEW_TOKEN)
    assert until_s(client) is None


async def test_an_issuer_that_fails_for_a_while(make: Make, server: ContractServer, time: Time) -> None:
    issuer = Issuer()

    async def failing() -> str:
        if await issuer() in ("token-1", "token-2"):
            raise OSError("the identity provider is away")
        return "good"

    client = make(token=failing)
    connecting = asyncio.create_task(client.connect())
    peer = await server.accept()
    assert (await peer.open()).token == "good"
    await connecting
    assert time.slept_s == [0.5, 0.5]
