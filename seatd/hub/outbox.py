"""A client's outgoing frames: bounded, sent in order, never waited for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from seatd.eager import begin
from seatd.hub.transport import Transport


class Outbox:
    """Hands frames to a transport, at once where it takes them; those that have to wait are sent in a task.

    A reader so slow that more than `limit_bytes` wait for it is reported once by `on_slow`.
    """

    def __init__(self, transport: Transport, limit_bytes: int, on_slow: Callable[[], None]) -> None:
        self._transport = transport
        self._limit_bytes = limit_bytes
        self._on_slow = on_slow
        self._frames: deque[bytes | str] = deque()
        self._waiting_bytes = 0
        self._sender: asyncio.Task[None] | None = None
        self._open = True

    def put(self, frame: bytes | str) -> None:
        """Takes a frame to be sent. Frames put after the end are dropped."""
        if not self._open:
            return
        if self._waiting_bytes + len(frame) > self._limit_bytes:
            self._open = False
            self._on_slow()
            return
        self._frames.append(frame)
        self._waiting_bytes += len(frame)
        if self._sender is None:
            self._sender = begin(self._send_all())

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
                frame = self._frames.popleft()
                await self._transport.send(frame)
                self._waiting_bytes -= len(frame)
        except ConnectionError:
            self._open = False
            self._frames.clear()
        finally:
            self._sender = None
