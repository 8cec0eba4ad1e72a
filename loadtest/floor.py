"""The floor that seatd is held against: a bare aiohttp WebSocket that echoes, on the same event loop. It knows no seats.

As a program it is the server: it prints its port and serves until it is killed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiohttp import WSMsgType, web

from loadtest.clients.connection import Place

PROTOCOL = "seatd.v1.msgpack"


class Floor(NamedTuple):
    """A bare server."""

    pid: int
    place: Place


@asynccontextmanager
async def floor() -> AsyncIterator[Floor]:
    """One in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "loadtest.floor", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        port = int(await process.stdout.readline())
        yield Floor(process.pid, Place("127.0.0.1", port, tls=False))
    finally:
        process.kill()
        await process.wait()


async def _echo(request: web.Request) -> web.WebSocketResponse:
    ws = web.WebSocketResponse(protocols=(PROTOCOL,), compress=False, autoping=False)
    await ws.prepare(request)
    async for message in ws:
        if message.type is WSMsgType.BINARY:
            await ws.send_bytes(message.data)
    return ws


async def _serve() -> None:
    app = web.Application()
    app.router.add_get("/v1/connect", _echo)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Serves until it is killed."""
    import gc

    import uvloop

    from seatd import descriptors

    descriptors.raise_limit()
    gc.collect()
    gc.freeze()
    uvloop.run(_serve())


if __name__ == "__main__":
    main()
