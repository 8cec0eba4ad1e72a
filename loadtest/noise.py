"""A customer that asks without a pause, in a process of its own: what its clients cost is not felt where others are measured.

async with noise(server, rate): ...
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict

from loadtest.rows.people import all_signed_in, plan
from loadtest.scenarios import steady
from loadtest.server import Server

CUSTOMER = "noisy"
CLIENTS = 60
FOR_EVER_S = 3600.0
LOWEST = 19
SIGNED_IN = b"signed in\n"


@asynccontextmanager
async def noise(server: Server, rate: float) -> AsyncIterator[None]:
    """While inside, clients of `CUSTOMER` acquire and release so often a second; how often they really did the node tells."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "loadtest.noise"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps({"server": asdict(server), "rate": rate}).encode())
    process.stdin.close()
    try:
        if await process.stdout.readline() != SIGNED_IN:
            raise ValueError("the noisy customer's clients cannot sign in")
        yield
        if process.returncode is not None:
            raise ValueError("the noisy customer's clients have ended")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _ask_on(server: Server, rate: float) -> None:
    noisy = plan([server], CLIENTS, customer=CUSTOMER)
    noisy.seconds, noisy.rate = FOR_EVER_S, rate
    people = await all_signed_in(noisy)
    print(SIGNED_IN.decode(), end="", flush=True)
    await steady.goes_on(noisy, people)


def main() -> None:
    """Asks until it is killed; whatever else is to run goes first, for it stands for other people's machines."""
    os.nice(LOWEST)
    told = json.load(sys.stdin)
    asyncio.run(_ask_on(Server(**told["server"]), told["rate"]))


if __name__ == "__main__":
    main()
