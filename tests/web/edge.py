"""The client listener in this process, on a real store: one for all tests of a module whose `pytestmark` is `ON_THE_EDGE`.

After each test nothing may be left of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import struct
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import msgpack
import pytest
import pytest_asyncio
from aiohttp import web
from structlog.testing import capture_logs

from seatd.hub.hub import Hub
from seatd.hub.options import HubOptions
from seatd.hub.tokens import TokenChecker, TokenOptions
from seatd.metrics import Metrics
from seatd.store.connect import ConnectOptions, connect, subscriber
from seatd.store.redis import Store
from seatd.store.verbs import StoreOptions
from seatd.store.wakeups import Wakeups
from seatd.web.connect import ClientRules, make_client_app
from tests.engine import PrivateEngine
from tests.hub.token_factory import SECRET, signed
from tests.licenses import license_claim, license_key
from tests.licensing.build import CATALOG
from tests.scenarios import websocket
from tests.scenarios.websocket import BINARY, CLOSE, TEXT, Refusal, WebSocket
from tests.servers import eventually

MSGPACK, JSON = "seatd.v1.msgpack", "seatd.v1.json"
WAIT_S = 20.0
LISTED = "https://console.example"

ON_THE_EDGE = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("nothing_is_left")]

Map = dict[str, Any]


@dataclass
class Edge:
    """The listener, its hub and its store."""

    address: str
    hub: Hub
    store: Store
    sockets: list[WebSocket] = field(default_factory=list)

    async def upgraded(self, protocol: str = MSGPACK) -> WebSocket:
        socket = await websocket.upgrade(self.address, (protocol,))
        assert isinstance(socket, WebSocket), socket
        self.sockets.append(socket)
        return socket

    async def refused(
        self, *protocols: str, path: str = "/v1/connect", headers: tuple[str, ...] = ()
    ) -> Refusal:
        answer = await websocket.upgrade(self.address, protocols, path=path, headers=headers)
        assert isinstance(answer, Refusal)
        return answer

    async def live(self, protocol: str = MSGPACK) -> WebSocket:
        """A client with a session and a seat."""
        socket = await self.upgraded(protocol)
        await say(socket, hello(), protocol)
        assert (await heard(socket, protocol))["type"] == "welcome"
        return socket

    async def is_parked(self) -> bool:
        """Whether the one session there is has lost its socket and keeps its seat."""
        (row,) = (await self.store.sessions()).items
        return (row.state, len(row.seats)) == ("parked", 1)


@pytest_asyncio.fixture(name="edge", scope="module", loop_scope="module")
async def edge_fixture(engine: PrivateEngine) -> AsyncIterator[Edge]:
    store = Store(connect(engine.url, ConnectOptions()), StoreOptions(partitions=1), checked=True)
    await store.client.flushall()
    await store.join()
    await store.put_license(license_key(license_claim(limit=5)))
    options = HubOptions(name="n1", node="n1~edge", hello_timeout_s=0.4, ack_s=0.2)
    tokens = TokenChecker(TokenOptions(hs256_secret=SECRET))
    wakeups = Wakeups(subscriber(engine.url, ConnectOptions()), options.node)
    hub = Hub(store, wakeups, CATALOG, tokens, Metrics(CATALOG.products), options)
    await hub.start()
    runner = web.AppRunner(make_client_app(hub, ClientRules(frozenset({LISTED}))), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield Edge(f"127.0.0.1:{runner.addresses[0][1]}", hub, store)
    await hub.drain()
    await runner.cleanup()
    await hub.stop()
    await store.close_client()


@pytest_asyncio.fixture(name="nothing_is_left", loop_scope="module")
async def nothing_is_left_fixture(edge: Edge, caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """After each of them: no session, no seat, no task, and nothing in the log that tells of a bug."""
    before: set[object] = set(asyncio.all_tasks())
    with capture_logs() as events:
        yield
        for socket in edge.sockets:
            socket.abort()
        edge.sockets.clear()
        before |= {asyncio.current_task()}
        await eventually(
            lambda: not (edge.hub._connected or edge.hub._sessions or asyncio.all_tasks() - before)
        )
    assert [
        event for event in events if event["log_level"] in ("error", "critical") or "exc_info" in event
    ] == []
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    page = await edge.store.sessions()
    for row in page.items:  # sessions without socket, of the tests that had one
        await edge.store.close(row.customer, session=row.session, fence=1)
    assert {row.state for row in page.items} <= {"parked"}
    assert [row.used for row in await edge.store.registry()] == [0]


def hello(**changes: Any) -> Map:
    token = signed(SECRET, "HS256", exp=int(time.time()) + 3600)
    device = {"kind": "desktop", "id": "d1"}
    return {"type": "hello", "token": token, "device": device, "need": ["CALL_CENTER"], **changes}


def packed(message: object, protocol: str = MSGPACK) -> bytes:
    return msgpack.packb(message) if protocol == MSGPACK else json.dumps(message).encode()


async def say(socket: WebSocket, message: object, protocol: str = MSGPACK) -> None:
    await socket.send(BINARY if protocol == MSGPACK else TEXT, packed(message, protocol))


async def heard(socket: WebSocket, protocol: str = MSGPACK) -> Map:
    async with asyncio.timeout(WAIT_S):
        frame = await socket.receive()
    assert frame is not None
    return dict(msgpack.unpackb(frame.payload) if protocol == MSGPACK else json.loads(frame.payload))


async def closed(socket: WebSocket) -> tuple[int, str]:
    """The close code and reason that end the connection; other frames before it are passed over."""
    async with asyncio.timeout(WAIT_S):
        while (frame := await socket.receive()) is not None:
            if frame.opcode == CLOSE:
                with contextlib.suppress(ConnectionError):
                    await socket.send(CLOSE, frame.payload[:2])
                (code,) = struct.unpack("!H", frame.payload[:2])
                return code, frame.payload[2:].decode()
    return 1006, ""
