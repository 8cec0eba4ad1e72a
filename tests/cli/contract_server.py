"""A small HTTP server that answers like the REST contract, for the verbs that speak to one.

It runs in a thread of its own on a free port, keeps what was asked of it, and answers from a script: path and
method -> status and body.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from aiohttp import web

TOKEN = "the-operators-token"


class Asked(NamedTuple):
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    body: Any


class ContractServer:
    """`answers` maps "METHOD /path" (still encoded) to (status, body); a body of bytes goes out as it is."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.answers: dict[str, tuple[int, object]] = {}

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        path = request.rel_url.raw_path
        self.asked.append(Asked(request.method, path, dict(request.query), body))
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _answer(401, problem("unauthenticated", "A valid API token is needed", 401))
        status, answer = self.answers.get(
            f"{request.method} {path}", (404, problem("not_found", "There is nothing here", 404))
        )
        return _answer(status, answer)


def problem(
    code: str, title: str, status: int, *, detail: str = "", errors: object = ()
) -> dict[str, object]:
    """An application/problem+json body."""
    kind = f"urn:seatd:problem:{code}"
    return {
        "type": kind, "title": title, "status": status, "detail": detail or title, "code": code, "errors": errors,
    }  # fmt: skip


def _answer(status: int, body: object) -> web.Response:
    if body is None:
        return web.Response(status=status)
    if isinstance(body, bytes):
        return web.Response(status=status, body=body)
    kind = "application/problem+json" if status >= 400 else "application/json"
    return web.Response(status=status, text=json.dumps(body), content_type=kind)


@contextmanager
def contract_server() -> Iterator[ContractServer]:
    """The server, running."""
    server = ContractServer()
    loop = asyncio.new_event_loop()

    async def start() -> web.ServerRunner:
        runner = web.ServerRunner(web.Server(server.handle))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        server.url = f"http://{host}:{port}"
        return runner

    runner = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
