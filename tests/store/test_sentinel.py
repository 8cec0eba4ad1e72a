"""A store behind sentinels: whoever is the primary serves, and a change of the primary makes nothing happen twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from seatd.store.connect import ConnectOptions, connect
from seatd.store.redis import Store
from seatd.store.values import StoreUnavailable
from seatd.store.verbs import StoreOptions
from tests.conftest import Clock
from tests.licenses import license_claim, license_key
from tests.store.load import Load
from tests.store.office import Office
from tests.store.story import working_day
from tests.topologies import SentinelGroup, sentinel_group

SHORT = ConnectOptions(timeout_s=0.5, connect_timeout_s=0.5)


@pytest.fixture(scope="module")
def calm_group() -> Iterator[SentinelGroup]:
    """A group that no test harms."""
    with sentinel_group(replicas=1, down_after_ms=60_000) as running:
        yield running


@pytest.fixture
def group() -> Iterator[SentinelGroup]:
    """A primary with two replicas behind three sentinels."""
    with sentinel_group() as running:
        yield running


@asynccontextmanager
async def store_of(url: str, clock: Clock | None = None) -> AsyncIterator[Store]:
    opened = Store(connect(url, SHORT), StoreOptions(partitions=4), checked=True, now_ms=clock)
    try:
        yield opened
    finally:
        await opened.close_client()


async def test_a_working_day(calm_group: SentinelGroup, clock: Clock) -> None:
    async with store_of(calm_group.url, clock) as store:
        await working_day(store, clock)


async def test_the_password_is_the_stores_not_the_sentinels(clock: Clock) -> None:
    with sentinel_group(password="secret", replicas=0) as group:
        async with store_of(f"redis+sentinel://:secret@{group.hosts}/main", clock) as store:
            await store.join()
        async with store_of(group.url, clock) as stranger:
            with pytest.raises(StoreUnavailable):
                await stranger.join()


async def test_a_name_that_no_sentinel_knows(calm_group: SentinelGroup) -> None:
    async with store_of(f"redis+sentinel://{calm_group.hosts}/other") as store:
        with pytest.raises(StoreUnavailable, match="other"):
            await store.join()


async def test_sentinels_are_needed_to_connect_only(group: SentinelGroup) -> None:
    async with store_of(group.url) as store:
        await store.join()
        for sentinel in group.sentinels:
            sentinel.kill()
        await store.beat(0, "n1", done=0, joined=False)
        await store.disconnect()
        with pytest.raises(StoreUnavailable):
            await store.beat(0, "n1", done=0, joined=True)


async def test_a_killed_primary_is_replaced_and_nothing_is_done_twice(group: SentinelGroup) -> None:
    async with store_of(group.url) as store, Load(store) as load:
        await load.until_done(200)
        old = group.primary()
        old.kill()
        await asyncio.to_thread(group.until_primary_is_not, old)
        await load.until_done(load.done + 200)
        assert load.refused
        assert await load.most_often() == 1


async def test_a_planned_failover_under_load(group: SentinelGroup) -> None:
    """The old primary believes in itself for a long while yet; the store goes to the new one all the same."""
    async with store_of(group.url) as store, Load(store) as load:
        await load.until_done(200)
        old = group.primary()
        await asyncio.to_thread(group.fail_over)
        while store.client.connection_pool.master_address[1] == old.port:
            await load.until_done(load.done + 1)
        await load.until_done(load.done + 100)
        late = old.commands_of("evalsha")
        await load.until_done(load.done + 200)
        assert old.ask("ROLE")[0] == "master"
        assert old.commands_of("evalsha") == late
        assert await load.most_often() == 1


async def test_no_grant_above_the_limit_when_the_primary_dies(clock: Clock) -> None:
    """A machine that stands still for a moment must not make it a second failover, so the sentinels have patience."""
    with sentinel_group(down_after_ms=3000) as group:
        await no_grant_above_the_limit(group, clock)


async def no_grant_above_the_limit(group: SentinelGroup, clock: Clock) -> None:
    async with store_of(group.url, clock) as store:
        await store.join()
        office = Office(store, clock)
        await office.join("n1")
        await store.put_license(license_key(license_claim("cc", limit=5)))
        before = [await office.open(f"before{number}", "CALL_CENTER") for number in range(3)]
        await asyncio.to_thread(group.until_caught_up)  # what is lost with a primary is another test's matter
        old = group.primary()
        old.kill()
        await asyncio.to_thread(group.until_primary_is_not, old)
        answers = [await office.ask(f"during{number}", "CALL_CENTER") for number in range(10)]
        assert {getattr(answer, "code", "granted") for answer in answers} == {"recovering"}
        clock.pass_ms(store.options.recovery_ms)
        await office.join("n1")
        asked = [office.ask(f"after{number}", "CALL_CENTER") for number in range(100)]
        answers = await asyncio.gather(*asked)
        codes = [getattr(answer, "code", "granted") for answer in answers]
        assert codes.count("granted") == 2
        assert await office.used("cc") == 5
        assert len(before) == 3


async def test_a_frozen_primary_is_left_behind(group: SentinelGroup) -> None:
    """Every connection to it would wait for an answer; they are all dropped with the first that waited in vain."""
    async with store_of(group.url) as store, Load(store) as load:
        await load.until_done(200)
        old = group.primary()
        with old.paused():
            await asyncio.to_thread(group.until_primary_is_not, old)
            await load.until_done(load.done + 200)
        await load.until_done(load.done + 200)
        assert store.client.connection_pool.master_address[1] != old.port
        assert await load.most_often() == 1


async def test_a_dropped_connection_is_not_used_again(calm_group: SentinelGroup) -> None:
    async with store_of(calm_group.url) as store:
        await store.join()
        before = await ids(store)
        in_use = asyncio.create_task(store.pipeline.together(("BLPOP", "nothing", 0.3), ("CLIENT", "ID")))
        await asyncio.sleep(0.05)
        await store.disconnect()
        _, busy = await in_use  # what is on its way is answered
        after = await ids(store)
        assert not after & (before | {busy})


async def ids(store: Store) -> set[Any]:
    """The connections that a few calls at once go over."""
    asked = [store.pipeline.together(("CLIENT", "ID")) for _ in range(3)]
    return {answer for (answer,) in await asyncio.gather(*asked)}
