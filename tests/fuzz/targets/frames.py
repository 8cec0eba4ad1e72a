"""What a client's socket brings, to a whole server: WebSocket frames that are none, and messages in good frames."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Iterator

import msgpack

from tests.fuzz.server import Watch, answer, server
from tests.fuzz.target import Target
from tests.hub.token_factory import SECRET, signed

UPGRADE = (
    "GET /v1/connect HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: seatd.v1.{}\r\n\r\n"
)
TEXT, BINARY = 0x81, 0x82
CLOSE = b"\x88\x82\x00\x00\x00\x00\x03\xe8"
PART = b"\n--\n"
WATCH = Watch()


def run(data: bytes) -> None:
    """The first byte: raw bytes after the upgrade (r), messages in JSON (j) or msgpack (m), or after a good hello (J, M)."""
    mode, rest = chr(data[0] if data else 0), data[1:]
    if mode.lower() not in "jm":
        sent = [rest]
    else:
        kind = TEXT if mode.lower() == "j" else BINARY
        first = [_hello(kind)] if mode.isupper() else []
        sent = [*(_frame(kind, message) for message in (*first, *rest.split(PART))), CLOSE]
    upgrade = UPGRADE.format("json" if mode.lower() == "j" else "msgpack").encode()
    got = answer(server().clients, upgrade, *sent, silence_s=0.05)
    assert got.startswith((b"HTTP/1.1 101", b"HTTP/1.1 503")) or not got
    WATCH.look()


def _hello(kind: int) -> bytes:
    token = signed(SECRET, "HS256", sub="ann@acme.example", exp=int(time.time()) + 3600)
    hello = {
        "type": "hello",
        "token": token,
        "device": {"kind": "desktop", "id": "d1"},
        "need": ["CALL_CENTER"],
    }
    return json.dumps(hello).encode() if kind == TEXT else msgpack.packb(hello)


def _frame(head: int, payload: bytes) -> bytes:
    """A client's frame (RFC 6455 section 5.2), masked with zeros."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 65536:
        length = struct.pack("!BH", 0xFE, size)
    else:
        length = struct.pack("!BQ", 0xFF, size)
    return bytes([head]) + length + bytes(4) + payload


def seeds() -> Iterator[bytes]:
    messages: list[dict[str, object]] = [
        {"type": "alive", "n": 1},
        {"type": "acquire", "id": 1, "products": ["EMAIL"]},
        {"type": "release", "id": 2, "products": ["EMAIL"]},
        {"type": "busy", "busy": True},
        {"type": "refresh", "token": "e30.e30.e30"},
        {"type": "bye"},
    ]
    yield b"J" + PART.join(json.dumps(message).encode() for message in messages)
    yield b"M" + PART.join(msgpack.packb(message) for message in messages)
    yield b"j" + _hello(TEXT)
    yield b"m" + _hello(BINARY)
    yield b"r" + _frame(BINARY, _hello(BINARY)) + _frame(BINARY, msgpack.packb(messages[0])) + CLOSE
    yield b"r" + b"\x89\x80\x00\x00\x00\x00" + b"\x02\x81\x00\x00\x00\x00a" + b"\x80\x81\x00\x00\x00\x00b"


WORDS = (
    PART,
    b"\x88\x80\x00\x00\x00\x00",
    b"\x8a\x80",
    b"\xc1",
    b"\x82\xff\x7f\xff\xff\xff",
    b'"type":"resume"',
    b'"wait_s":30',
    b'"resume":{"session":"a","secret":"b"}',
    b"\xf8",
)
TARGET = Target("frames", run, seeds, WORDS)
