"""While newcomers are being sent away the porter does it, and shows in who comes when it is over."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web

from seatd.web import porter
from seatd.web.connect import make_client_app
from seatd.web.door import Bounds, Door
from tests.scenarios import websocket
from tests.scenarios.websocket import Refusal, WebSocket
from tests.servers import eventually
from tests.web.edge import ON_THE_EDGE, Edge, edge_fixture, heard, hello, nothing_is_left_fixture, say

pytestmark = ON_THE_EDGE
__all__ = ["edge_fixture", "nothing_is_left_fixture"]

TOO_MANY = 10**6


@pytest_asyncio.fixture(loop_scope="module")
async def door(edge: Edge) -> AsyncIterator[Door]:
    """Another way to the same hub, with a porter."""
    runner = web.AppRunner(make_client_app(edge.hub), access_log=None)
    await runner.setup()
    door = Door(
        runner,
        "127.0.0.1",
        0,
        bounds=Bounds(most=10**6, gap=1),
        on_shut=lambda: None,
        admission=edge.hub.admission,
    )
    await door.start()
    yield door
    await runner.cleanup()


@pytest.fixture
def pressed(edge: Edge) -> None:
    """Somebody was sent away just now; there is nothing too much any more."""
    edge.hub.admission.hellos = TOO_MANY
    assert edge.hub.admission.refuses_upgrade(waited_s=0) == "hellos"
    edge.hub.admission.hellos = 0
    assert edge.hub.admission.pressed


async def upgrade(door: Door) -> WebSocket | Refusal:
    return await websocket.upgrade(f"127.0.0.1:{door.port}")


async def test_it_says_what_the_application_says(edge: Edge, door: Door) -> None:
    edge.hub.admission.hellos, edge.hub.admission._pressed_until_s = TOO_MANY, 0.0
    try:
        by_application = await upgrade(door)
        by_porter = await upgrade(door)
    finally:
        edge.hub.admission.hellos = 0
    assert isinstance(by_application, Refusal)
    assert isinstance(by_porter, Refusal)
    for answer in (by_application, by_porter):
        assert (answer.status, answer.headers["connection"]) == (503, "close")
        assert 1 <= int(answer.headers["retry-after"]) <= 8
    assert by_porter.body == by_application.body
    assert "server" in by_application.headers
    assert "server" not in by_porter.headers  # it was he


@pytest.mark.usefixtures("pressed")
async def test_who_comes_when_it_is_over_is_shown_in(edge: Edge, door: Door) -> None:
    socket = await upgrade(door)
    assert isinstance(socket, WebSocket)
    edge.sockets.append(socket)
    await say(socket, hello())
    assert (await heard(socket))["type"] == "welcome"


@pytest.mark.usefixtures("pressed")
async def test_who_says_nothing_is_let_go(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(porter, "PATIENCE_S", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    await eventually(lambda: door._porters)
    assert await reader.read() == b""
    writer.close()
    await eventually(lambda: not door._porters)


@pytest.mark.usefixtures("pressed")
async def test_who_leaves_without_a_word_is_forgotten(door: Door) -> None:
    wire = socket.create_connection(("127.0.0.1", door.port))
    await eventually(lambda: door._porters)
    wire.close()
    await eventually(lambda: not door._porters)


@pytest.mark.usefixtures("pressed")
async def test_nobody_stays_behind_when_it_ends(door: Door) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    await eventually(lambda: door._porters)
    await door.stop()
    assert await reader.read() == b""
    writer.close()
    await eventually(lambda: not door._porters)
    await door._runner.cleanup()
