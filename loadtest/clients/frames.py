"""WebSocket frames (RFC 6455) as a client writes and reads them; of what is optional, nothing."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
_NO_MASK = (
    b"\0\0\0\0"  # a mask is demanded of clients; one that changes nothing is allowed, and costs nothing
)


class Frame(NamedTuple):
    """A frame of the server's, which never splits a message."""

    opcode: int
    payload: bytes


def frame(opcode: int, payload: bytes) -> bytes:
    """The bytes of a client's frame."""
    size = len(payload)
    short = size < 126  # and no message of the contract is larger than two bytes can tell
    length = struct.pack("!B", 0x80 | size) if short else struct.pack("!BH", 0x80 | 126, size)
    return bytes((0x80 | opcode,)) + length + _NO_MASK + payload


class Frames:
    """Takes bytes as they come, and gives whole frames."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are complete now."""
        self._rest += data
        while (found := self._first()) is not None:
            start, end, opcode = found
            payload, self._rest = self._rest[start:end], self._rest[end:]
            yield Frame(opcode, payload)

    def _first(self) -> tuple[int, int, int] | None:
        rest = self._rest
        if len(rest) < 2:
            return None
        start, size = 2, rest[1] & 0x7F
        if size >= 126:
            width = 2 if size == 126 else 8
            if len(rest) < 2 + width:
                return None
            start, size = 2 + width, int.from_bytes(rest[2 : 2 + width], "big")
        return None if len(rest) < start + size else (start, start + size, rest[0] & 0x0F)
