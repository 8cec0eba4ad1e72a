"""Frames that are no WebSocket's, too large, without end, or too many."""

from __future__ import annotations

import asyncio
import contextlib
import re
import struct
import zlib
from pathlib import Path

import pytest

from seatd.web.frames import MOST_PIECES
from seatd_protocol.codec import MAX_FRAME
from tests.attacks.attack import attack
from tests.attacks.attacker import JSON, MSGPACK, Attacker
from tests.attacks.operators import counted
from tests.scenarios.websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, WebSocket, frame
from tests.servers import Server
from tests.web.edge import closed, packed

BUSY = packed({"type": "busy", "busy": False})


def unmasked(opcode: int, payload: bytes) -> bytes:
    return struct.pack("!BB", 0x80 | opcode, len(payload)) + payload


def memory_kb(server: Server) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found
    return int(found[1])


async def goes_on(socket: WebSocket) -> bool:
    """Whether the connection still answers a ping."""
    await socket.send(PING, b"still there?")
    while (got := await socket.receive()) is not None:
        if got.opcode == PONG:
            return got.payload == b"still there?"
        if got.opcode == CLOSE:
            return False
    return False


NOT_WEBSOCKET = {
    "no mask": unmasked(BINARY, BUSY),
    "a ping without a mask": unmasked(PING, b"x"),
    "reserved bit 2": frame(BINARY, BUSY, reserved=0b010),
    "reserved bit 3": frame(BINARY, BUSY, reserved=0b001),
    "reserved opcode 3": frame(0x3, b"x"),
    "reserved opcode 15": frame(0xF, b"x"),
    "a ping of 126 bytes": frame(PING, b"x" * 126),
    "a close frame of 126 bytes": frame(CLOSE, b"\x03\xe8" + b"x" * 124),
    "half a ping": frame(PING, b"x", fin=False),
    "half a close": frame(CLOSE, b"\x03\xe8", fin=False),
    "a continuation of nothing": frame(CONTINUATION, b"x"),
    "a message within a message": frame(BINARY, BUSY[:3], fin=False) + frame(BINARY, BUSY),
    "the same after an empty piece": frame(BINARY, b"", fin=False) + frame(BINARY, BUSY),
    "a close frame of one byte": frame(CLOSE, b"x"),
    "close code 1005": frame(CLOSE, struct.pack("!H", 1005)),
    "close code 999": frame(CLOSE, struct.pack("!H", 999)),
}


@attack(
    "S15",
    "frames without a mask, reserved bits and opcodes, control frames in pieces or above 125 bytes, a message within a "
    "message, close codes out of range",
    "1002, before a `hello` and in a session",
)
@pytest.mark.parametrize("case", NOT_WEBSOCKET)
@pytest.mark.parametrize("when", ["first", "live"])
async def test_s15_no_websocket(attacker: Attacker, case: str, when: str) -> None:
    socket = await (attacker.live() if when == "live" else attacker.upgraded())
    await socket.write(NOT_WEBSOCKET[case])
    assert (await closed(socket))[0] == 1002


@attack(
    "S15",
    "the same, its bytes one at a time",
    "1002: how bytes are cut up changes nothing",
)
@pytest.mark.parametrize("case", ["no mask", "the same after an empty piece"])
async def test_s15_byte_by_byte(attacker: Attacker, case: str) -> None:
    socket = await attacker.upgraded()
    ending = asyncio.create_task(closed(socket))
    with contextlib.suppress(ConnectionError):
        for byte in NOT_WEBSOCKET[case]:
            await socket.write(bytes([byte]))
            await asyncio.sleep(0.002)
    assert (await ending)[0] == 1002


@attack(
    "S16",
    "text that is not UTF-8: overlong, surrogates, cut short, cut between two fragments; in a close frame, too",
    "1007; good text whose characters are cut by fragments is taken",
)
@pytest.mark.parametrize(
    "data",
    [
        frame(TEXT, b"\xc0\xaf"),
        frame(TEXT, b"\xed\xa0\x80"),
        frame(TEXT, b"\xf4\x90\x80\x80"),
        frame(TEXT, b'{"type":"\xce'),
        frame(TEXT, b'{"type":"\xce', fin=False) + frame(CONTINUATION, b'"}'),
        frame(TEXT, b'{"type":"', fin=False) + frame(CONTINUATION, b'\xff"}'),
        frame(CLOSE, struct.pack("!H", 1000) + b"\xff"),
    ],
)
async def test_s16_text_that_is_not_utf8(attacker: Attacker, data: bytes) -> None:
    socket = await attacker.live(JSON)
    await socket.write(data)
    assert (await closed(socket))[0] == 1007


async def good_text(attacker: Attacker) -> WebSocket:
    socket = await attacker.live(JSON)
    text = '{"type":"busy","busy":false,"later":"κόσμε"}'.encode()
    at = text.index("ό".encode()) + 1
    await socket.send(TEXT, text[:at], fin=False)
    await socket.send(CONTINUATION, text[at:])
    return socket


@attack("S16", "a character that is cut by two fragments", "taken: it is good text")
async def test_s16_a_character_in_two_pieces(attacker: Attacker) -> None:
    assert await goes_on(await good_text(attacker))


@attack(
    "S17",
    "a message of the limit, one byte more, far more, and one whose header says 2^62 bytes",
    "8,192 bytes are taken, more is 4400, from 64 KiB on 1009 by the header alone: nothing is allocated for what is announced",
)
@pytest.mark.parametrize(
    ("size", "code"), [(MAX_FRAME, 0), (MAX_FRAME + 1, 4400), (65_535, 4400), (65_536, 1009), (10**6, 1009)]
)
async def test_s17_large_messages(attacker: Attacker, size: int, code: int) -> None:
    socket = await attacker.live()
    empty = packed({"type": "busy", "busy": False, "more": "x" * 1000})
    more = "x" * (1000 + size - len(empty) - (2 if size > 65_536 + 34 else 0))
    message = packed({"type": "busy", "busy": False, "more": more})
    with contextlib.suppress(ConnectionError):
        await socket.send(BINARY, message[:size])
    if code:
        assert (await closed(socket))[0] == code
    else:
        assert await goes_on(socket)


@attack(
    "S17", "a hundred sockets that each announce 2^62 bytes", "1009 each; the server's memory does not notice"
)
async def test_s17_huge_headers(server: Server, attacker: Attacker) -> None:
    sockets = [await attacker.upgraded() for _ in range(100)]
    before_kb = memory_kb(server)
    for socket in sockets:
        await socket.write(struct.pack("!BBQ", 0x82, 0xFF, 2**62) + b"\0\0\0\0")
    assert {(await closed(socket))[0] for socket in sockets} == {1009}
    assert memory_kb(server) - before_kb < 8 * 1024


@attack(
    "S18",
    "a message in pieces without end: empty, of one byte, of a thousand",
    f"1009 after {MOST_PIECES} pieces, or beyond 64 KiB; pings between them count as messages",
)
@pytest.mark.parametrize("piece", [b"", b"x", b"x" * 1000], ids=["empty", "one byte", "1,000 bytes"])
async def test_s18_endless_pieces(attacker: Attacker, piece: bytes) -> None:
    """(Sent at once, and no more than that: what is sent after the close frame would make TCP drop it.)"""
    socket = await attacker.live()
    await socket.write(frame(BINARY, piece, fin=False) + frame(CONTINUATION, piece, fin=False) * MOST_PIECES)
    assert (await closed(socket))[0] == 1009


@attack("S18", "a message in as many pieces as there may be, all but one of them empty", "taken")
async def test_s18_a_message_in_many_pieces(attacker: Attacker) -> None:
    socket = await attacker.live()
    await socket.write(
        frame(BINARY, BUSY, fin=False)
        + frame(CONTINUATION, b"", fin=False) * (MOST_PIECES - 1)
        + frame(CONTINUATION)
    )
    assert await goes_on(socket)


def deflated(data: bytes) -> bytes:
    """A message as permessage-deflate would send it."""
    packer = zlib.compressobj(wbits=-15)
    return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


@attack(
    "S19",
    "a deflate bomb: 8 MiB of zeros in 8 KiB, with the offer of permessage-deflate",
    "1002: nothing is ever inflated, for compression is not spoken; the server's memory does not notice",
)
async def test_s19_a_deflate_bomb(server: Server, attacker: Attacker) -> None:
    bomb = deflated(b"\0" * 8 * 1024 * 1024)
    before_kb = memory_kb(server)
    for _ in range(10):
        socket = await attacker.upgraded(MSGPACK, "Sec-WebSocket-Extensions: permessage-deflate")
        await socket.send(BINARY, bomb, reserved=0b100)
        assert (await closed(socket))[0] == 1002
    assert memory_kb(server) - before_kb < 8 * 1024


@attack(
    "S20",
    "thousands of small deflate streams in one message, to burn the CPU (quadratic in older libraries)",
    "1002: nothing is inflated; others are answered meanwhile",
)
async def test_s20_many_deflate_members(attacker: Attacker) -> None:
    bomb = deflated(b"x") * 2000
    bystander = await attacker.live()
    for _ in range(10):
        socket = await attacker.upgraded(MSGPACK, "Sec-WebSocket-Extensions: permessage-deflate")
        await socket.send(BINARY, bomb, reserved=0b100)
        assert (await closed(socket))[0] == 1002
    assert await goes_on(bystander)


FLOODS = {
    "pings": (PING, b"x", 4104),
    "pongs": (PONG, b"x", 4104),
    "messages": (BINARY, BUSY, 4104),
    "empty frames": (BINARY, b"", 4400),
}


@attack(
    "S21",
    "floods of pings, pongs, empty frames; a close frame again and again",
    "each frame counts as a message: 40 at once and 20 a second (`sessions.messages_per_s`), then 4104 `rate_limited`; an "
    "empty frame is 4400; after a close frame nothing is read",
)
@pytest.mark.parametrize("flood", FLOODS)
async def test_s21_floods(server: Server, attacker: Attacker, flood: str) -> None:
    opcode, payload, code = FLOODS[flood]
    socket = await attacker.live()
    series = 'seatd_sessions_closed_total{code="rate_limited"}'
    before = await counted(server, series)
    ending = asyncio.create_task(closed(socket))
    with contextlib.suppress(ConnectionError):
        while not ending.done():
            await socket.send(opcode, payload)
            await asyncio.sleep(0)
    assert (await ending)[0] == code
    if code == 4104:
        while await counted(server, series) == before:
            await asyncio.sleep(0.01)


@attack("S21", "a close frame a thousand times", "answered once")
async def test_s21_close_frames(attacker: Attacker) -> None:
    socket = await attacker.live()
    with contextlib.suppress(ConnectionError):
        await socket.write(frame(CLOSE, struct.pack("!H", 1000)) * 1000)
    first = await socket.receive()
    assert first is not None
    assert first.opcode == CLOSE
    assert await socket.receive() is None
