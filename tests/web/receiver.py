"""A real receiver of webhooks, which answers as a test wishes and checks every signature as the documentation shows it."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

from aiohttp import web

DOCS = Path(__file__).parents[2] / "docs" / "webhooks.md"


def documented_receiver(secret: str) -> dict[str, Any]:
    """What the example of docs/webhooks.md defines."""
    found = re.search(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert found
    names: dict[str, Any] = {"__name__": "receiver"}
    exec(found[1], names)
    names["SECRET"] = secret.encode()
    return names


class Receiver:
    """`statuses` are answered in turn, the last one for ever; 0: it never answers. `got` has what came."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses or (204,))
        self.got: list[dict[str, Any]] = []
        self.raw: list[tuple[str, bytes]] = []
        self.headers: list[dict[str, str]] = []
        self.now = self.most = 0

    @property
    def ids(self) -> list[str]:
        return [body["id"] for body in self.got]

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._receive)
        return app

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.raw.append((request.headers["Seatd-Signature"], body))
        self.headers.append(dict(request.headers))
        self.got.append(json.loads(body))
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
            if status == 0:
                await asyncio.sleep(60)
            await asyncio.sleep(0)
            location = {"Location": "http://169.254.169.254/"} if status in (302, 307) else {}
            return web.Response(status=status, headers=location)
        finally:
            self.now -= 1
