"""What the tests of the client share: a time of their own, and a client that is signed in."""

import asyncio
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from seatd_protocol.client import SeatClient
from seatd_protocol.messages import Device, Welcome
from tests.protocol.contract_server import PATIENCE_S, SEAT, WELCOME, ContractServer, Peer

DEVICE = Device(kind="desktop", id="pc-7")
EMAIL = replace(SEAT, product="EMAIL", license="L-2")
RESUMED = replace(WELCOME, resumed=True, node="node-b")

Make = Callable[..., SeatClient]


class Time:
    """A virtual clock. Sleeping moves it, and is noted."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.slept_s: list[float] = []

    def clock(self) -> float:
        return self.now_s

    async def sleep(self, delay_s: float) -> None:
        self.slept_s.append(delay_s)
        self.now_s += delay_s
        await asyncio.sleep(0)


class Issuer:
    """Hands out numbered tokens."""

    def __init__(self) -> None:
        self.issued = 0

    async def __call__(self) -> str:
        self.issued += 1
        return f"token-{self.issued}"


async def opened(client: SeatClient, server: ContractServer, welcome: Welcome = WELCOME) -> Peer:
    """Sign the client in; the server's end of it."""
    connecting = asyncio.create_task(client.connect())
    peer = await server.accept()
    await peer.open(welcome)
    assert await connecting == welcome
    return peer


def until_s(client: SeatClient) -> float | None:
    """Until when the seats may be used. (A function, so that mypy expects it to change.)"""
    return client.usable_until_s


async def soon(condition: Callable[[], object]) -> None:
    """Wait until the client's task has noticed."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.001)


async def all_events(client: SeatClient) -> list[Any]:
    async with asyncio.timeout(PATIENCE_S):
        return [event async for event in client.events()]
