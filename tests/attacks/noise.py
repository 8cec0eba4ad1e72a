"""Floods a server, while a test measures what others notice: `python -m tests.attacks.noise KIND ADDRESS < tokens`.

`messages`: one socket for each token, each of which sends requests as fast as it can, and comes back whenever it is closed.
`requests`: one socket for each token, each of which keeps just below the rate at which it would be closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys

from seatd_protocol.codec import CODECS
from seatd_protocol.messages import Acquire, Device, Hello
from tests.scenarios import websocket
from tests.scenarios.websocket import BINARY, WebSocket

PAUSE_S = {"messages": 0.0, "requests": 1 / 19}
CODEC = CODECS["seatd.v1.msgpack"]
REQUEST = CODEC.encode(Acquire(ref=1, products=("CALL_CENTER",)))


async def flood(kind: str, address: str, token: str, number: int) -> None:
    """One client, for ever."""
    hello = CODEC.encode(Hello(token=token, device=Device(kind="desktop", id=f"n{number}"), need=()))
    assert isinstance(hello, bytes)
    assert isinstance(REQUEST, bytes)
    while True:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            socket = await websocket.upgrade(address)
            if isinstance(socket, WebSocket):
                reading = asyncio.create_task(until_closed(socket))
                await socket.send(BINARY, hello)
                await asyncio.sleep(random.random() * PAUSE_S[kind])  # people are not in step
                while not reading.done():
                    await socket.send(BINARY, REQUEST)
                    await asyncio.sleep(PAUSE_S[kind])
                socket.abort()
        await asyncio.sleep(0.05)


async def until_closed(socket: WebSocket) -> None:
    """Reads, and answers no beat."""
    while (frame := await socket.receive()) is not None and frame.opcode != websocket.CLOSE:
        pass


async def main(kind: str, address: str, tokens: list[str]) -> None:
    """All of them at once."""
    await asyncio.gather(*(flood(kind, address, token, number) for number, token in enumerate(tokens)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.stdin.read().split()))
