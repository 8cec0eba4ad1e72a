"""The cases of the Autobahn test suite (families 1 to 7, 9 and 10) that can be told of a server that echoes nothing.

A good message is one that needs no answer (`busy`); a ping behind it says whether it was taken. What Autobahn wants of its
echo server and our contract forbids (messages above 8 KiB, an empty message) has the contract's refusal here.
"""

from __future__ import annotations

import asyncio
import itertools
import struct
from collections.abc import Sequence

import pytest

from seatd_protocol.codec import MAX_FRAME
from tests.attacks.attacker import JSON, MSGPACK, Attacker
from tests.attacks.test_frames import goes_on
from tests.scenarios.websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Frame, WebSocket, frame
from tests.web.edge import closed, packed

KINDS = {MSGPACK: BINARY, JSON: TEXT}


def sized(size: int, protocol: str) -> bytes:
    """A message of this many bytes."""
    for pad in range(size):
        message = packed({"type": "busy", "busy": False, "x": "*" * pad}, protocol)
        if len(message) >= size:
            return message
    raise AssertionError("too small")


async def pieces(socket: WebSocket, opcode: int, payload: bytes, at: Sequence[int]) -> None:
    """One message, cut at these places."""
    bounds = [0, *at, len(payload)]
    last = len(bounds) - 2
    for number, (begin, end) in enumerate(itertools.pairwise(bounds)):
        await socket.send(CONTINUATION if number else opcode, payload[begin:end], fin=number == last)


# -- 1: framing; 9: limits ------------------------------------------------------------------------


@pytest.mark.parametrize("size", [45, 125, 126, 127, 128, 4096, MAX_FRAME])
@pytest.mark.parametrize("protocol", KINDS)
async def test_1_a_message_of_each_length_field(attacker: Attacker, size: int, protocol: str) -> None:
    socket = await attacker.live(protocol)
    message = sized(size, protocol)
    assert abs(len(message) - size) <= 2
    await socket.send(KINDS[protocol], message[:MAX_FRAME] if size == MAX_FRAME else message)
    assert await goes_on(socket)


@pytest.mark.parametrize("protocol", KINDS)
async def test_1_an_empty_message(attacker: Attacker, protocol: str) -> None:
    socket = await attacker.live(protocol)
    await socket.send(KINDS[protocol], b"")
    assert (await closed(socket))[0] == 4400


@pytest.mark.parametrize("cut", [1, 2, 3, 7, 64])
async def test_1_in_chops(attacker: Attacker, cut: int) -> None:
    """Frames whose bytes come in pieces of any size, two frames in one of them."""
    socket = await attacker.live()
    data = frame(BINARY, sized(200, MSGPACK)) + frame(PING, b"still there?")
    for at in range(0, len(data), cut):
        await socket.write(data[at : at + cut])
        await asyncio.sleep(0)
    assert await socket.receive() == Frame(PONG, b"still there?")


@pytest.mark.parametrize("length", [5, 125])
async def test_1_a_length_that_could_be_shorter(attacker: Attacker, length: int) -> None:
    """A length written with more bytes than it needs (RFC 6455, 5.2 forbids it): taken, as most servers do, for what it is."""
    socket = await attacker.live()
    payload = b"p" * length
    await socket.write(struct.pack("!BBH", 0x80 | PING, 0x80 | 126, length) + b"\0\0\0\0" + payload)
    code, _ = await closed(socket)
    assert code == 1002  # a control frame has no long length


# -- 2: pings and pongs ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload", [b"", b"Hello, world!", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", b"\xfe" * 125]
)
async def test_2_a_ping_comes_back(attacker: Attacker, payload: bytes) -> None:
    socket = await attacker.live()
    await socket.send(PING, payload)
    assert await socket.receive() == Frame(PONG, payload)


async def test_2_ten_pings_come_back_in_their_order(attacker: Attacker) -> None:
    socket = await attacker.live()
    await socket.write(b"".join(frame(PING, b"%d" % number) for number in range(10)))
    assert [await socket.receive() for _ in range(10)] == [
        Frame(PONG, b"%d" % number) for number in range(10)
    ]


@pytest.mark.parametrize("payload", [b"", b"unsolicited"])
async def test_2_a_pong_that_nobody_asked_for(attacker: Attacker, payload: bytes) -> None:
    socket = await attacker.live()
    await socket.send(PONG, payload)
    assert await goes_on(socket)


# -- 3: reserved bits; 4: opcodes -----------------------------------------------------------------


@pytest.mark.parametrize("reserved", range(1, 8))
@pytest.mark.parametrize("opcode", [BINARY, CLOSE, CONTINUATION])
async def test_3_reserved_bits(attacker: Attacker, reserved: int, opcode: int) -> None:
    socket = await attacker.live()
    payload = struct.pack("!H", 1000) if opcode == CLOSE else b"x"
    await socket.send(opcode, payload, reserved=reserved)
    code, _ = await closed(socket)
    assert code == 1002


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
@pytest.mark.parametrize("payload", [b"", b"reserved"])
async def test_4_reserved_opcodes(attacker: Attacker, opcode: int, payload: bytes) -> None:
    socket = await attacker.live()
    await socket.write(frame(PING, b"before") + frame(opcode, payload) + frame(PING, b"behind"))
    assert await socket.receive() == Frame(PONG, b"before")
    assert (await closed(socket))[0] == 1002


# -- 5: fragments ---------------------------------------------------------------------------------


@pytest.mark.parametrize("opcode", [PING, PONG, CLOSE])
async def test_5_a_control_frame_in_pieces(attacker: Attacker, opcode: int) -> None:
    socket = await attacker.live()
    await socket.write(frame(opcode, b"\x03\xe8", fin=False) + frame(CONTINUATION, b"rest"))
    assert (await closed(socket))[0] == 1002


@pytest.mark.parametrize("at", [(5,), (1, 2), (5, 5, 5), (0,), (0, 0, 10), tuple(range(1, 20))])
@pytest.mark.parametrize("protocol", KINDS)
async def test_5_a_message_in_pieces(attacker: Attacker, at: tuple[int, ...], protocol: str) -> None:
    socket = await attacker.live(protocol)
    await pieces(socket, KINDS[protocol], sized(60, protocol), at)
    assert await goes_on(socket)


async def test_5_a_ping_between_pieces_is_answered_at_once(attacker: Attacker) -> None:
    socket = await attacker.live()
    message = sized(60, MSGPACK)
    await socket.send(BINARY, message[:20], fin=False)
    await socket.send(PING, b"first")
    assert await socket.receive() == Frame(PONG, b"first")
    await socket.send(CONTINUATION, message[20:40], fin=False)
    await socket.send(PING, b"second")
    assert await socket.receive() == Frame(PONG, b"second")
    await socket.send(CONTINUATION, message[40:])
    assert await goes_on(socket)


@pytest.mark.parametrize(
    "data",
    [
        frame(CONTINUATION, b"x"),
        frame(CONTINUATION, b"x", fin=False),
        frame(CONTINUATION, b""),
        frame(BINARY, sized(40, MSGPACK)) + frame(CONTINUATION, b"x"),
        frame(BINARY, b"x", fin=False) + frame(BINARY, b"x"),
        frame(BINARY, b"x", fin=False) + frame(TEXT, b"x", fin=False),
        frame(BINARY, b"", fin=False) + frame(TEXT, b""),
        frame(BINARY, b"x", fin=False) + frame(PING) + frame(BINARY, b"x"),
    ],
)
async def test_5_pieces_of_nothing(attacker: Attacker, data: bytes) -> None:
    socket = await attacker.live()
    await socket.write(data)
    assert (await closed(socket))[0] == 1002


# -- 6: UTF-8 -------------------------------------------------------------------------------------

GOOD_TEXT = [
    "κόσμε",
    "\U00010000",
    "\ud7ff",
    "\ue000",
    "\U0010ffff",
    "\ufffd",
    "\ufeff",
    "\u0080",
    "\u07ff",
    "\u0800",
    "\uffff",
]
BAD_TEXT = [
    b"\xce",
    b"\xce\xba\xe1",
    b"\x80",
    b"\xbf\xbf",
    b"\xc0\xaf",
    b"\xc1\xbf",
    b"\xe0\x80\xaf",
    b"\xe0\x9f\xbf",
    b"\xf0\x80\x80\xaf",
    b"\xf8\x80\x80\x80\xaf",
    b"\xfc\x80\x80\x80\x80\xaf",
    b"\xed\xa0\x80",
    b"\xed\xad\xbf",
    b"\xed\xa0\x80\xed\xb0\x80",
    b"\xf4\x90\x80\x80",
    b"\xfe",
    b"\xff",
    b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
]


@pytest.mark.parametrize("text", GOOD_TEXT, ids=ascii)
async def test_6_good_text(attacker: Attacker, text: str) -> None:
    """Whole, cut after each byte, and as one frame for each byte."""
    socket = await attacker.live(JSON)
    message = f'{{"type":"busy","busy":false,"x":"{text}"}}'.encode()
    begin = message.index(b'"x":"') + 5
    await socket.send(TEXT, message)
    for at in range(begin + 1, begin + len(text.encode())):
        await pieces(socket, TEXT, message, (at,))
    await pieces(socket, TEXT, message, range(begin, len(message)))
    assert await goes_on(socket)


@pytest.mark.parametrize("text", BAD_TEXT, ids=lambda text: text.hex())
@pytest.mark.parametrize("cut", [False, True], ids=["whole", "byte by byte"])
async def test_6_bad_text(attacker: Attacker, text: bytes, cut: bool) -> None:
    socket = await attacker.live(JSON)
    message = b'{"type":"busy","busy":false,"x":"' + text + b'"}'
    await pieces(socket, TEXT, message, range(33, len(message)) if cut else ())
    assert (await closed(socket))[0] == 1007


# -- 7: closing -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]
)
@pytest.mark.parametrize("reason", [b"", b"x" * 123, "κόσμε".encode()])
async def test_7_a_close_is_answered(attacker: Attacker, code: int, reason: bytes) -> None:
    socket = await attacker.live()
    await socket.send(CLOSE, struct.pack("!H", code) + reason)
    assert (await closed(socket))[0] == 1000
    assert await socket.receive() is None


async def test_7_a_close_without_a_code(attacker: Attacker) -> None:
    socket = await attacker.live()
    await socket.send(CLOSE)
    assert (await closed(socket))[0] in (1000, 1005)


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999])
async def test_7_a_code_that_nobody_may_send(attacker: Attacker, code: int) -> None:
    socket = await attacker.live()
    await socket.send(CLOSE, struct.pack("!H", code))
    assert (await closed(socket))[0] == (
        1000 if code == 1006 else 1002
    )  # the library takes 1006 for a code like others


async def test_7_nothing_counts_behind_a_close(attacker: Attacker) -> None:
    socket = await attacker.live()
    await socket.write(frame(CLOSE, struct.pack("!H", 1000)) + frame(PING, b"x") + frame(BINARY, b"\xc1"))
    assert (await closed(socket))[0] == 1000


@pytest.mark.parametrize("payload", [b"\x03", b"\x03\xe8" + b"x" * 124, b"\x03\xe8\xce\xba\xe1\xbd"])
async def test_7_a_bad_close_frame(attacker: Attacker, payload: bytes) -> None:
    socket = await attacker.live()
    await socket.send(CLOSE, payload)
    assert (await closed(socket))[0] == (1007 if payload.endswith(b"\xbd") else 1002)
