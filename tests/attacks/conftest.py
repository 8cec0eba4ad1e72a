"""One server for all attacks that leave it as it is, and what an attacker has at hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.attacks.attacker import Attacker
from tests.attacks.operators import Operator
from tests.scenarios.company import Company
from tests.servers import Server, Servers

ORIGIN = "https://app.example.com"
"""The one page that may connect."""


@pytest.fixture(autouse=True)
async def everybody_hangs_up(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Attacks break off in the middle: whoever is still connected when a test is over hangs up."""
    connect, writers = asyncio.open_connection, []

    async def connected(*where: Any, **how: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await connect(*where, **how)
        writers.append(writer)
        return reader, writer

    monkeypatch.setattr(asyncio, "open_connection", connected)
    yield
    for writer in writers:
        writer.transport.abort()
    await asyncio.sleep(0)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A node with the default settings and one allowed origin. Its log is read at the end: no attack may leave a traceback."""
    with Servers() as servers:
        yield servers.start("attacked", CLIENTS_ALLOWED_ORIGINS=ORIGIN)


@pytest.fixture
def servers() -> Iterator[Servers]:
    """Starts nodes of the test's own."""
    with Servers() as own:
        yield own


@pytest.fixture
async def company(server: Server) -> AsyncIterator[Company]:
    """A customer of the test's own, with five seats."""
    own = Company(server)
    await own.licensed("CALL_CENTER:competitive:5")
    yield own
    own.leave()


@pytest.fixture
async def attacker(server: Server, company: Company) -> AsyncIterator[Attacker]:
    """Whoever attacks the server."""
    own = Attacker(server, company)
    yield own
    own.leave()


@pytest.fixture
def operator(server: Server) -> Operator:
    """The operator of the server, by the token in its data folder."""
    return Operator(server)
