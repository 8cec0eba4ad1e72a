"""A store on a cluster: every call goes to where its slot is, is sent on when the slot moves, and is never made twice."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from seatd.store.cluster_map import slot_of
from seatd.store.connect import ConnectOptions, connect, subscriber
from seatd.store.keys import partition_key
from seatd.store.redis import Store
from seatd.store.scripts import build
from seatd.store.values import Granted, StoreUnavailable, WrongDeployment
from seatd.store.verbs import StoreOptions
from seatd.store.wakeups import Wakeups
from tests.conftest import Clock
from tests.licenses import license_claim, license_key
from tests.store.load import Load
from tests.store.office import Office
from tests.store.test_checks import documented_rights
from tests.topologies import Cluster, Server, cluster, sentinel_group

PARTITIONS = 16
COUNT = build("count", "return redis.call('INCR', KEYS[1])")
BOTH = build("both", "return {redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])}")
EMPTY = b"\x80"  # an empty map, packed


@pytest.fixture(scope="module")
def whole_cluster() -> Iterator[Cluster]:
    """Three primaries with a replica each. A test leaves them as they were."""
    with cluster() as running:
        yield running


@pytest.fixture
def torn_cluster() -> Iterator[Cluster]:
    """The same, for a test that breaks it."""
    with cluster() as running:
        yield running


@asynccontextmanager
async def store_of(group: Cluster, clock: Clock | None = None, **how: Any) -> AsyncIterator[Store]:
    """A store that knows one server of the cluster only, on empty servers."""
    for primary in group.primaries():
        primary.ask("FLUSHALL")
    url = how.pop("url", f"redis+cluster://{group.servers[-1].address}")
    options = ConnectOptions(timeout_s=how.pop("timeout_s", 0.5))
    opened = Store(connect(url, options), StoreOptions(partitions=PARTITIONS), now_ms=clock, **how)
    try:
        yield opened
    finally:
        await opened.close_client()


@pytest.fixture
async def store(whole_cluster: Cluster, clock: Clock) -> AsyncIterator[Store]:
    async with store_of(whole_cluster, clock, checked=True) as opened:
        yield opened


def customers_on_each(group: Cluster, store: Store) -> dict[int, str]:
    """A customer of every primary: port -> name."""
    found: dict[int, str] = {}
    for number in itertools.count():
        name = f"customer{number}"
        slot = slot_of(partition_key("meta", store.partition(name)))
        found.setdefault(group.owner(slot).port, name)
        if len(found) == 3:
            return found
    raise AssertionError


async def test_what_the_store_does_for_customers_on_every_server(
    store: Store, whole_cluster: Cluster, clock: Clock
) -> None:
    await store.join()
    names = list(customers_on_each(whole_cluster, store).values())
    for name in names:
        office = Office(store, clock, customer=name, domain=f"{name}.example")
        await office.join("n1", "n2")
        claim = license_claim(f"cc-{name}", limit=2)
        await store.put_license(license_key(claim, customer=name, domains=(office.domain,), jti=name))
        alice = await office.open("alice", "CALL_CENTER", session=f"alice of {name}")
        await office.open("bob", "CALL_CENTER", session=f"bob of {name}")
        assert (await office.refused("carol", "CALL_CENTER")).used == 2
        back = await office.attach(alice.session, node="n2")
        assert isinstance(back, Granted)
        (kicked,) = await office.kick(session=alice.session)
        assert [order.number for order in (await office.beat("n2")).orders] == [kicked.order]
        assert await office.close(back)
    assert await store.customers() == sorted(names)
    assert {row.customer: row.used for row in await store.registry()} == dict.fromkeys(names, 1)
    assert await store.waiting_to_end() == 0
    for name in names:
        page = await store.license_users(name, f"cc-{name}")
        assert page is not None
        assert [row.sessions for row in page.items] == [1]
        assert (await store.sessions(customer=name)).total == 1
    assert (await store.session(f"bob of {names[0]}")) is not None


async def test_a_hundred_ask_for_five_seats_on_every_server(
    store: Store, whole_cluster: Cluster, clock: Clock
) -> None:
    async with store_of(whole_cluster, clock, checked=True) as second:
        names = list(customers_on_each(whole_cluster, store).values())
        asked = []
        for name in names:
            offices = [Office(one, clock, customer=name) for one in (store, second)]
            await offices[0].join("n1")
            await store.put_license(license_key(license_claim(f"cc-{name}"), customer=name, jti=name))
            asked += [
                offices[number % 2].ask(f"user{number}", "CALL_CENTER", session=f"s{number}-{name}")
                for number in range(100)
            ]
        answers = await asyncio.gather(*asked)
        assert sum(isinstance(answer, Granted) for answer in answers) == 5 * len(names)
        assert {row.used for row in await store.registry()} == {5}


async def test_calls_of_one_turn_travel_together_to_each_server(store: Store, whole_cluster: Cluster) -> None:
    keys = [partition_key("n", number) for number in range(PARTITIONS)]
    await asyncio.gather(*(store.pipeline.run(COUNT, [key], EMPTY) for key in keys))
    primaries = whole_cluster.primaries()
    before = [reads(server) for server in primaries]
    answers = await asyncio.gather(
        *(store.pipeline.run(COUNT, [key], EMPTY) for key in keys for _ in range(20))
    )
    after = [reads(server) for server in primaries]
    assert sorted(answers) == sorted([*range(2, 22)] * len(keys))
    assert all(later - earlier < 10 for earlier, later in zip(before, after, strict=True))


def reads(server: Server) -> int:
    return int(server.client.info("stats")["total_reads_processed"])


async def test_a_script_that_a_server_forgot_is_loaded_there(store: Store, whole_cluster: Cluster) -> None:
    keys = [partition_key("n", number) for number in range(PARTITIONS)]
    await asyncio.gather(*(store.pipeline.run(COUNT, [key], EMPTY) for key in keys))
    whole_cluster.primaries()[1].ask("SCRIPT", "FLUSH")
    answers = await asyncio.gather(*(store.pipeline.run(COUNT, [key], EMPTY) for key in keys))
    assert answers == [2] * len(keys)


async def test_a_frozen_server_holds_up_only_its_own(store: Store, whole_cluster: Cluster) -> None:
    keys = {
        port: partition_key("n", store.partition(name))
        for port, name in customers_on_each(whole_cluster, store).items()
    }
    await asyncio.gather(*(store.pipeline.run(COUNT, [key], EMPTY) for key in keys.values()))
    frozen = whole_cluster.primaries()[0]
    with frozen.paused():
        stuck = asyncio.create_task(store.pipeline.run(COUNT, [keys[frozen.port]], EMPTY))
        others = [
            store.pipeline.run(COUNT, [key], EMPTY) for port, key in keys.items() if port != frozen.port
        ]
        assert await asyncio.gather(*others) == [2, 2]
        assert not stuck.done()
        with pytest.raises(StoreUnavailable):
            await stuck
    assert await store.pipeline.run(COUNT, [keys[frozen.port]], EMPTY) == 3


async def test_a_slot_that_is_moving(store: Store, whole_cluster: Cluster) -> None:
    """TRYAGAIN while a call's keys lie in two places, ASK for what has gone ahead, MOVED in the end."""
    one, two = keys = [partition_key(name, 3) for name in ("one", "two")]
    for key in keys:
        await store.pipeline.command("SET", key, key)
    source = whole_cluster.owner(slot_of(one))
    target = next(server for server in whole_cluster.primaries() if server is not source)
    moving = whole_cluster.begin_move(slot_of(one), target)
    moving.move_keys(1)
    split = asyncio.create_task(store.pipeline.run(BOTH, keys, EMPTY))
    assert (
        await store.pipeline.command("GET", one) == one.encode()
    )  # one of the two was asked for at its new place
    assert await store.pipeline.command("GET", two) == two.encode()
    await asyncio.sleep(0.05)
    assert not split.done()
    moving.move_keys(1)
    assert await split == [one.encode(), two.encode()]
    assert await store.pipeline.run(COUNT, [partition_key("new", 3)], EMPTY) == 1
    moving.move_keys(10)
    moving.end()
    assert await store.pipeline.run(BOTH, keys, EMPTY) == [one.encode(), two.encode()]
    assert await store.pipeline.run(COUNT, [partition_key("new", 3)], EMPTY) == 2
    assert whole_cluster.owner(slot_of(one)) is target


async def test_a_move_that_does_not_end_is_not_waited_for(store: Store, whole_cluster: Cluster) -> None:
    keys = [partition_key(name, 5) for name in ("one", "two")]
    for key in keys:
        await store.pipeline.command("SET", key, key)
    source = whole_cluster.owner(slot_of(keys[0]))
    target = next(server for server in whole_cluster.primaries() if server is not source)
    moving = whole_cluster.begin_move(slot_of(keys[0]), target)
    moving.move_keys(1)
    with pytest.raises(StoreUnavailable, match="TRYAGAIN"):
        await store.pipeline.run(BOTH, keys, EMPTY)
    moving.move_keys(10)
    moving.end()


async def test_slots_move_under_load(whole_cluster: Cluster) -> None:
    """Every partition, to the next server: nobody is refused, and nothing is done twice."""
    async with store_of(whole_cluster, timeout_s=5) as store, Load(store) as load:
        await load.until_done(200)
        for partition in range(PARTITIONS):
            slot = slot_of(partition_key("load", partition))
            primaries = whole_cluster.primaries()
            target = primaries[(primaries.index(whole_cluster.owner(slot)) + 1) % len(primaries)]
            await asyncio.to_thread(whole_cluster.move_slot, slot, target)
        await load.until_done(load.done + 200)
        assert await load.most_often() == 1
        assert not load.refused


async def test_a_planned_failover_under_load(torn_cluster: Cluster) -> None:
    async with store_of(torn_cluster, timeout_s=5) as store, Load(store) as load:
        await load.until_done(200)
        for primary in torn_cluster.primaries():
            await asyncio.to_thread(torn_cluster.fail_over, primary)
        await load.until_done(load.done + 200)
        assert await load.most_often() == 1


async def test_a_killed_primary_is_replaced_and_the_others_go_on(torn_cluster: Cluster) -> None:
    async with store_of(torn_cluster) as store, Load(store) as load:
        await load.until_done(200)
        victim = torn_cluster.primaries()[0]
        names = customers_on_each(torn_cluster, store)
        replica = torn_cluster.replica_of(victim)
        victim.kill()
        (lost,) = (
            partition_key("n", store.partition(name)) for port, name in names.items() if port == victim.port
        )
        others = [
            partition_key("n", store.partition(name)) for port, name in names.items() if port != victim.port
        ]
        with pytest.raises(StoreUnavailable):
            await store.pipeline.run(COUNT, [lost], EMPTY)
        for key in others:
            assert await store.pipeline.run(COUNT, [key], EMPTY) == 1
        await asyncio.to_thread(torn_cluster.until_healed)
        assert torn_cluster.owner(slot_of(lost)) is replica
        async with asyncio.timeout(10):
            while await counted(store, lost) is None:
                await asyncio.sleep(0.02)
        await load.until_done(load.done + 200)
        assert await load.most_often() == 1


async def counted(store: Store, key: str) -> Any:
    try:
        return await store.pipeline.run(COUNT, [key], EMPTY)
    except StoreUnavailable:
        return None


async def test_a_listener_goes_to_another_server_when_its_own_is_gone(torn_cluster: Cluster) -> None:
    async with store_of(torn_cluster) as store:
        own = subscriber(f"redis+cluster://{torn_cluster.servers[0].address}", ConnectOptions())
        wakeups = Wakeups(own, "n1", publish=store.publish, every_s=0.2)
        heard: asyncio.Queue[int | str] = asyncio.Queue()

        async def listen() -> None:
            async for told in wakeups.announced():
                heard.put_nowait(told)

        listening = asyncio.create_task(listen())
        await until(lambda: not wakeups.deaf)
        for server in torn_cluster.servers:
            if server.ask("PUBSUB", "NUMSUB", "seatd:wake:n1")[1]:
                server.kill()
                break
        await until(lambda: wakeups.deaf)
        await until(lambda: not wakeups.deaf)
        for number, server in enumerate(torn_cluster.servers):
            if server.is_running:
                server.ask("PUBLISH", "seatd:wake:n1", number)
                assert await asyncio.wait_for(heard.get(), 10) == number
        listening.cancel()
        await asyncio.wait([listening])
        await wakeups.close()


async def until(holds: Any) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.01)


async def test_a_dropped_store_finds_its_servers_again(store: Store, whole_cluster: Cluster) -> None:
    keys = [partition_key("n", number) for number in range(PARTITIONS)]
    await asyncio.gather(*(store.pipeline.run(COUNT, [key], EMPTY) for key in keys))
    before = [client_ids(server) for server in whole_cluster.primaries()]
    await store.disconnect()
    answers = await asyncio.gather(*(store.pipeline.run(COUNT, [key], EMPTY) for key in keys))
    assert answers == [2] * len(keys)
    after = [client_ids(server) for server in whole_cluster.primaries()]
    assert not any(earlier & later for earlier, later in zip(before, after, strict=True))


def client_ids(server: Server) -> set[str]:
    """The connections over which scripts were called."""
    return {row["id"] for row in server.client.client_list() if row["cmd"] == "evalsha"}


async def test_one_of_a_cluster_is_not_taken_for_a_server_of_its_own(whole_cluster: Cluster) -> None:
    async with store_of(whole_cluster, url=f"redis://{whole_cluster.primaries()[0].address}") as store:
        with pytest.raises(WrongDeployment, match=r"redis\+cluster"):
            await store.join()


async def test_a_server_that_is_no_cluster() -> None:
    with sentinel_group(replicas=0, sentinels=1) as group:
        store = Store(connect(f"redis+cluster://{group.primary().address}", ConnectOptions()), StoreOptions())
        with pytest.raises(StoreUnavailable, match="cluster support disabled"):
            await store.join()
        await store.close_client()


async def test_the_rights_that_the_documentation_names_are_enough(
    whole_cluster: Cluster, store: Store, clock: Clock
) -> None:
    for server in whole_cluster.servers:
        rights = [*documented_rights(server.program), "+cluster|slots"]
        server.ask("ACL", "SETUSER", "least", "reset", "on", ">pw", *rights)
    url = f"redis+cluster://least:pw@{whole_cluster.servers[0].address}"
    async with store_of(whole_cluster, clock, url=url) as least:
        await least.join()
        office = Office(least, clock)
        await office.join("n1")
        await least.put_license(license_key(license_claim()))
        await office.open("ann", "CALL_CENTER")
        own = subscriber(url, ConnectOptions())
        wakeups = Wakeups(own, "n1", publish=least.publish, every_s=0.2)
        announced = wakeups.announced()
        asked = asyncio.ensure_future(anext(announced))
        await until(lambda: not wakeups.deaf)
        await office.kick(everyone=True, reply_to="n1")
        assert await asyncio.wait_for(asked, 10) == office.partition
        await announced.aclose()
        await wakeups.close()


async def test_a_warning_is_given_once_for_all_servers(store: Store, whole_cluster: Cluster) -> None:
    for server in whole_cluster.primaries():
        server.ask("CONFIG", "SET", "min-replicas-to-write", "1")
    with capture_logs() as events:
        await store.join()
    for server in whole_cluster.primaries():
        server.ask("CONFIG", "SET", "min-replicas-to-write", "0")
    said = [event["event"] for event in events]
    assert len(whole_cluster.primaries()) > 1
    assert len(said) == len(set(said))
    assert {"min-replicas-to-write", "the store's append-only file"} <= {
        text.partition(" is ")[0] for text in said
    }
