"""The store's tests speak of people and products; these fixtures turn that into calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis

from seatd.store.connect import ConnectOptions, connect
from seatd.store.redis import Store
from tests.conftest import Clock
from tests.engine import PrivateEngine, private_engine
from tests.store.office import Office
from tests.store.recovering import NODE, OTHER, beat, report
from tests.topologies import ClusterAsEngine


@pytest.fixture
async def office(store: Store, clock: Clock) -> Office:
    """A customer on two nodes, `n1` and `n2`, that hold a lease.
    It has no license yet."""
    made = Office(store, clock)
    await made.join("n1", "n2")
    return made


@pytest.fixture
async def joined_nodes(store: Store) -> None:
    """The nodes of the tests of the queue.
    Both hold their lease in every partition."""
    for node in (NODE, OTHER):
        await beat(store, node)


@pytest.fixture
async def durable_nodes(store: Store) -> None:
    """The nodes of the tests of recovery.
    Both are registered durably, in every partition."""
    for node in (NODE, OTHER):
        await beat(store, node)
        await report(store, node)


@pytest.fixture
def one_server(engine: PrivateEngine) -> None:
    """For a test that makes no sense on a cluster, or reaches into the one server that there is.
    It is skipped where the store's tests run on a cluster."""
    if isinstance(engine, ClusterAsEngine):
        pytest.skip("speaks of one server")


@pytest.fixture(scope="module")
def spare_engine() -> Iterator[PrivateEngine]:
    """An engine that a test may stop, fill up and misconfigure.
    It is this test module's own, so nobody else suffers."""
    with private_engine() as running:
        yield running


@pytest.fixture
async def spare_client(spare_engine: PrivateEngine) -> AsyncIterator[Redis]:
    """A client of the spare engine as the store would make it, with short time limits.
    Its database is empty."""
    client = connect(spare_engine.url, ConnectOptions(timeout_s=0.2, connect_timeout_s=0.2))
    await client.flushall()
    yield client
    await client.aclose()
