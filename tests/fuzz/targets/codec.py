"""Frames of clients and servers, as bytes and as text."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgpack

from seatd_protocol.codec import CODECS, MAX_FRAME, BadMessage
from tests.fuzz.target import Target
from tests.protocol.vectors.frames import accepted, bad_bytes, bad_trees
from tests.protocol.vectors.maps import CLIENT_MAPS, SERVER_MAPS


def run(data: bytes) -> None:
    """Refused with a short reason, or a message that stays the same there and back."""
    for codec in CODECS.values():
        frame = data if codec.binary else data.decode("utf-8", "replace")
        for decode in (codec.decode_client, codec.decode_server):
            try:
                message = decode(frame)
            except BadMessage as refusal:
                assert len(refusal.reason) < 200
                assert refusal.reason.isascii()
                continue
            if len(data) < MAX_FRAME // 4:  # written again it may be longer: numbers, escapes
                assert decode(codec.encode(message)) == message


def seeds() -> Iterator[bytes]:
    for fields in (*CLIENT_MAPS.values(), *SERVER_MAPS.values()):
        yield msgpack.packb(fields)
        yield json.dumps(fields, separators=(",", ":")).encode()
    for vector in (*accepted(), *bad_bytes(), *bad_trees()):
        whole = b"".join(_part(vector, part) * times for part, times in vector["parts"])
        if len(whole) < 600:
            yield whole


def _part(vector: dict[str, object], part: str) -> bytes:
    return (
        part.encode()
        if str(vector["subprotocol"]).endswith("json") or vector.get("kind") == "text"
        else bytes.fromhex(part)
    )


KEYS = (
    "type",
    "token",
    "device",
    "need",
    "want",
    "resume",
    "session",
    "secret",
    "wait_s",
    "hello",
    "alive",
    "refresh",
)
TARGET = Target(
    "codec",
    run,
    seeds,
    (*map(str.encode, KEYS), *map(msgpack.packb, KEYS), b"\xdf\xff\xff\xff\xff", b"\xc7", b"[" * 9),
)
