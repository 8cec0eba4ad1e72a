"""An empty store that nobody has asked before: the first start of a deployment, or what is left after a total loss?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from seatd.store.connect import ConnectOptions, connect
from seatd.store.redis import Store
from seatd.store.verbs import StoreOptions
from tests.conftest import Clock
from tests.engine import PrivateEngine, private_engine
from tests.licenses import Licensed
from tests.store.office import Office

NOBODY = ("127.0.0.1", "1")


@pytest.fixture
def own_engine() -> Iterator[PrivateEngine]:
    """An engine that has never served anybody."""
    with private_engine() as running:
        yield running


@pytest.fixture
async def first(own_engine: PrivateEngine, clock: Clock) -> AsyncIterator[Office]:
    """A node that has never seen this store, nor any other."""
    client = connect(own_engine.url, ConnectOptions())
    store = Store(client, StoreOptions(partitions=4), checked=True, now_ms=clock)
    yield Office(store, clock)
    await store.close_client()


def promote(engine: PrivateEngine) -> None:
    """It was to be a replica, never got anything of its primary, and takes its place."""
    with Redis(unix_socket_path=str(engine.socket)) as client:
        client.replicaof(*NOBODY)
        client.replicaof("NO", "ONE")


async def test_the_first_start_of_a_deployment_has_no_window(first: Office) -> None:
    await first.join("n1")
    await Licensed(first.store)("CALL_CENTER", 1)
    await first.open("alice", "CALL_CENTER")


async def test_an_empty_replica_that_was_promoted_is_not_newborn(
    first: Office, own_engine: PrivateEngine, clock: Clock
) -> None:
    """Whoever asks first: the primary that it followed had data, and nodes whose clients use the seats."""
    promote(own_engine)
    beat = await first.beat("n1", joined=False)
    assert beat.recover_until_ms == clock.now_ms + first.store.options.recovery_ms
    await Licensed(first.store)("CALL_CENTER", 1)
    assert (await first.refused("alice", "CALL_CENTER")).code == "recovering"


async def test_its_window_lasts_the_full_time_and_opens_once(
    first: Office, own_engine: PrivateEngine, clock: Clock
) -> None:
    """Nobody knows which nodes there were, so no report ends it; and when it is over, all is as ever."""
    promote(own_engine)
    opened = await first.beat("n1", joined=False)
    assert await first.store.report(first.partition, "n1", durable=True)
    clock.pass_ms(1)
    assert (await first.beat("n2", joined=False)).recover_until_ms == opened.recover_until_ms
    await first.pass_ms(first.store.options.recovery_ms, "n1", "n2")
    await Licensed(first.store)("CALL_CENTER", 1)
    await first.open("alice", "CALL_CENTER")


async def test_a_real_replica_that_is_promoted_remembers_that_it_was_one(own_engine: PrivateEngine) -> None:
    """What the guard goes by, as this engine says it."""
    client: AsyncRedis = connect(own_engine.url, ConnectOptions())
    try:
        before = await client.info("replication")
        promote(own_engine)
        after = await client.info("replication")
    finally:
        await client.aclose()
    assert not before["master_replid2"]  # all zeros
    assert after["master_replid2"] == before["master_replid"]
