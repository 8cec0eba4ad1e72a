"""Is this still the server that wrote the data? If not: a new epoch, and no new grants for a while."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from seatd.store.connect import ConnectOptions, connect
from seatd.store.keys import partition_key
from seatd.store.redis import Store
from seatd.store.values import Beat, Denied, Granted, Queued, StoreUnavailable, WrongDeployment
from seatd.store.verbs import StoreOptions
from tests.conftest import Clock
from tests.engine import PrivateEngine
from tests.licenses import Licensed, license_claim, license_key
from tests.store.holding import lost_by
from tests.store.office import NODE, Office, person

OTHER_SERVER = "f" * 40


async def another_server(office: Office) -> None:
    """The partition's data is found on a server that did not write it."""
    await office.store.client.hset(partition_key("meta", office.partition), "replid", OTHER_SERVER)


async def test_a_session_that_may_have_ended_meanwhile_waits_for_the_end_of_the_window(
    office: Office, store: Store, licensed: Licensed
) -> None:
    """A server that was replaced goes on for a while: it may have ended the session and given its seat to somebody else."""
    await licensed("CALL_CENTER", 2)
    soon, late = await office.open("alice", "CALL_CENTER"), await office.open("bob", "CALL_CENTER")
    assert await office.park(soon)
    await office.pass_ms(store.options.linger_ms - store.options.old_primary_ms + 1, "n1", "n2")
    assert await office.park(late)
    await another_server(office)
    with pytest.raises(StoreUnavailable, match="recovering"):
        await office.attach(soon.session)
    assert isinstance(await office.attach(late.session, "bob"), Granted)


async def test_who_was_there_before_opens_the_window_that_a_new_node_did_not(
    office: Office, store: Store, engine: PrivateEngine, clock: Clock
) -> None:
    """Everything is lost, and the first who asks is a node that has never seen an epoch: to it, the store is newborn."""
    await office.beat()
    await store.client.flushall()
    clock.pass_ms(1)
    fresh = Store(connect(engine.url, ConnectOptions()), store.options, checked=True, now_ms=clock)
    assert (await fresh.beat(office.partition, "new", done=0, joined=False)).recover_until_ms == 0
    beat = await office.beat()
    assert beat.recover_until_ms == clock.now_ms + store.options.recovery_ms
    assert (await office.beat()).epoch == beat.epoch
    await fresh.close_client()


async def test_who_waited_finds_its_place_again_while_the_partition_recovers(
    office: Office, licensed: Licensed
) -> None:
    """Its node has died in the same event. Nobody is served, but the place does not end before its client may return."""
    await licensed("CALL_CENTER", 1)
    await office.open("alice", "CALL_CENTER", node="n2")
    for name, node in (("bob", "n1"), ("carol", "n2")):
        assert isinstance(await office.ask(name, "CALL_CENTER", wait=True, device=name, node=node), Queued)
    await another_server(office)
    await office.beat("n2")
    again = await office.ask("bob", "CALL_CENTER", wait=True, device="bob", node="n2")
    assert isinstance(again, Queued)
    assert again.position == 1
    assert (await office.refused("dave", "CALL_CENTER", wait=True, node="n2")).code == "recovering"
    assert (await office.refused("carol", "CALL_CENTER", device="carol", node="n2")).code == "recovering"


async def epoch(store: Store, office: Office) -> int:
    return int(await store.client.hget(partition_key("meta", office.partition), "epoch") or 0)


async def test_a_new_deployment_does_not_recover(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 1)
    assert (await office.beat()).recover_until_ms == 0
    await office.open("alice", "CALL_CENTER")


async def test_another_server_raises_the_epoch_and_opens_the_window(office: Office, store: Store) -> None:
    before = await epoch(store, office)
    await another_server(office)
    beat = await office.beat()
    assert beat.epoch == await epoch(store, office) > before
    assert beat.recover_until_ms == office.clock.now_ms + store.options.recovery_ms
    assert (await office.beat()).epoch == beat.epoch


async def test_the_epoch_rises_though_the_clock_went_back(office: Office, store: Store, clock: Clock) -> None:
    before = await epoch(store, office)
    clock.now_ms -= 3600_000
    await another_server(office)
    await office.beat()
    assert await epoch(store, office) == before + 1


async def test_no_order_is_lost_though_the_clock_went_back(
    office: Office, store: Store, clock: Clock
) -> None:
    """However many there were since: a node that has carried out the last of them hears the next one."""
    partition = store.partition(office.customer)
    await store.client.hincrby(partition_key("meta", partition), "orders", 5_000)
    await office.open("alice", unseated=True)
    await office.kick(user=person("alice"))
    (last,) = (await office.beat(carry_out=False)).orders
    clock.now_ms -= 3600_000
    await another_server(office)
    await office.open("bob", unseated=True)
    await office.kick(user=person("bob"))
    (order,) = (await store.beat(partition, NODE, done=last.number, joined=True)).orders
    assert order.number > last.number


async def test_the_very_call_that_finds_it_out_grants_nothing(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 5)
    session = await office.open("alice", unseated=True)
    await another_server(office)
    denied = await office.refused("bob", "CALL_CENTER")
    assert (denied.code, denied.retry_after_ms) == ("recovering", 5_000)
    acquired = await office.acquire(session, "alice", "CALL_CENTER")
    assert isinstance(acquired, Denied)
    assert acquired.code == "recovering"


async def test_who_is_here_feels_nothing(office: Office, store: Store, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 5, id="cc")
    resumed, parked, closed, kicked, repeated = [
        await office.open(name, "CALL_CENTER") for name in ("alice", "bob", "carol", "dave", "erin")
    ]
    await another_server(office)
    assert isinstance(await office.attach(resumed.session), Granted)
    assert await office.park(parked)
    assert await office.close(closed)
    assert len(await office.kick(session=kicked.session)) == 1
    assert len((await office.beat("n1")).orders) == 2
    assert isinstance(await office.ask("erin", "CALL_CENTER", session=repeated.session), Granted)
    assert await lost_by(store, "n1", {repeated.session: 1}) == []
    assert await office.used("cc") == 4


async def test_the_emergency_path_is_open_meanwhile(office: Office) -> None:
    await another_server(office)
    await office.open("alice", unseated=True)


async def test_nothing_is_swept_away_meanwhile(office: Office, store: Store, licensed: Licensed) -> None:
    """A session whose node has not been heard of since the failover may well live."""
    await licensed("CALL_CENTER", 5)
    session = await office.open("alice", "CALL_CENTER")
    await office.park(session)
    await office.pass_ms(store.options.linger_ms, "n2")
    await another_server(office)
    due = (await office.beat("n2")).due
    assert [item.session for item in due] == [session.session]
    assert await office.sweep(due) == ([], [])
    await office.pass_ms(store.options.recovery_ms, "n2")
    assert await office.sweep((await office.beat("n2")).due) == ([], [session.session])


async def test_the_window_ends_by_itself(office: Office, store: Store, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 5)
    await another_server(office)
    await office.beat("n1")
    await office.pass_ms(store.options.recovery_ms - 1, "n1")
    assert (await office.refused("alice", "CALL_CENTER")).retry_after_ms == 1
    await office.pass_ms(1, "n1")
    await office.open("alice", "CALL_CENTER")


async def test_other_partitions_are_their_own(office: Office, store: Store) -> None:
    other = (office.partition + 1) % store.partitions
    await store.beat(other, "n1", done=0, joined=False)
    await another_server(office)
    await office.beat()
    assert (await store.beat(other, "n1", done=0, joined=True)).recover_until_ms == 0


async def test_data_that_is_gone_altogether_is_no_new_deployment(
    office: Office, store: Store, licensed: Licensed
) -> None:
    """The node remembers an epoch, so there was something: the empty store must not grant."""
    before = await epoch(store, office)
    await store.client.flushall()
    await office.beat(joined=False)
    assert await epoch(store, office) > before
    await licensed("CALL_CENTER", 5)
    assert (await office.refused("alice", "CALL_CENTER")).code == "recovering"


async def meta(store: Store, office: Office) -> object:
    return await store.client.hgetall(partition_key("meta", office.partition))


async def test_a_server_that_was_replaced_is_never_believed(
    office: Office, store: Store, licensed: Licensed
) -> None:
    """It wrote this data itself, but the caller has seen a later epoch: it has not heard of its successor yet."""
    await licensed("CALL_CENTER", 5)
    before = await meta(store, office)
    store.epochs[office.partition] += 7
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="replaced"):
            await office.open("alice", "CALL_CENTER")
    assert await meta(store, office) == before


async def test_the_connections_to_a_replaced_server_are_let_go(
    office: Office, store: Store, engine: PrivateEngine
) -> None:
    """Whatever finds out: the next call goes over a new connection, which leads to the server in charge."""
    if engine.login:
        pytest.skip("the test's own client is not the store's")
    pool: Any = store.client.connection_pool
    await store.client.ping()
    (old,) = pool._available_connections
    store.epochs[office.partition] += 7
    with pytest.raises(StoreUnavailable):
        await office.beat()
    assert not old.is_connected


async def test_an_epoch_that_was_lost_is_gone_beyond(
    office: Office, store: Store, licensed: Licensed
) -> None:
    """A restored backup: over a new connection too it knows nothing of the epoch that the caller has seen."""
    await licensed("CALL_CENTER", 5)
    before = await epoch(store, office)
    store.epochs[office.partition] = before + 7
    await another_server(office)
    assert (await office.refused("alice", "CALL_CENTER")).code == "recovering"
    assert await epoch(store, office) == before + 8


async def test_a_call_that_a_new_connection_overtakes_is_unknown(office: Office, store: Store) -> None:
    """Who lets go of all connections breaks off calls of others: they are told so, as of any lost connection."""
    calls = [asyncio.create_task(office.beat()) for _ in range(20)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await store._connections.renew(0)
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(answer, Beat | StoreUnavailable) for answer in answers), answers
    assert (await office.beat()).epoch


# -- vouch ----------------------------------------------------------------------------------------


async def test_who_runs_the_engine_may_vouch_for_its_restart(
    office: Office, store: Store, licensed: Licensed
) -> None:
    await licensed("CALL_CENTER", 5)
    before = await epoch(store, office)
    await another_server(office)
    await store.vouch(OTHER_SERVER)
    await office.open("alice", "CALL_CENTER")
    assert await epoch(store, office) == before


async def test_but_only_for_what_that_run_has_written(
    office: Office, store: Store, licensed: Licensed
) -> None:
    await licensed("CALL_CENTER", 5)
    await another_server(office)
    await store.vouch("e" * 40)
    assert (await office.refused("alice", "CALL_CENTER")).code == "recovering"


async def test_vouching_for_an_empty_store_writes_nothing(store: Store) -> None:
    before = await store.client.dbsize()
    await store.vouch(OTHER_SERVER)
    assert await store.client.dbsize() == before


# -- a real restart -------------------------------------------------------------------------------


@pytest.fixture
async def spare_store(spare_engine: PrivateEngine, spare_client: Redis, clock: Clock) -> Store:
    """A store on an engine that may be turned into another one."""
    return Store(spare_client, StoreOptions(partitions=4), checked=True, now_ms=clock)


async def test_a_promotion_is_noticed(spare_store: Store, clock: Clock) -> None:
    office = Office(spare_store, clock)
    await office.join("n1")
    await spare_store.put_license(license_key(license_claim()))
    await office.open("alice", "CALL_CENTER")
    await spare_store.client.slaveof("127.0.0.1", 1)
    await spare_store.client.slaveof()
    assert (await office.refused("bob", "CALL_CENTER")).code == "recovering"
    assert isinstance(await office.attach("s1", node="n1"), Granted)


# -- joining --------------------------------------------------------------------------------------


async def test_another_number_of_partitions_is_refused(store: Store, engine: PrivateEngine) -> None:
    other = Store(connect(engine.url, ConnectOptions()), StoreOptions(partitions=8))
    with pytest.raises(WrongDeployment, match="partitions = 4"):
        await other.join()
    await other.close_client()


async def test_an_engine_that_may_throw_data_away_is_refused(spare_store: Store) -> None:
    await spare_store.client.config_set("maxmemory-policy", "allkeys-lru")
    with pytest.raises(WrongDeployment, match="noeviction"):
        await spare_store.join()
    await spare_store.client.config_set("maxmemory-policy", "noeviction")
    await spare_store.join()


async def test_real_time_is_the_stores_own(engine: PrivateEngine, one_server: None) -> None:
    store = Store(connect(engine.url, ConnectOptions()), StoreOptions(partitions=4), checked=True)
    await store.client.flushall()
    before_s, _ = await store.client.time()
    beat = await store.beat(0, "n1", done=0, joined=False)
    after_s, _ = await store.client.time()
    await store.close_client()
    assert before_s * 1000 <= beat.now_ms <= (after_s + 1) * 1000
