"""Frames are whole, however the bytes come."""

from __future__ import annotations

import pytest

from loadtest.clients.frames import BINARY, TEXT, Frames, frame


def of_server(opcode: int, payload: bytes) -> bytes:
    size = len(payload)
    head = bytes((0x80 | opcode,))
    if size < 126:
        return head + bytes((size,)) + payload
    if size < 65536:
        return head + b"\x7e" + size.to_bytes(2, "big") + payload
    return head + b"\x7f" + size.to_bytes(8, "big") + payload


@pytest.mark.parametrize("step", [1, 2, 3, 100, 1_000_000])
def test_in_pieces(step: int) -> None:
    sizes = (0, 1, 125, 126, 65535, 65536)
    data = b"".join(of_server(BINARY, b"x" * size) for size in sizes)
    frames = Frames()
    found = [one for start in range(0, len(data), step) for one in frames.feed(data[start : start + step])]
    assert [(one.opcode, len(one.payload)) for one in found] == [(BINARY, size) for size in sizes]


@pytest.mark.parametrize("size", [0, 125, 126, 8192])
def test_a_client_masks(size: int) -> None:
    data = frame(TEXT, b"x" * size)
    assert data[0] == 0x80 | TEXT
    assert data[1] & 0x80
    assert data.endswith(b"\0\0\0\0" + b"x" * size)
