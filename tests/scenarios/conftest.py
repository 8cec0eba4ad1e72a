"""Whole servers: two nodes that the scenarios share, and nodes of a test's own where it does them harm."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

import pytest

from tests.scenarios.administrator import Administrator, operator
from tests.scenarios.company import Company
from tests.servers import Server, Servers


class Pair(NamedTuple):
    """Two nodes on one store: `a` runs it, `b` has joined."""

    a: Server
    b: Server


BRISK = {
    "SESSIONS_BEAT": "1s",
    "SESSIONS_LEASE": "3s",
    "SESSIONS_LINGER": "8s",
    "NODE_LEASE": "2s",
    "NODE_RENEW": "500ms",
    "TOKENS_LEEWAY": "0s",
}
"""Times as short as the rules allow, where a test has to live through them."""
GENEROUS = {"SESSIONS_MESSAGES_PER_S": "100000", "SESSIONS_MESSAGES_BURST": "100000"}
"""Lets a client send as fast as it can."""


@pytest.fixture(scope="session")
def pair() -> Iterator[Pair]:
    """Two nodes with the default settings, for all tests that leave them as they are."""
    with Servers() as servers:
        a = servers.start("a")
        yield Pair(a, servers.start("b", store=a.store))


@pytest.fixture(scope="session")
def brisk() -> Iterator[Server]:
    """A node with short times, a small outbox and no limit on what clients send."""
    with Servers() as servers:
        yield servers.start("brisk", **BRISK, **GENEROUS, SESSIONS_OUTBOX_BYTES="8192")


@pytest.fixture
def servers() -> Iterator[Servers]:
    """Starts nodes of the test's own: `servers.start("a")`."""
    with Servers() as own:
        yield own


@pytest.fixture
async def company(pair: Pair) -> AsyncIterator[Company]:
    """A customer of the test's own on the two shared nodes."""
    own = Company(*pair)
    yield own
    own.leave()


@pytest.fixture
async def brisk_company(brisk: Server) -> AsyncIterator[Company]:
    """A customer of the test's own on the node with short times."""
    own = Company(brisk)
    yield own
    own.leave()


@pytest.fixture
def root(pair: Pair) -> Administrator:
    """The operator, at the other node than the one that `company` asks."""
    return operator(pair.b)
