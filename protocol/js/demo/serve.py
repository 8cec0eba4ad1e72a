"""The demo's web phone: its page, tokens for whoever asks, and a line to the server that can be cut.

It plays on the server that runs with the data folder (`./dev run`), or on a private one that ends with it. Everybody who
reaches this address gets a token of the demo's customer, so it listens on this machine alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import click
import jwt
from aiohttp import WSMsgType, web

from seatd.cli.answers import Imported, Receipts
from seatd.cli.demo_server import Stage, stage
from seatd.cli.demo_story import Cast
from seatd.cli.rest import call, decoded
from seatd.cli.token import client_claims
from seatd_protocol.codec import CODECS, MAX_SERVER_FRAME

HERE = Path(__file__).parent
TOKEN_S = 90  # short, so that the phone is seen to renew it
COOLDOWN_S = 20
POLICY = "default-src 'self'; connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'"


class Lines:
    """The lines of all phones to the server. A user's lines can be cut, and stay so for a while."""

    def __init__(self, server: str) -> None:
        self._server = f"{server}/v1/connect"
        self._open: dict[str, set[asyncio.Transport]] = {}
        self._cut_until_s: dict[str, float] = {}

    def cut(self, user: str, seconds: float) -> None:
        """Breaks this user's connections without a close frame; further ones are not accepted meanwhile."""
        self._cut_until_s[user] = time.monotonic() + seconds
        for wire in self._open.get(user, ()):
            wire.abort()

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Passes messages and close codes on, both ways."""
        user = request.match_info["user"]
        if time.monotonic() < self._cut_until_s.get(user, 0.0):
            return web.Response(status=503)
        phone = web.WebSocketResponse(protocols=tuple(CODECS), compress=False)
        await phone.prepare(request)
        wire = request.transport
        if wire is None:
            return phone
        mine = self._open.setdefault(user, set())
        mine.add(wire)
        try:
            async with (
                aiohttp.ClientSession() as http,
                http.ws_connect(
                    self._server, protocols=[phone.ws_protocol or ""], max_msg_size=MAX_SERVER_FRAME + 1
                ) as server,
            ):
                await _joined(phone, server)
        except aiohttp.ClientError:
            await phone.close(code=4103)
        finally:
            mine.discard(wire)
            if not phone.closed:
                wire.abort()  # the server's end had no close frame, so this one has none
        return phone


Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


async def _joined(phone: Socket, server: Socket) -> None:
    """Until one side ends; then the other does, with the same code, or without one."""
    ways = {asyncio.create_task(_pass(phone, server)), asyncio.create_task(_pass(server, phone))}
    _, left = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    for way in left:
        way.cancel()
    await asyncio.gather(*left, return_exceptions=True)


async def _pass(source: Socket, target: Socket) -> None:
    async for message in source:
        with contextlib.suppress(ConnectionError):
            if message.type is WSMsgType.TEXT:
                await target.send_str(message.data)
            else:
                await target.send_bytes(message.data)
    if source.close_code is not None and source.close_code != aiohttp.WSCloseCode.ABNORMAL_CLOSURE:
        await target.close(code=source.close_code)


class Phones:
    """What the page asks for."""

    def __init__(self, found: Stage) -> None:
        self.cast = Cast(found)
        self.lines = Lines(found.clients_url.removesuffix("/v1/connect"))
        self._secret = found.files.secret.read_text("utf-8").strip()

    def app(self) -> web.Application:
        """The page, the client's files, and its calls."""
        app = web.Application()
        app.on_response_prepare.append(_guarded)
        app.router.add_get("/", _page)
        app.router.add_get("/line/{user}", self.lines.connect)
        app.router.add_post("/token/{user}", self._token)
        app.router.add_post("/cut/{user}", self._cut)
        app.router.add_post("/logout/{user}", self._logout)
        app.router.add_static("/demo", HERE)
        app.router.add_static("/client", HERE.parent)
        return app

    async def _token(self, request: web.Request) -> web.Response:
        user = self.cast.user(request.match_info["user"])
        claims = client_claims(user, self.cast.customer, ttl_s=TOKEN_S, now_s=int(time.time()))
        return web.json_response({"token": jwt.encode(claims, self._secret, "HS256")})

    async def _cut(self, request: web.Request) -> web.Response:
        self.lines.cut(request.match_info["user"], float((await request.json())["seconds"]))
        return web.json_response({})

    async def _logout(self, request: web.Request) -> web.Response:
        """What an administrator does; answers the receipts."""
        body = {
            "users": [self.cast.user(request.match_info["user"])],
            "reason": "The demo's administrator has ended this session",
            "cooldown_s": COOLDOWN_S,
        }
        answer = decoded(await call(self.cast.stage.server, "POST", "logout", body=body), Receipts)
        receipts = [{"outcome": one.outcome, "milliseconds": one.milliseconds} for one in answer.sessions]
        return web.json_response({"receipts": receipts})


async def _page(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(HERE / "index.html")


async def _guarded(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"


@contextlib.asynccontextmanager
async def served(data: Path, port: int) -> AsyncIterator[str]:
    """The page's address, while a license of two seats is there for its users."""
    async with stage(data) as found:
        phones = Phones(found)
        key = phones.cast.license_key()
        decoded(await call(found.server, "POST", "licenses", body={"key": key}), Imported)
        runner = web.AppRunner(phones.app(), access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
        finally:
            await runner.cleanup()
            await call(found.server, "DELETE", "licenses", phones.cast.license)


@click.command()
@click.option(
    "--data", type=click.Path(path_type=Path), default=Path(".seatd"), help="Data folder of the server."
)
@click.option("--port", type=int, default=8480, help="Where the page is served; 0 takes a free one.")
def main(data: Path, port: int) -> None:
    """Serve a web phone for demonstrations. Open it in several tabs: each is a phone of its own, and there are two seats."""

    async def serve() -> None:
        async with served(data, port) as address:
            click.echo(f"phones at {address}  (Ctrl-C ends them)")
            await asyncio.Event().wait()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())


if __name__ == "__main__":
    main()
