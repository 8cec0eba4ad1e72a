"""Where the JavaScript client runs: Node, and a page in Chromium. Both are driven alike (`driver.js`)."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiohttp import web
from playwright.async_api import Browser

ROOT = Path(__file__).resolve().parents[3]
HERE = "tests/protocol/js"
WAIT_S = 30.0
"""How long a test waits for an event before it gives up."""

Told = dict[str, Any]
Ask = Callable[..., Awaitable[Any]]


def node_program() -> str:
    """Node, or the test is skipped."""
    program = shutil.which("node")
    if program is None:
        pytest.skip(
            "the JavaScript client is tested in Node, which is missing (Debian: apt-get install nodejs)"
        )
    return program


class Refusal(NamedTuple):
    """What a call threw. `code`: of the close or of the server's error."""

    error: str
    message: str
    code: int | str | None


class JsClient:
    """One `SeatClient` in a runtime; what it tells is kept in `events` and `beliefs`."""

    def __init__(self, ask: Ask, name: str) -> None:
        self.name = name
        self.events: list[Told] = []
        self.beliefs: list[Told] = []
        self._ask = ask
        self._news = asyncio.Condition()

    async def call(self, method: str, *args: Any) -> Any:
        """What a method answers; a `Refusal` when it throws."""
        answer = await self._ask("call", self.name, method, *args)
        return answer["value"] if "value" in answer else Refusal(**answer)

    async def look(self) -> Told:
        """What it knows now."""
        return dict(await self._ask("look", self.name))

    async def heard(self, kind: str, *, after: int = 0, **fields: Any) -> Told:
        """The first event of that type with these fields, beyond the first `after`; waits for it."""
        async with asyncio.timeout(WAIT_S), self._news:
            while True:
                for event in self.events[after:]:
                    if event["type"] == kind and all(
                        event.get(name) == value for name, value in fields.items()
                    ):
                        return event
                await self._news.wait()

    async def told(self, told: Told) -> None:
        """Something has come of the runtime."""
        async with self._news:
            if "event" in told:
                self.events.append(told["event"])
            else:
                self.beliefs.append(told["belief"])
            self._news.notify_all()


class Runtime:
    """Makes clients in one place."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._names = itertools.count(1)
        self._clients: dict[str, JsClient] = {}

    async def client(self, **options: Any) -> JsClient:
        """A `SeatClient` with these options; `tokens` are handed out one after another."""
        client = JsClient(self._ask, f"client {next(self._names)}")
        self._clients[client.name] = client
        await self._ask("make", client.name, options)
        return client

    async def told(self, told: Told) -> None:
        """Pass on what a client tells."""
        await self._clients[told["client"]].told(told)


@contextlib.asynccontextmanager
async def in_node(*flags: str) -> AsyncIterator[Runtime]:
    """A runtime in a Node process of its own."""
    program, *more = node_program(), *flags
    process = await asyncio.create_subprocess_exec(
        program,
        *[flag for flag in more if flag.startswith("--experimental")],
        str(ROOT / HERE / "node_main.js"),
        *more,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    answers: dict[int, asyncio.Future[Any]] = {}
    numbers = itertools.count(1)
    assert process.stdin is not None
    stdin = process.stdin

    async def ask(*command: Any) -> Any:
        number = next(numbers)
        answers[number] = asyncio.get_running_loop().create_future()
        stdin.write(json.dumps({"number": number, "command": command}).encode() + b"\n")
        return await answers[number]

    runtime = Runtime(ask)
    reading = asyncio.create_task(_read(process, answers, runtime))
    try:
        yield runtime
    finally:
        stdin.close()
        await process.wait()
        await reading
    assert process.returncode == 0


async def _read(
    process: asyncio.subprocess.Process, answers: dict[int, asyncio.Future[Any]], runtime: Runtime
) -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        told = json.loads(line)
        if "number" not in told:
            await runtime.told(told)
            continue
        answer = answers.pop(told["number"])
        if answer.cancelled():
            continue
        if "failure" in told:
            answer.set_exception(AssertionError(told["failure"]))
        else:
            answer.set_result(told["result"])


@contextlib.asynccontextmanager
async def site(**routes: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """The repository's client and tests over HTTP, as `http://127.0.0.1:PORT`."""
    app = web.Application()
    app.router.add_static("/protocol", ROOT / "protocol")
    app.router.add_static("/tests/protocol/js", ROOT / HERE)
    for name, handler in routes.items():
        app.router.add_get(f"/{name}", handler)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def in_page(page: Any, address: str) -> AsyncIterator[Runtime]:
    """A runtime in a page that is open in a browser."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))

    async def ask(*command: Any) -> Any:
        return await page.evaluate("(command) => window.driver.do(...command)", list(command))

    runtime = Runtime(ask)
    await page.expose_function("told", runtime.told)
    await page.goto(f"{address}/{HERE}/page.html")
    await page.wait_for_function("window.driver !== undefined")
    yield runtime
    assert not problems


@contextlib.asynccontextmanager
async def in_chromium(chromium: Browser) -> AsyncIterator[Runtime]:
    """A runtime in a page of a Chromium, which shares nothing with other pages of it."""
    context = await chromium.new_context()
    try:
        async with site() as address, in_page(await context.new_page(), address) as runtime:
            yield runtime
    finally:
        await context.close()
