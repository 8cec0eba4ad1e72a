"""A request's age is what it has waited for the event loop, not what the client took to connect or say."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest
from aiohttp import web

from seatd.web.waited import TCP_INFO, waited_s

BUSY_S = 0.3


@pytest.mark.skipif(TCP_INFO is None, reason="only Linux tells")
async def test_how_long_a_request_has_waited() -> None:
    told: list[float] = []

    async def handler(request: web.Request) -> web.Response:
        told.append(waited_s(request.get_extra_info("socket")))
        return web.Response()

    app = web.Application()
    app.router.add_get("/", handler)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    wire = socket.create_connection(runner.addresses[0])
    reader, writer = await asyncio.open_connection(sock=wire)
    await asyncio.sleep(BUSY_S)  # the client has not said anything yet: it is not kept waiting
    for busy_s in (0.0, BUSY_S):
        before_s = time.monotonic()
        wire.send(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        time.sleep(busy_s)  # noqa: ASYNC251 -- the loop is kept from turning: that is the point
        await reader.readuntil(b"\r\n\r\n")
        assert busy_s * 0.9 <= told[-1] <= time.monotonic() - before_s + 0.05
    writer.close()
    await runner.cleanup()
