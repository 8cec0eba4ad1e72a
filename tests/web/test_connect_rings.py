"""A session that has ended leaves nothing for the garbage collector: whatever the end was, it is gone with its last reference.

So the collector may be asked seldom (see `seatd.serving`): how much memory a node needs does not hang on it.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from seatd.hub.session import Session
from seatd.web.connect import WebSocketTransport
from seatd_protocol.codec import Codec
from tests.scenarios.websocket import BINARY, CLOSE
from tests.servers import eventually
from tests.web.edge import ON_THE_EDGE, Edge, closed, hello, say

pytestmark = ON_THE_EDGE


@pytest_asyncio.fixture(name="uncollected", loop_scope="module")
async def uncollected_fixture() -> AsyncIterator[None]:
    gc.disable()
    yield
    gc.enable()


async def _bye(edge: Edge) -> None:
    socket = await edge.live()
    await say(socket, {"type": "bye"})
    await closed(socket)


async def _client_closes(edge: Edge) -> None:
    socket = await edge.live()
    await socket.send(CLOSE, b"\x03\xe8")
    await closed(socket)


async def _client_vanishes(edge: Edge) -> None:
    (await edge.live()).abort()


async def _client_ends_the_stream(edge: Edge) -> None:
    await (await edge.live()).close()


async def _closed_by_the_node(edge: Edge) -> None:
    socket = await edge.live()
    await socket.send(BINARY, b"\xc1")
    await closed(socket)


async def _closed_and_never_answers(edge: Edge) -> None:
    socket = await edge.live()
    await socket.send(BINARY, b"\xc1")
    await eventually(lambda: not edge.hub._connected)


async def _denied(edge: Edge) -> None:
    socket = await edge.upgraded()
    await say(socket, hello(need=["NO_SUCH_PRODUCT"]))
    await closed(socket)


async def _never_says_hello(edge: Edge) -> None:
    socket = await edge.upgraded()
    await closed(socket)


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize(
    "end",
    [
        _bye,
        _client_closes,
        _client_vanishes,
        _client_ends_the_stream,
        _closed_by_the_node,
        _closed_and_never_answers,
        _denied,
        _never_says_hello,
    ],
)
async def test_no_ring_keeps_a_session(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, end: Callable[[Edge], Awaitable[None]]
) -> None:
    seen: list[weakref.ref[object]] = []
    connect = edge.hub.connect

    def noted(transport: WebSocketTransport, codec: Codec) -> Session:
        session = connect(transport, codec)
        seen.extend((weakref.ref(session), weakref.ref(transport._ws)))
        return session

    monkeypatch.setattr(edge.hub, "connect", noted)
    await end(edge)
    await eventually(lambda: bool(seen) and not edge.hub._connected)
    await eventually(lambda: [one() for one in seen] == [None, None])
