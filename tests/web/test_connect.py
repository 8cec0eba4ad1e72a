"""The client listener against everything that is not a good client: each has its exact refusal and leaves nothing."""

from __future__ import annotations

import asyncio
import contextlib
import struct

import pytest
from structlog.testing import capture_logs

from seatd.hub.hub import Hub
from tests.scenarios import websocket
from tests.scenarios.websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, WebSocket
from tests.servers import eventually
from tests.web.edge import (
    JSON,
    LISTED,
    MSGPACK,
    ON_THE_EDGE,
    WAIT_S,
    Edge,
    Map,
    closed,
    heard,
    hello,
    packed,
    say,
)

pytestmark = ON_THE_EDGE


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


async def test_a_crowded_node(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    early = await edge.upgraded()
    monkeypatch.setattr(Hub, "is_crowded", True)
    refusal = await edge.refused(MSGPACK)
    assert (refusal.status, int(refusal.headers["retry-after"]) > 0) == (503, True)
    assert refusal.headers["connection"] == "close"
    await say(early, hello())
    assert (await heard(early))["type"] == "welcome"


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
    await eventually(edge.is_parked)


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
