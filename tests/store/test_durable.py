"""What an administrator did is on disk before it is acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from redis.asyncio import Redis

from seatd.store.connect import ConnectOptions, connect
from seatd.store.redis import Store
from seatd.store.values import StoreUnavailable
from seatd.store.verbs import StoreOptions
from tests.engine import PrivateEngine, private_engine
from tests.licenses import license_claim, license_key


@pytest.fixture
def lazy_engine() -> Iterator[PrivateEngine]:
    """An engine with an append-only file that it writes to disk only when it is told to.
    Redis before 7.2 cannot say what is on disk."""
    with private_engine(appendonly="yes", appendfsync="no") as engine:
        if engine.program.name == "redis" and engine.program.version < (7, 2, 0):
            pytest.skip(f"{engine.program} has no WAITAOF")
        yield engine


@pytest.fixture
async def watch(lazy_engine: PrivateEngine) -> AsyncIterator[Redis]:
    """Somebody who looks on."""
    async with connect(lazy_engine.url, ConnectOptions()) as client:
        yield client


@pytest.fixture
async def lazy_store(lazy_engine: PrivateEngine, watch: Redis) -> AsyncIterator[Store]:
    """A store that has written something which is not on disk yet."""
    store = Store(connect(lazy_engine.url, ConnectOptions()), StoreOptions(partitions=4), checked=True)
    await store.beat(0, "n1", done=0, joined=False)
    yield store
    await store.close_client()


async def test_waits_for_the_disk_on_whatever_connection(lazy_store: Store, watch: Redis) -> None:
    # Somebody else has the connection that wrote, and WAITAOF waits only for its own connection's writes.
    pool: Any = lazy_store.client.connection_pool
    writer = await pool.get_connection()
    waiting = asyncio.create_task(lazy_store.make_durable(0))
    while not waiting.done() and (await watch.info("clients"))["blocked_clients"] == 0:
        pass
    waited = not waiting.done()
    await watch.config_set("appendfsync", "always")
    await watch.set("x", "1")  # the engine writes everything to its disk now
    await waiting
    await pool.release(writer)
    assert waited


async def test_import_that_is_not_on_disk_is_not_acknowledged(lazy_store: Store) -> None:
    with pytest.raises(StoreUnavailable, match="disk"):
        await lazy_store.put_license(license_key(license_claim()))
    (row,) = await lazy_store.registry()
    assert row.id == "cc-1"


async def test_engine_without_a_file_has_nothing_to_wait_for(store: Store) -> None:
    await store.make_durable(0)


async def test_a_disk_that_is_behind_is_told_from_an_engine_that_cannot_say(
    lazy_store: Store, store: Store, watch: Redis
) -> None:
    assert await lazy_store.is_durable() is False
    await watch.config_set("appendfsync", "always")
    assert await lazy_store.is_durable() is True
    assert await store.is_durable() is None


async def test_a_crowd_that_waits_for_the_disk_shares_its_connections(
    lazy_store: Store, watch: Redis
) -> None:
    """The client refuses to have more than a hundred."""
    await watch.config_set("appendfsync", "always")
    await asyncio.gather(*(lazy_store.make_durable(number % 4) for number in range(600)))
