"""What the client's tests share: a server, a time of their own, and the check that nothing is left behind."""

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from seatd_protocol.client import SeatClient
from seatd_protocol.timing import Timing
from tests.protocol.clients import DEVICE, Make, Time
from tests.protocol.contract_server import ContractServer


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def server() -> AsyncIterator[ContractServer]:
    async with ContractServer() as running:
        yield running


@pytest.fixture
async def other_server() -> AsyncIterator[ContractServer]:
    async with ContractServer() as running:
        yield running


@pytest.fixture
async def nothing_left() -> AsyncIterator[None]:
    """No task outlives the test, and no exception stays unseen."""
    complaints: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: complaints.append(str(context)))
    before = asyncio.all_tasks()
    yield
    for _ in range(20):  # transports finish closing in the loop's next turns
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    gc.collect(1)  # what the test left is young
    await asyncio.sleep(0)
    assert not left
    assert not complaints


@pytest.fixture
async def make(server: ContractServer, time: Time) -> AsyncIterator[Make]:
    """Makes clients on virtual time, and closes them."""
    made: list[SeatClient] = []

    def make_client(
        urls: Any = None, token: Any = "a-token", need: Any = ("CALL_CENTER",), **more: Any
    ) -> SeatClient:
        timing: dict[str, Any] = {
            "clock": time.clock,
            "sleep": time.sleep,
            "random": lambda: 0.0,
            "bye_s": 0.2,
        }
        timing |= more.pop("timing", {})
        client = SeatClient(urls or server.url, token, DEVICE, need, timing=Timing(**timing), **more)
        made.append(client)
        return client

    yield make_client
    for client in made:
        await client.aclose()
