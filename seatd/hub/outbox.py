"""A client's outgoing frames: bounded, sent in order, never waited for."""

from __future__ import annotations

import asyncio

from seatd.eager import begin
from seatd.hub.transport import Transport


class Outbox:
    """Hands frames to a transport, at once where it takes them; those that have to wait are sent in a task.

    A reader so slow that more than `limit_bytes` wait for it gets no more.
    """

    __slots__ = ("_frames", "_limit_bytes", "_open", "_sender", "_transport", "_waiting_bytes")

    def __init__(self, transport: Transport, limit_bytes: int) -> None:
        self._transport = transport
        self._limit_bytes = limit_bytes
        self._frames: list[bytes | str] = []  # mostly empty: an empty deque takes 600 bytes more
        self._waiting_bytes = 0
        self._sender: asyncio.Task[None] | None = None
        self._open = True

    def put(self, frame: bytes | str) -> bool:
        """Takes a frame to be sent; False, once, when too much waits already. Frames put after the end are dropped."""
        if not self._open:
            return True
        if self._waiting_bytes + len(frame) > self._limit_bytes:
            self._open = False
            return False
        self._frames.append(frame)
        self._waiting_bytes += len(frame)
        if self._sender is None:
            self._sender = begin(self._send_all())
        return True

    async def finish(self, timeout_s: float) -> bool:
        """Takes no more frames and waits for those it has. False when the client did not take them in time."""
        self._open = False
        sender = self._sender
        if sender is None:
            return True
        done, _ = await asyncio.wait([sender], timeout=timeout_s)
        if not done:
            sender.cancel()
        return bool(done)

    async def _send_all(self) -> None:
        try:
            while self._frames:
                frame = self._frames.pop(0)
                await self._transport.send(frame)
                self._waiting_bytes -= len(frame)
        except ConnectionError:
            self._open = False
            self._frames.clear()
        finally:
            self._sender = None
