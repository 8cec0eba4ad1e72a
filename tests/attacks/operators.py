"""What an operator sees of an attack: metrics, log, REST."""

from __future__ import annotations

import json
import re
from typing import Any

import aiohttp

from tests.servers import Server


class Reply:
    """An answer of the REST API. `code` is that of a problem, "" for none."""

    def __init__(self, status: int, headers: dict[str, str], text: str) -> None:
        self.status = status
        self.headers = headers
        self.text = text

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.text)

    @property
    def code(self) -> str:
        """The code of the problem."""
        is_problem = self.headers.get("content-type", "").startswith("application/problem+json")
        return str(self.json["code"]) if is_problem else ""

    @property
    def refusal(self) -> tuple[int, str]:
        """Status and code."""
        return self.status, self.code


class Operator:
    """Calls the REST API of a node, as whoever has this token (the operator's, without)."""

    def __init__(self, server: Server, token: str | None = None) -> None:
        self.server = server
        self.token = server.token if token is None else token

    async def call(self, method: str, path: str, body: object = None, **request: Any) -> Reply:
        """One call below /api/v1; `request` as aiohttp takes it."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= request.pop("headers", {})
        if body is not None:
            request["json"] = body
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
            http.request(
                method, f"http://{self.server.admin}/api/v1{path}", headers=headers, **request
            ) as got,
        ):
            shown = {name.lower(): value for name, value in got.headers.items()}
            return Reply(got.status, shown, await got.text())

    async def get(self, path: str) -> Any:
        """What is there."""
        reply = await self.call("GET", path)
        assert reply.status == 200, reply.text
        return reply.json

    async def token_of(self, role: str, **where: object) -> Operator:
        """A program with a token of its own, and this grant."""
        body = {"name": f"a {role}", "grant": {"role": role, **where}, "days": 1}
        reply = await self.call("POST", "/tokens", body)
        assert reply.status == 200, reply.text
        return Operator(self.server, reply.json["token"])


async def metrics(server: Server) -> str:
    """The page that Prometheus reads."""
    async with aiohttp.ClientSession() as http, http.get(f"http://{server.admin}/metrics") as page:
        return await page.text()


async def counted(server: Server, series: str) -> float:
    """The value of a series such as `seatd_refused_total{reason="origin"}`; 0 when it is not there yet."""
    found = re.search(rf"^{re.escape(series)} (\S+)$", await metrics(server), re.MULTILINE)
    return float(found[1]) if found else 0.0
