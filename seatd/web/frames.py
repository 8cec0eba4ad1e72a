"""What RFC 6455 forbids in a client's frames and the library lets pass.

It takes frames without a mask (section 5.1), a new message in the middle of one whose first piece was empty (5.4), and pieces
without end as long as they are empty: those cost time, no memory, and never become a message that could be counted.
"""

from __future__ import annotations

import struct
from typing import Protocol

MOST_PIECES = 64
"""Of one message. A frame of ours holds 8 KiB; whoever cuts it smaller than 128 bytes does so to be a nuisance."""

_NOT_WEBSOCKET = b"\x83\x80\0\0\0\0"  # a reserved opcode: 1002
_TOO_BIG = struct.pack("!BBQI", 0x82, 0xFF, 2**62, 0)  # the length of what no memory holds: 1009
_MASK = 4
_LONGEST_HEAD = 10


class Reader(Protocol):
    """What a socket's bytes are fed to."""

    def feed_data(self, data: bytes, /) -> tuple[bool, bytes]:
        """Takes bytes; True when no more are wanted."""

    def feed_eof(self) -> None:
        """There are no more."""


class FrameGuard:
    """Stands before the library's reader and looks at the head of each frame. In place of one that may not be, the reader gets
    one that it refuses by itself, with the right close code."""

    __slots__ = ("_head", "_left", "_pieces", "_reader")

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._head = b""
        self._left = 0
        self._pieces = 0

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Takes bytes as they come, whole frames or not. The beginning of a head waits here for the rest of it."""
        if self._head:
            data, self._head = self._head + data, b""
        at, size = 0, len(data)
        while at < size:
            if self._left:
                step = min(self._left, size - at)
                self._left -= step
                at += step
                continue
            head = data[at : at + _LONGEST_HEAD]
            length = _length(head)
            if len(head) < length:
                data, self._head = data[:at], head
                break
            if poison := self._judged(head):
                return self._reader.feed_data(data[:at] + poison)
            self._left = _payload(head, length) + _MASK
            at += length
        return self._reader.feed_data(data) if data else (False, b"")

    def feed_eof(self) -> None:
        """The socket has ended."""
        self._reader.feed_eof()

    def _judged(self, head: bytes) -> bytes:
        """What to feed the reader in place of a frame; b"": the frame is good, as far as one looks here."""
        if not head[1] & 0x80:
            return _NOT_WEBSOCKET
        opcode, fin = head[0] & 0x0F, head[0] & 0x80
        if opcode >= 0x8:
            return b""
        if opcode and self._pieces:
            return _NOT_WEBSOCKET
        if opcode or self._pieces:
            self._pieces = 0 if fin else self._pieces + 1
        return _TOO_BIG if self._pieces > MOST_PIECES else b""


def _length(head: bytes) -> int:
    """Of the head of a frame, without its mask; as far as it is there to tell."""
    return 2 if len(head) < 2 else {126: 4, 127: _LONGEST_HEAD}.get(head[1] & 0x7F, 2)


def _payload(head: bytes, length: int) -> int:
    """How many bytes follow."""
    return head[1] & 0x7F if length == 2 else int.from_bytes(head[2:length])
