"""The client listener against everything that is not a good client: each has its exact refusal and leaves nothing.

One server for all of it, in this process, on a real store.
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
from seatd.web.connect import make_client_app
from seatd_protocol.codec import MAX_FRAME
from tests.engine import PrivateEngine
from tests.hub.token_factory import ED25519, SECRET, handmade, signed
from tests.licenses import license_claim, license_key
from tests.licensing.build import CATALOG
from tests.scenarios import websocket
from tests.scenarios.websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Refusal, WebSocket

pytestmark = pytest.mark.asyncio(loop_scope="module")

MSGPACK, JSON = "seatd.v1.msgpack", "seatd.v1.json"
WAIT_S = 20.0
LISTED = "https://console.example"

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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def edge(engine: PrivateEngine) -> AsyncIterator[Edge]:
    store = Store(connect(engine.url, ConnectOptions()), StoreOptions(partitions=1), checked=True)
    await store.client.flushall()
    await store.join()
    await store.put_license(license_key(license_claim(limit=5)))
    options = HubOptions(name="n1", node="n1~edge", hello_timeout_s=0.4, ack_s=0.2)
    tokens = TokenChecker(TokenOptions(hs256_secret=SECRET))
    wakeups = Wakeups(subscriber(engine.url, ConnectOptions()), options.node)
    hub = Hub(store, wakeups, CATALOG, tokens, Metrics(CATALOG.products), options)
    await hub.start()
    runner = web.AppRunner(make_client_app(hub, frozenset({LISTED})), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield Edge(f"127.0.0.1:{runner.addresses[0][1]}", hub, store)
    await hub.drain()
    await runner.cleanup()
    await hub.stop()
    await store.close_client()


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def nothing_is_left(edge: Edge, caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """After each of them: no session, no seat, no task, and nothing in the log that tells of a bug."""
    before = asyncio.all_tasks()
    with capture_logs() as events:
        yield
        for socket in edge.sockets:
            socket.abort()
        edge.sockets.clear()
        async with asyncio.timeout(WAIT_S):
            before.add(asyncio.current_task())
            while edge.hub._connected or edge.hub._sessions or asyncio.all_tasks() - before:
                await asyncio.sleep(0.005)
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


# -- before the upgrade ---------------------------------------------------------------------------


@pytest.mark.parametrize("protocols", [(), ("seatd.v2.json",), ("chat", "")])
async def test_no_known_sub_protocol(edge: Edge, protocols: tuple[str, ...]) -> None:
    refusal = await edge.refused(*protocols)
    assert refusal.status == 400
    assert MSGPACK in refusal.body
    assert JSON in refusal.body
    assert refusal.headers["server"] == "seatd"


async def test_the_client_chooses_among_known_sub_protocols(edge: Edge) -> None:
    socket = await websocket.upgrade(edge.address, ("chat", JSON, MSGPACK))
    assert isinstance(socket, WebSocket)
    edge.sockets.append(socket)
    await say(socket, hello(), JSON)
    assert (await heard(socket, JSON))["type"] == "welcome"
    await say(socket, {"type": "bye"}, JSON)
    assert await closed(socket) == (1000, "normal")


@pytest.mark.parametrize("name", ["token", "access_token"])
async def test_a_token_in_the_address(edge: Edge, name: str) -> None:
    with capture_logs() as events:
        refusal = await edge.refused(MSGPACK, path=f"/v1/connect?{name}=secret-of-ann")
    assert refusal.status == 400
    assert "token" in refusal.body
    assert "secret-of-ann" not in refusal.body + str(events)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        f"{LISTED}.evil.example",
        LISTED.replace("https", "http"),
        f"{LISTED}:444",
        "file://",
        "http://",
        "http://[",
        "",
    ],
)
async def test_a_foreign_origin(edge: Edge, origin: str) -> None:
    assert (await edge.refused(MSGPACK, headers=(f"Origin: {origin}",))).status == 403


@pytest.mark.parametrize("origin", [LISTED, "own"])
async def test_a_known_origin(edge: Edge, origin: str) -> None:
    shown = f"http://{edge.address}" if origin == "own" else origin
    socket = await websocket.upgrade(edge.address, headers=(f"Origin: {shown}",))
    assert isinstance(socket, WebSocket)
    socket.abort()


async def test_a_draining_node(edge: Edge) -> None:
    edge.hub.draining = True
    try:
        refusal = await edge.refused(MSGPACK)
    finally:
        edge.hub.draining = False
    assert (refusal.status, int(refusal.headers["retry-after"]) > 0) == (503, True)


async def test_a_full_node(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    early = await edge.upgraded()
    monkeypatch.setattr(Hub, "is_full", True)
    refusal = await edge.refused(MSGPACK)
    assert (refusal.status, int(refusal.headers["retry-after"]) > 0) == (503, True)
    await say(early, hello())
    assert await closed(early) == (4100, "overloaded")


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("GET /v1/connect HTTP/1.1", 400),
        ("POST /v1/connect HTTP/1.1", 405),
        ("GET / HTTP/1.1", 404),
        ("GET /api/v1/licenses HTTP/1.1", 404),
        ("GET /metrics HTTP/1.1", 404),
        ("NONSENSE", 400),
    ],
)
async def test_what_is_no_upgrade(edge: Edge, request_line: str, status: int) -> None:
    host, _, port = edge.address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = (request_line, "Host: x", f"Sec-WebSocket-Protocol: {JSON}", "Connection: close", "", "")
    writer.write("\r\n".join(lines).encode())
    answer = (await reader.read()).decode()
    writer.close()
    assert answer.split(" ")[1] == str(status)
    assert "Traceback" not in answer


# -- before hello ---------------------------------------------------------------------------------


async def test_no_hello(edge: Edge) -> None:
    assert await closed(await edge.upgraded()) == (4202, "hello_timeout")


async def test_a_hello_byte_by_byte(edge: Edge) -> None:
    """However busy a connection looks: the hello as a whole has its time."""
    socket = await edge.upgraded()
    ending = asyncio.create_task(closed(socket))
    for byte in websocket.frame(BINARY, packed(hello())):
        if ending.done():
            break
        await socket.write(bytes([byte]))
        await asyncio.sleep(0.01)
    assert await ending == (4202, "hello_timeout")


@pytest.mark.parametrize("frame", ["ping", "empty fragment"])
async def test_other_frames_are_no_hello(edge: Edge, frame: str) -> None:
    socket = await edge.upgraded()
    ending = asyncio.create_task(closed(socket))
    await socket.send(BINARY, fin=False)
    while not ending.done():
        await socket.send(PING) if frame == "ping" else await socket.send(CONTINUATION, fin=False)
        await asyncio.sleep(0.05)
    assert await ending == (4202, "hello_timeout")


async def test_a_client_that_never_answers_the_close_is_cut_off(edge: Edge) -> None:
    socket = await edge.upgraded()
    await socket.send(BINARY, b"\xc1")
    async with asyncio.timeout(WAIT_S):
        first, last = await socket.receive(), await socket.receive()
    assert first is not None
    assert (first.opcode, last) == (CLOSE, None)


@pytest.mark.parametrize(
    "message",
    [
        {"type": "alive", "n": 0},
        {"type": "acquire", "ref": 1, "products": ["CALL_CENTER"]},
        {"type": "release", "ref": 1, "products": ["CALL_CENTER"]},
        {"type": "busy", "busy": True},
        {"type": "refresh", "token": "x"},
        {"type": "take_over", "ref": 1, "session": "x"},
        {"type": "ack", "order": 1},
        {"type": "bye"},
    ],
    ids=lambda message: message["type"],
)
@pytest.mark.parametrize("protocol", [MSGPACK, JSON])
async def test_anything_before_hello(edge: Edge, message: Map, protocol: str) -> None:
    socket = await edge.upgraded(protocol)
    await say(socket, message, protocol)
    assert await closed(socket) == (4400, f"bad_message: {message['type']} in state new")


# -- frames that are no messages ------------------------------------------------------------------


def nested(depth: int) -> Map:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return {"type": "bye", "more": value}


def sized(size: int, protocol: str) -> bytes:
    """A hello, padded to this many bytes."""
    pad = "x" * (size - len(packed(hello(more=""), protocol)))
    frame = packed(hello(more=pad), protocol)
    return packed(hello(more=pad[: len(pad) - (len(frame) - size)]), protocol)


BYE = b"\x82\xa4type\xa3bye\xa1x"
NOT_MESSAGES = {
    "text on msgpack": (MSGPACK, TEXT, packed(hello(), JSON), "a text frame on msgpack"),
    "binary on JSON": (JSON, BINARY, packed(hello()), "a binary frame on JSON"),
    "empty msgpack": (MSGPACK, BINARY, b"", "cut short"),
    "empty JSON": (JSON, TEXT, b"", "not valid JSON"),
    "8193 bytes of msgpack": (MSGPACK, BINARY, sized(MAX_FRAME + 1, MSGPACK), "larger than 8192 bytes"),
    "8193 bytes of JSON": (JSON, TEXT, sized(MAX_FRAME + 1, JSON), "larger than 8192 bytes"),
    "the byte that is never used": (MSGPACK, BINARY, b"\xc1", "not valid msgpack"),
    "msgpack cut short": (MSGPACK, BINARY, packed(hello())[:-1], "cut short"),
    "JSON cut short": (JSON, TEXT, packed(hello(), JSON)[:-1], "not valid JSON"),
    "two msgpack maps": (MSGPACK, BINARY, packed({"type": "bye"}) * 2, "trailing bytes"),
    "two JSON maps": (JSON, TEXT, packed({"type": "bye"}, JSON) * 2, "trailing bytes"),
    "an array of 4 Gi": (MSGPACK, BINARY, b"\xdd\xff\xff\xff\xff", "cut short"),
    "a map of 4 Gi": (MSGPACK, BINARY, b"\xdf\xff\xff\xff\xff", "cut short"),
    "a text of 4 GiB": (MSGPACK, BINARY, b"\xdb\xff\xff\xff\xff", "cut short"),
    "bin of 4 GiB": (MSGPACK, BINARY, b"\xc6\xff\xff\xff\xff", "cut short"),
    "a list": (MSGPACK, BINARY, packed([1]), "not a map"),
    "a number": (JSON, TEXT, b"7", "not a map"),
    "no type": (MSGPACK, BINARY, packed({"token": "x"}), "no `type`"),
    "a type of another kind": (JSON, TEXT, packed({"type": 7}, JSON), "unknown `type`"),
    "an unknown type": (MSGPACK, BINARY, packed({"type": "sudo"}), "unknown `type`"),
    "a server's type": (JSON, TEXT, packed({"type": "welcome"}, JSON), "unknown `type`"),
    "nested msgpack": (MSGPACK, BINARY, packed(nested(9)), "nested deeper than 8"),
    "nested JSON": (JSON, TEXT, packed(nested(9), JSON), "nested deeper than 8"),
    "8000 levels of msgpack": (MSGPACK, BINARY, b"\x91" * 8000, "nested deeper than 8"),
    "8000 levels of JSON": (JSON, TEXT, b"[" * 8000, "nested deeper than 8"),
    "ext": (MSGPACK, BINARY, BYE + b"\xd4\x05\x00", "ext types are not used"),
    "a timestamp": (MSGPACK, BINARY, BYE + b"\xd6\xff\x00\x00\x00\x00", "ext types are not used"),
    "bin": (MSGPACK, BINARY, BYE + b"\xc4\x01x", "bin, where only text is used"),
    "a number as a key": (MSGPACK, BINARY, b"\x82\xa4type\xa3bye\x01\x01", "a key is not text"),
    "a key twice in msgpack": (MSGPACK, BINARY, b"\x82\xa4type\xa3bye\xa4type\xa3bye", "a key stands twice"),
    "a key twice in JSON": (JSON, TEXT, b'{"type":"bye","type":"bye"}', "a key stands twice"),
    "NaN in msgpack": (MSGPACK, BINARY, BYE + struct.pack("!Bd", 0xCB, float("nan")), "NaN or Infinity"),
    "NaN in JSON": (JSON, TEXT, b'{"type":"bye","x":NaN}', "NaN or Infinity"),
    "Infinity": (JSON, TEXT, b'{"type":"bye","x":-Infinity}', "NaN or Infinity"),
    "1e999": (JSON, TEXT, b'{"type":"bye","x":1e999}', "NaN or Infinity"),
    "5000 digits": (JSON, TEXT, b'{"type":"bye","x":%s}' % (b"9" * 5000), "integer outside 64 bits"),
    "no UTF-8 in msgpack": (MSGPACK, BINARY, BYE + b"\xa1\xff", "text is not valid UTF-8"),
    "half a surrogate": (JSON, TEXT, rb'{"type":"bye","x":"\ud800"}', "text is not valid UTF-8"),
}


@pytest.mark.parametrize("case", NOT_MESSAGES)
@pytest.mark.parametrize("when", ["first", "live"])
async def test_a_frame_that_is_no_message(edge: Edge, case: str, when: str) -> None:
    protocol, opcode, payload, reason = NOT_MESSAGES[case]
    socket = await (edge.live(protocol) if when == "live" else edge.upgraded(protocol))
    await socket.send(opcode, payload)
    assert await closed(socket) == (4400, f"bad_message: {reason}")


@pytest.mark.parametrize("protocol", [MSGPACK, JSON])
async def test_a_frame_of_the_largest_size_is_taken(edge: Edge, protocol: str) -> None:
    """And unknown fields in it are let pass: they are a newer client's."""
    socket = await edge.upgraded(protocol)
    await socket.send(BINARY if protocol == MSGPACK else TEXT, sized(MAX_FRAME, protocol))
    assert (await heard(socket, protocol))["type"] == "welcome"
    await say(socket, {"type": "bye", "later": {"field": [1]}}, protocol)
    assert await closed(socket) == (1000, "normal")


WRONG_SHAPES: list[tuple[Map, str]] = [
    (hello(token=7), "Expected `str`, got `int` - at `$.token`"),
    (hello(token=""), "Expected `str` of length >= 1 - at `$.token`"),
    (hello(token="x" * 6145), "Expected `str` of length <= 6144 - at `$.token`"),
    ({"type": "hello", "token": "x", "need": []}, "Object missing required field `device`"),
    (hello(device={"kind": "toaster", "id": "1"}), "Invalid enum value - at `$.device.kind`"),
    (hello(device={"kind": "desktop"}), "Object missing required field `id` - at `$.device`"),
    (
        hello(device={"kind": "desktop", "id": "x" * 129}),
        "Expected `str` of length <= 128 - at `$.device.id`",
    ),
    (hello(device="d1"), "Expected `object`, got `str` - at `$.device`"),
    (hello(need="CALL_CENTER"), "Expected `array`, got `str` - at `$.need`"),
    (hello(need=[1]), "Expected `str`, got `int` - at `$.need[0]`"),
    (hello(need=["A"] * 17), "Expected `array` of length <= 16 - at `$.need`"),
    (hello(wait_s=-1), "Expected `int` >= 0 - at `$.wait_s`"),
    (hello(wait_s=86401), "Expected `int` <= 86400 - at `$.wait_s`"),
    (hello(wait_s="1"), "Expected `int`, got `str` - at `$.wait_s`"),
    (hello(allow_unseated=1), "Expected `bool`, got `int` - at `$.allow_unseated`"),
    (hello(resume={"session": "x"}), "Object missing required field `secret` - at `$.resume`"),
    ({"type": "alive"}, "Object missing required field `n`"),
    ({"type": "alive", "n": "1"}, "Expected `int`, got `str` - at `$.n`"),
    ({"type": "alive", "n": -1}, "Expected `int` >= 0 - at `$.n`"),
    ({"type": "alive", "n": 2**53 + 1}, "Expected `int` <= 9007199254740992 - at `$.n`"),
    ({"type": "acquire", "ref": 1}, "Object missing required field `products`"),
    ({"type": "acquire", "products": []}, "Object missing required field `ref`"),
    ({"type": "release", "ref": None, "products": []}, "Expected `int`, got `null` - at `$.ref`"),
    ({"type": "release", "ref": 1, "products": [[]]}, "Expected `str`, got `array` - at `$.products[0]`"),
    ({"type": "busy"}, "Object missing required field `busy`"),
    ({"type": "busy", "busy": "no"}, "Expected `bool`, got `str` - at `$.busy`"),
    ({"type": "refresh"}, "Object missing required field `token`"),
    ({"type": "take_over", "ref": 1, "session": ""}, "Expected `str` of length >= 1 - at `$.session`"),
    ({"type": "ack", "order": 1.5}, "Expected `int`, got `float` - at `$.order`"),
]


@pytest.mark.parametrize(("message", "reason"), WRONG_SHAPES, ids=[reason for _, reason in WRONG_SHAPES])
@pytest.mark.parametrize("protocol", [MSGPACK, JSON])
async def test_wrong_fields(edge: Edge, message: Map, reason: str, protocol: str) -> None:
    socket = await edge.upgraded(protocol)
    await say(socket, message, protocol)
    assert await closed(socket) == (4400, f"bad_message: {reason}")


@pytest.mark.parametrize("text", ["\0", "a\nb", "\x1b[31m", "\x9f", "\u2028"])
@pytest.mark.parametrize("place", ["id", "name", "version"])
async def test_control_characters_in_a_device(edge: Edge, text: str, place: str) -> None:
    socket = await edge.upgraded()
    await say(socket, hello(device={"kind": "desktop", "id": "d1", place: text}))
    code, reason = await closed(socket)
    assert (code, reason.startswith("bad_message: Expected `str` matching regex")) == (4400, True)
    assert text not in reason


# -- frames that are no WebSocket -----------------------------------------------------------------

NOT_WEBSOCKET = {
    "the beginning of 100 kB": (websocket.frame(BINARY, b"x" * 100_000)[:1000], 1009),
    "a header of 2^63 bytes": (struct.pack("!BBQ", 0x82, 0xFF, 2**63 - 1) + b"\0\0\0\0", 1009),
    "compressed": (websocket.frame(BINARY, b"x", reserved=0b100), 1002),
    "reserved bit": (websocket.frame(BINARY, b"x", reserved=0b010), 1002),
    "reserved opcode": (websocket.frame(0x3, b"x"), 1002),
    "reserved control opcode": (websocket.frame(0xB, b"x"), 1002),
    "a ping of 126 bytes": (websocket.frame(PING, b"x" * 126), 1002),
    "half a ping": (websocket.frame(PING, b"x", fin=False), 1002),
    "a continuation of nothing": (websocket.frame(CONTINUATION, b"x"), 1002),
    "a close frame of one byte": (websocket.frame(CLOSE, b"x"), 1002),
    "close code 999": (websocket.frame(CLOSE, struct.pack("!H", 999)), 1002),
    "close code 1005": (websocket.frame(CLOSE, struct.pack("!H", 1005)), 1002),
    "text that is not UTF-8": (websocket.frame(TEXT, b"\xff"), 1007),
    "a close reason that is not UTF-8": (websocket.frame(CLOSE, struct.pack("!H", 1000) + b"\xff"), 1007),
}


@pytest.mark.parametrize("case", NOT_WEBSOCKET)
@pytest.mark.parametrize("when", ["first", "live"])
async def test_a_frame_that_is_no_websocket(edge: Edge, case: str, when: str) -> None:
    data, code = NOT_WEBSOCKET[case]
    socket = await (edge.live(JSON) if when == "live" else edge.upgraded(JSON))
    await socket.write(data)
    assert (await closed(socket))[0] == code


async def test_a_message_in_endless_fragments(edge: Edge) -> None:
    socket = await edge.live()
    await socket.send(BINARY, b"x" * 1000, fin=False)
    ending = asyncio.create_task(closed(socket))
    with contextlib.suppress(ConnectionError):
        while not ending.done():
            await socket.send(CONTINUATION, b"x" * 1000, fin=False)
            await asyncio.sleep(0)
    assert (await ending)[0] == 1009


async def test_a_message_in_a_few_fragments_is_one_message(edge: Edge) -> None:
    socket = await edge.upgraded()
    data = packed(hello())
    await socket.send(BINARY, data[:100], fin=False)
    await socket.send(PING, b"meanwhile")
    await socket.send(CONTINUATION, data[100:])
    pong = await socket.receive()
    assert pong == (PONG, b"meanwhile")
    assert (await heard(socket))["type"] == "welcome"
    await say(socket, {"type": "bye"})
    assert await closed(socket) == (1000, "normal")


# -- within a session -----------------------------------------------------------------------------

ILLEGAL: dict[str, tuple[Map, tuple[int, str]]] = {
    "hello twice": (hello(), (4409, "second_hello")),
    "ack without logout": ({"type": "ack", "order": 1}, (4400, "bad_message: ack answers no logout")),
    "alive without beat": ({"type": "alive", "n": 1}, (4400, "bad_message: alive answers no beat")),
    "refresh with nonsense": ({"type": "refresh", "token": "x"}, (4401, "bad_token")),
}


@pytest.mark.parametrize("case", ILLEGAL)
async def test_what_may_not_be_said_in_a_session(edge: Edge, case: str) -> None:
    message, ending = ILLEGAL[case]
    socket = await edge.live()
    await say(socket, message)
    assert await closed(socket) == ending


async def test_nothing_follows_a_bye(edge: Edge) -> None:
    socket = await edge.live()
    await socket.write(
        b"".join(
            websocket.frame(BINARY, packed(message))
            for message in (
                {"type": "bye"},
                hello(),
                {"type": "acquire", "ref": 1, "products": ["CALL_CENTER"]},
            )
        )
    )
    assert await closed(socket) == (1000, "normal")


@pytest.mark.parametrize("payload", [b"", struct.pack("!H", 1000), struct.pack("!H", 4999) + b"whatever"])
async def test_a_close_by_the_client_keeps_its_seat(edge: Edge, payload: bytes) -> None:
    socket = await edge.live()
    await socket.send(CLOSE, payload)
    code, _ = await closed(socket)
    assert code == 1000
    while (row := (await edge.store.sessions()).items[0]).state != "parked":
        await asyncio.sleep(0.005)
    assert len(row.seats) == 1


FLOODS = {
    "busy": (BINARY, packed({"type": "busy", "busy": True})),
    "ping": (PING, b"x"),
    "pong": (PONG, b"x"),
}


@pytest.mark.parametrize("flood", FLOODS)
async def test_a_flood_of_frames(edge: Edge, flood: str) -> None:
    socket = await edge.live()
    ending = asyncio.create_task(closed(socket))
    with contextlib.suppress(ConnectionError):
        while not ending.done():
            await socket.send(*FLOODS[flood])
            await asyncio.sleep(0)
    assert await ending == (4104, "rate_limited")


# -- tokens ---------------------------------------------------------------------------------------


def in_s(seconds: float) -> float:
    return time.time() + seconds


GOOD = {"exp": in_s(3600)}
BAD_TOKENS = {
    "no JWT": "x.y.z",
    "not in the compact form": "hello there",
    "alg none": handmade({"alg": "none"}, json.dumps({"sub": "alice@acme.example"}).encode()),
    "alg NONE": handmade({"alg": "NONE"}, b"{}"),
    "wrong signature": signed("another secret of at least 32 bytes", "HS256", **GOOD),
    "no signature": signed(SECRET, "HS256", **GOOD).rpartition(".")[0] + ".",
    "an algorithm without a key": signed(ED25519, "EdDSA", **GOOD),
    "an algorithm that is not allowed": signed(SECRET * 2, "HS512", **GOOD),
    "an unknown key": signed(SECRET, "HS256", header={"kid": "../../etc/passwd"}, **GOOD),
    "a critical header": signed(SECRET, "HS256", header={"crit": ["exp"]}, **GOOD),
    "another type of token": signed(SECRET, "HS256", header={"typ": "seatd-license+jwt"}, **GOOD),
    "another audience": signed(SECRET, "HS256", aud="elsewhere", **GOOD),
    "expired": signed(SECRET, "HS256", exp=in_s(-31)),
    "no end": signed(SECRET, "HS256", drop="exp"),
    "a hundred years": signed(SECRET, "HS256", exp=in_s(100 * 366 * 86400)),
    "not yet": signed(SECRET, "HS256", nbf=in_s(3600), **GOOD),
    "issued tomorrow": signed(SECRET, "HS256", iat=in_s(86400), **GOOD),
    "no user": signed(SECRET, "HS256", drop="sub", **GOOD),
    "no customer": signed(SECRET, "HS256", drop="customer", **GOOD),
    "a user without domain": signed(SECRET, "HS256", sub="alice", **GOOD),
    "a user with a NUL": signed(SECRET, "HS256", sub="al\0ice@acme.example", **GOOD),
    "a user with a line": signed(SECRET, "HS256", sub="al\nice@acme.example", **GOOD),
    "a domain with a slash": signed(SECRET, "HS256", sub="alice@acme.example/x", **GOOD),
    "a long user": signed(SECRET, "HS256", sub="a" * 255 + "@acme.example", **GOOD),
    "an empty customer": signed(SECRET, "HS256", customer="", **GOOD),
    "products of a wrong type": signed(SECRET, "HS256", products="all", **GOOD),
}


@pytest.mark.parametrize("case", BAD_TOKENS)
async def test_a_bad_token(edge: Edge, case: str) -> None:
    socket = await edge.upgraded()
    with capture_logs() as events:
        await say(socket, hello(token=BAD_TOKENS[case]))
        assert await closed(socket) == (4401, "bad_token")
    told = [event for event in events if event["event"] == "token refused"]
    assert [bool(event["reason"]) for event in told] == [True]
    assert BAD_TOKENS[case] not in str(events)


async def test_a_denial_closes(edge: Edge) -> None:
    socket = await edge.upgraded(JSON)
    await say(socket, hello(need=["MOBILE"]), JSON)
    denied = await heard(socket, JSON)
    assert (denied["type"], denied["code"]) == ("denied", "device_not_allowed")
    assert await closed(socket) == (4300, "denied")
