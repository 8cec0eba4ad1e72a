"""A Chromium whose tabs are as hidden as those of a person: playwright keeps every page in view, so this speaks DevTools."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.chromium import whole_chromium_path

THROTTLED_AT_ONCE = "--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/1"
"""Chromium lets the timers of a hidden page run once a minute, usually from five minutes on; with this, after a second."""


class Tabs:
    """One window's tabs, over the browser's DevTools socket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    async def call(self, method: str, session: str | None = None, **params: Any) -> Any:
        """What DevTools answers."""
        number = next(self._numbers)
        of = {"sessionId": session} if session else {}
        await self._socket.send_json({"id": number, "method": method, "params": params, **of})
        while True:
            message = await self._socket.receive_json()
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]

    async def open(self, url: str) -> Tab:
        """A new tab, in front of all others."""
        target = (await self.call("Target.createTarget", url=url))["targetId"]
        await self.call("Target.activateTarget", targetId=target)
        session = (await self.call("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        return Tab(self, session)


class Tab:
    """A page in a tab."""

    def __init__(self, tabs: Tabs, session: str) -> None:
        self._tabs = tabs
        self._session = session

    async def js(self, expression: str) -> Any:
        """The value of an expression, awaited."""
        answer = await self._tabs.call(
            "Runtime.evaluate", self._session, expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, expression: str) -> Any:
        """The value, once it is true; pytest's time limit is the bound."""
        while not (value := await self.js(expression)):
            await asyncio.sleep(0.1)
        return value


@contextlib.asynccontextmanager
async def tabs() -> AsyncIterator[Tabs]:
    """A Chromium of the test's own."""
    program = whole_chromium_path()
    if program is None:
        pytest.skip(
            "tabs are tested in a whole Chromium, which is missing (on Debian: apt-get install chromium)"
        )
    with tempfile.TemporaryDirectory(prefix="seatd-chromium-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            *(program, "--headless=new", "--no-sandbox", "--no-first-run", THROTTLED_AT_ONCE),
            *(f"--user-data-dir={Path(profile)}", "--remote-debugging-port=0", "about:blank"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            address = await _devtools(process)
            async with aiohttp.ClientSession() as http, http.ws_connect(address, max_msg_size=0) as socket:
                own = Tabs(socket)
                yield own
                await own.call("Browser.close")
            await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()


async def _devtools(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    async for line in process.stderr:
        if b"DevTools listening on" in line:
            return line.split()[-1].decode()
    raise AssertionError("Chromium has ended")
