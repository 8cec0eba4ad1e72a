"""Frames that are no messages, or no WebSocket at all: the exact refusal of each, before a hello and in a session."""

from __future__ import annotations

import asyncio
import contextlib
import struct

import pytest

from seatd_protocol.codec import MAX_FRAME
from tests.scenarios import websocket
from tests.scenarios.websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT
from tests.web.edge import (
    JSON,
    MSGPACK,
    ON_THE_EDGE,
    Edge,
    Map,
    closed,
    heard,
    hello,
    packed,
    say,
)

pytestmark = ON_THE_EDGE


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
