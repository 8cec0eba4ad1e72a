"""Clients that do not keep up: closed within bounds, their seats kept, nobody else disturbed."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import aiohttp

from seatd_protocol.codec import CODECS
from seatd_protocol.messages import Acquire, Granted, Hello
from tests.scenarios import websocket
from tests.scenarios.company import Company
from tests.scenarios.conftest import GENEROUS
from tests.scenarios.websocket import WebSocket
from tests.servers import Server, Servers

DEVICES = 8
"""So many own sessions are told in a denial: answers that are much larger than what asks for them."""
MEMORY_KB = 64 * 1024
UNREAD_KB = 512
"""Above what may wait altogether: in the outbox (8 KiB here), in the connection's own buffer (64) and in the kernel's."""


async def test_a_client_that_never_reads_is_cut_off(servers: Servers) -> None:
    """The times are the usual ones: on a slow machine, beats that the client does not answer must not end it first."""
    node = servers.start("slow", **GENEROUS, SESSIONS_OUTBOX_BYTES="8192")
    company = Company(node)
    await company.licensed("CALL_CENTER:competitive:2", "CALL_MANAGER:competitive:1")
    other = await company.sign_in(node, "bob", "CALL_CENTER", "CALL_MANAGER")
    for number in range(DEVICES):
        await company.sign_in(node, "ann", "CALL_CENTER", device=f"{number}" * 128)
    before_kb = memory_kb(node)
    await asks_and_never_reads(company, node)
    assert memory_kb(node) - before_kb < MEMORY_KB
    await other.say(Acquire(ref=1, products=("CALL_CENTER",)))
    assert isinstance(await other.recv(), Granted)
    while (row := await session_of(company, "deaf"))["state"] != "parked":
        await asyncio.sleep(0.01)
    assert len(row["seats"]) == 1
    assert await total(node, 'seatd_sessions_closed_total{code="slow_consumer"}') == 1
    refused = await total(node, 'seatd_denials_total{code="no_seat",product="CALL_MANAGER"}')
    assert 0 < refused * DEVICES * 128 / 1024 < UNREAD_KB
    company.leave()


async def asks_and_never_reads(company: Company, node: Server) -> None:
    """Until the connection is cut."""
    socket = await websocket.upgrade(node.clients, receive_buffer=4096)
    assert isinstance(socket, WebSocket)
    await socket.send(websocket.BINARY, encoded(company.hello("ann", "CALL_CENTER", device="deaf")))
    request = encoded(Acquire(ref=0, products=("CALL_MANAGER",)))
    try:
        while True:
            await socket.send(websocket.BINARY, request)
    except ConnectionError:
        socket.abort()


async def session_of(company: Company, device: str) -> dict[str, Any]:
    (row,) = [row for row in await company.sessions() if row["device"]["id"] == device]
    return row


def encoded(message: Hello | Acquire) -> bytes:
    frame = CODECS["seatd.v1.msgpack"].encode(message)
    assert isinstance(frame, bytes)
    return frame


def memory_kb(node: Server) -> int:
    status = Path(f"/proc/{node.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found
    return int(found[1])


async def total(node: Server, series: str) -> float:
    async with aiohttp.ClientSession() as http, http.get(f"http://{node.admin}/metrics") as page:
        text = await page.text()
    found = re.search(rf"{re.escape(series)} (\S+)", text)
    return float(found[1]) if found else 0.0
