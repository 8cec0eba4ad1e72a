"""Somebody who looks at one page after another, in a process of its own: reading them costs the measuring one nothing.

async with asking(server, paths): ...
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import asdict

import aiohttp

from loadtest.server import Server

PAUSE_S = 0.05
"""Between two pages: some ten pages a second, which is more than twenty people look at."""


@asynccontextmanager
async def asking(server: Server, paths: Iterable[str]) -> AsyncIterator[None]:
    """While inside, the pages are asked for in turn. Fails if one was refused."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "loadtest.asking", stdin=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps({"server": asdict(server), "paths": list(paths)}).encode())
    process.stdin.close()
    try:
        yield
        assert process.returncode is None, "a page was refused"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _ask_on(server: Server, paths: list[str]) -> None:
    headers = {"Authorization": f"Bearer {server.token}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        for path in itertools.cycle(paths):
            async with http.get(f"http://{server.admin}{path}") as answer:
                await answer.read()
                answer.raise_for_status()
            await asyncio.sleep(PAUSE_S)


def main() -> None:
    """Asks until it is killed."""
    told = json.load(sys.stdin)
    asyncio.run(_ask_on(Server(**told["server"]), told["paths"]))


if __name__ == "__main__":
    main()
