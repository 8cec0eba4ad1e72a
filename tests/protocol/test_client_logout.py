"""`SeatClient`: forced logout, and the clean end."""

import asyncio

import pytest

from seatd_protocol.codes import Action
from seatd_protocol.events import Closed, Stopped
from seatd_protocol.messages import Ack, Bye, Changed, Granted, Hello, Logout, Queued
from seatd_protocol.state import State
from tests.protocol.clients import EMAIL, Make, all_events, opened, soon, until_s
from tests.protocol.contract_server import WELCOME, ContractServer

pytestmark = pytest.mark.usefixtures("nothing_left")


async def test_logout_is_confirmed_at_once(make: Make, server: ContractServer) -> None:
    client = make()
    peer = await opened(client, server)
    logout = Logout(order=77, code="forced", message="please", by="bob@acme.example", cooldown_s=60)
    await peer.send(logout)
    assert await peer.expect(Ack) == Ack(order=77)
    assert (client.session, client.seats, until_s(client)) == (None, (), None)
    assert client.state is State.LEAVING
    await peer.close(4302, "logout")
    assert await all_events(client) == [WELCOME, logout, Closed(4302, "logout", Action.TELL)]


@pytest.mark.parametrize("code", [None, 4000, 4100, 1011])
async def test_after_a_logout_there_is_no_way_back(
    make: Make, server: ContractServer, code: int | None
) -> None:
    client = make()
    peer = await opened(client, server)
    await peer.send(Logout(order=1, code="forced", message="", cooldown_s=60))
    await peer.expect(Ack)
    if code is None:
        peer.cut()
    else:
        await peer.close(code)
    closed = await client.wait_closed()
    assert closed.retry_in_s is None
    assert client.seats == ()


async def test_what_crosses_a_logout_is_not_believed(make: Make, server: ContractServer) -> None:
    client = make()
    peer = await opened(client, server)
    await peer.send(
        Logout(order=1, code="forced", message="", cooldown_s=60),
        Granted(seats=(EMAIL,), sections=("users",)),
        Changed(seats=(EMAIL,), sections=("users",), reason=""),
        Logout(order=2, code="forced", message="", cooldown_s=60),
    )
    assert [(await peer.expect(Ack)).order for _ in range(2)] == [1, 2]
    assert (client.seats, client.sections) == ((), ())


async def test_bye(make: Make, server: ContractServer) -> None:
    client = make()
    peer = await opened(client, server)
    leaving = asyncio.create_task(client.bye())
    await peer.expect(Bye)
    assert (client.seats, until_s(client)) == ((), None)
    await peer.close(1000, "normal")
    await leaving
    assert await client.wait_closed() == Closed(1000, "normal", Action.DONE)


async def test_bye_to_a_server_that_does_not_answer(make: Make, server: ContractServer) -> None:
    client = make()
    peer = await opened(client, server)
    leaving = asyncio.create_task(client.bye())
    await peer.expect(Bye)
    assert await peer.gone() == 1000
    await leaving
    assert (await client.wait_closed()).code == 1000


async def test_bye_out_of_the_queue(make: Make, server: ContractServer) -> None:
    client = make(wait_s=60)
    connecting = asyncio.create_task(client.connect())
    peer = await server.accept()
    await peer.expect(Hello)
    await peer.send(Queued(product="CALL_CENTER", position=1))
    await soon(lambda: client.state is State.WAITING)
    leaving = asyncio.create_task(client.bye())
    await peer.expect(Bye)
    await peer.send(WELCOME)  # its turn came at that moment
    await peer.close(1000)
    await leaving
    assert client.seats == ()
    with pytest.raises(Stopped):
        await connecting
