"""Two nodes and a store that forgets: what clients feel of it, and what they do not."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from seatd.hub.forever import forever
from seatd.hub.hub import Hub
from seatd.hub.targets import LogoutTargets
from seatd.store.keys import CUSTOMER_KEYS, customer_key, partition_key
from seatd.store.redis import Store
from seatd.store.values import StoreUnavailable
from seatd_protocol.messages import Bye, Logout, Notice, Queued, Welcome
from tests.conftest import Clock
from tests.engine import PrivateEngine
from tests.hub.conftest import Hubs, Peer, hello, refused, signed_in, states, used
from tests.hub.test_endings import out_of_reach
from tests.licenses import Licensed
from tests.servers import eventually

PARTITION_STATE = ("by_node", "deadlines", "orders", "tombs", "cooldowns")
CUSTOMER_STATE = tuple(
    name for name in CUSTOMER_KEYS if name not in ("licenses", "offers", "license_keys", "profile")
)


async def remember(store: Store) -> dict[str, bytes | None]:
    """The store as it is now, but for who it is."""
    number = store.partition("acme")
    names = [partition_key(name, number) for name in PARTITION_STATE]
    names += [customer_key(name, number, "acme") for name in CUSTOMER_STATE]
    return {name: await store.client.dump(name) for name in names}


async def fall_back(store: Store, was: dict[str, bytes | None]) -> None:
    """A failover to a replica that is as far behind as `was`."""
    for name, content in was.items():
        await store.client.delete(name)
        if content is not None:
            await store.client.restore(name, 0, content)
    for number in range(store.partitions):
        await store.client.hset(partition_key("meta", number), "replid", "another")


async def beat(*hubs: Hub) -> None:
    for hub in hubs:
        for number in range(hub.store.partitions):
            await hub.leases.round(number)


async def test_what_the_store_forgot_is_as_it_was(hubs: Hubs, store: Store, licensed: Licensed) -> None:
    await licensed(limit=5)
    a, b = await hubs("a"), await hubs("b")
    was = await remember(store)
    ann, bob = await signed_in(a, "ann", "CALL_CENTER"), await signed_in(b, "bob", "CALL_CENTER")
    await fall_back(store, was)
    assert await states(store) == {}
    await beat(a, b)
    assert (await states(store), await used(store)) == ({"ann": "attached", "bob": "attached"}, 2)
    assert ann.wire.closed is bob.wire.closed is None
    assert [restored(hub) for hub in (a, b)] == [1, 1]


def restored(hub: Hub) -> float:
    """Sessions of which this node had to tell the store again."""
    labels = {"found": "recovery", "result": "restored"}
    return hub.metrics.registry.get_sample_value("seatd_healed_total", labels) or 0


async def test_clients_are_told_once_that_the_store_is_checked(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    await licensed(limit=5)
    hub = await hubs()
    ann = await signed_in(hub, "ann", "CALL_CENTER")
    await fall_back(store, {})
    await beat(hub)
    await beat(hub)
    notices = [message for message in ann.wire.told if isinstance(message, Notice)]
    assert [notice.code for notice in notices] == ["store_recovering"]


async def test_a_connection_lost_while_the_store_was_away_keeps_its_seat(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    """The store has forgotten the session, and never heard that it was parked: its node knows both."""
    await licensed(limit=5)
    a, b = await hubs("a"), await hubs("b")
    was = await remember(store)
    ann = await signed_in(a, "ann", "CALL_CENTER")
    with out_of_reach(a):
        await ann.drop()
    await fall_back(store, was)
    await beat(a, b)
    await eventually(lambda: not a.endings._tasks)
    assert await states(store) == {"ann": "parked"}
    again = Peer(b)
    await again.say(hello("ann", "CALL_CENTER", resume=ann.resume))
    assert (await again.heard(Welcome)).resumed


async def test_who_was_parked_when_the_store_forgot_it_is_parked(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    await licensed(limit=5)
    a, b = await hubs("a"), await hubs("b")
    ann = await signed_in(a, "ann", "CALL_CENTER")
    was = await remember(store)
    await ann.drop()
    await fall_back(store, was)
    assert await states(store) == {"ann": "attached"}
    await beat(a, b)
    assert await states(store) == {"ann": "parked"}


async def test_who_has_left_stays_away(hubs: Hubs, store: Store, licensed: Licensed) -> None:
    await licensed(limit=5)
    a, b = await hubs("a"), await hubs("b")
    ann = await signed_in(a, "ann", "CALL_CENTER")
    was = await remember(store)
    await ann.say(Bye())
    await ann.closed()
    await fall_back(store, was)
    await beat(a, b)
    assert (await states(store), await used(store)) == ({}, 0)


async def test_a_resume_elsewhere_outlives_the_first_nodes_memory(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    """That the first node had to close its socket is no end of the session."""
    await licensed(limit=5)
    a, b = await hubs("a"), await hubs("b")
    ann = await signed_in(a, "ann", "CALL_CENTER")
    was = await remember(store)
    again = Peer(b)
    await again.say(hello("ann", "CALL_CENTER", resume=ann.resume))
    await again.heard(Welcome)
    await beat(a)
    await ann.closed()
    await fall_back(store, was)
    await beat(a, b)
    assert (await states(store), again.wire.closed) == ({"ann": "attached"}, None)
    assert b.sessions(store.partition("acme"))


@pytest.mark.parametrize("who", ["ordered", "carried out"])
async def test_a_forced_logout_is_not_undone_while_a_node_that_saw_it_lives(
    hubs: Hubs, store: Store, licensed: Licensed, who: str
) -> None:
    await licensed(limit=5)
    a, b = await hubs("a"), await hubs("b")
    ann = await signed_in(a, "ann", "CALL_CENTER")
    was = await remember(store)
    targets = LogoutTargets(users=("ann@acme.example",))
    await b.logouts.logout(targets, message="lunch", cooldown_s=600, by="boss", wait_s=0.01)
    if who == "carried out":
        await beat(a)
        await ann.heard(Logout)
    await fall_back(store, was)
    await beat(*((b, a) if who == "ordered" else (a,)))
    if who == "carried out":
        await store.report(store.partition("acme"), b.node, durable=True)
    if who == "ordered":
        await ann.heard(Logout)
    await ann.closed()
    await beat(a)
    await eventually(lambda: not a.endings._tasks)
    assert await states(store) == {}
    assert (await refused(b, "ann", "CALL_CENTER", device="other")).code in ("cooldown", "recovering")
    assert await store.client.zcard(partition_key("cooldowns", store.partition("acme"))) == 1


async def test_who_waits_goes_on_waiting_in_the_same_place(
    hubs: Hubs, store: Store, licensed: Licensed, clock: Clock
) -> None:
    await licensed(limit=1)
    hub = await hubs()
    was = await remember(store)
    ann = await signed_in(hub, "ann", "CALL_CENTER")
    line = []
    for name in ("bob", "cid"):
        peer = Peer(hub)
        await peer.say(hello(name, "CALL_CENTER", wait_s=600))
        await peer.heard(Queued)
        line.append(peer)
    await fall_back(store, was)
    await beat(hub)
    places = (await store.serve("acme")).places
    assert [(place.session, place.position) for place in places] == [
        (peer.session.key, number) for number, peer in enumerate(line, 1)
    ]
    clock.pass_ms(store.options.recovery_ms)
    await beat(hub)
    await ann.say(Bye())
    await beat(hub)
    assert (await line[0].heard(Welcome)).seats
    assert await used(store) == 1


# -- one slow or faulty thing among many ----------------------------------------------------------


async def test_a_partition_that_is_slow_to_reassert_delays_no_other(
    hubs: Hubs, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does it lose its own place in the store meanwhile; only its clients get no beat."""
    hub = await hubs()
    go_on = asyncio.Event()
    tell = hub.reassertion.tell

    async def slow(partition: int) -> None:
        if partition == 0:
            await go_on.wait()
        await tell(partition)

    events = msgspec.structs.replace(hub.leases._events, reassert=slow)
    monkeypatch.setattr(hub.leases, "_events", events)
    await hub.leases.round(0)  # a beat that is under way since the start would renew the lease
    for partition in hub.leases._partitions:
        partition.lease.lapse()
    for number in range(store.partitions):
        hub.leases.wake(number)
    others = range(1, store.partitions)
    await eventually(lambda: all(hub.leases.may_beat(number) for number in others))
    confirmed_s = hub.leases._partitions[0].confirmed_s
    hub.leases.wake(0)
    await eventually(lambda: hub.leases._partitions[0].confirmed_s > confirmed_s)
    assert not hub.leases.may_beat(0)
    go_on.set()
    await eventually(lambda: hub.leases.may_beat(0))


async def test_what_is_durable_is_asked_anew_after_a_failover(
    hubs: Hubs, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A registration that was durable on the old server need not be on the new one. All partitions share one answer."""
    hub = await hubs()
    asked: list[bool] = []
    reported: list[bool] = []

    async def is_durable() -> bool:
        asked.append(True)
        return True

    async def report(partition: int, node: str, *, durable: bool) -> bool:
        reported.append(durable)
        return True

    monkeypatch.setattr(hub.leases._is_durable, "_call", is_durable)
    monkeypatch.setattr(hub.store, "report", report)
    await fall_back(store, {})
    for number in range(store.partitions):
        hub.leases.wake(number)
    await hub.leases.round(0)
    assert reported == [True] * store.partitions
    assert 1 <= len(asked) <= 2


async def test_who_could_be_forgotten_grants_nothing(
    hubs: Hubs, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that a failover can make the store forget would not be waited for, and its seats be given away."""
    hub = await hubs()
    answers: list[bool | None] = [False, True]

    async def is_durable() -> bool | None:
        return answers.pop(0) if answers else True

    monkeypatch.setattr(hub.leases._is_durable, "_call", is_durable)
    await store.client.flushall()
    await hub.leases.round(0)
    assert not hub.leases.may_grant(0)
    await hub.leases.round(0)
    assert hub.leases.may_grant(0)


async def test_the_audit_outlives_a_fault(hubs: Hubs, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = await hubs(audit_s=0.02)
    really: Any = hub.store.held_by
    looked: list[int] = []

    async def held_by(partition: int, node: str) -> Any:
        looked.append(partition)
        if len(looked) == 1:
            raise RuntimeError("a fault of ours")
        return await really(partition, node)

    monkeypatch.setattr(hub.store, "held_by", held_by)
    await eventually(lambda: len(looked) > store.partitions)


async def test_background_work_outlives_a_fault() -> None:
    done: list[int] = []

    async def work() -> None:
        done.append(1)
        if len(done) == 1:
            raise RuntimeError("a fault of ours")
        await asyncio.sleep(3600)

    going = asyncio.create_task(forever(work, pause_s=0))
    await eventually(lambda: len(done) == 2)
    going.cancel()


async def test_a_fence_is_asked_for_like_anything_else(hubs: Hubs, engine: PrivateEngine) -> None:
    hub = await hubs()
    with engine.paused(), pytest.raises(StoreUnavailable):
        await hub.store.fence_of("acme", "s1")


async def test_sessions_that_go_on_without_the_store_are_counted(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    await licensed(limit=5)
    hub = await hubs()
    await signed_in(hub, "ann", "CALL_CENTER")
    registry = hub.metrics.registry
    assert registry.get_sample_value("seatd_sessions_at_risk") == 0
    with out_of_reach(hub):
        await beat(hub)
        for partition in hub.leases._partitions:
            partition.lease.until_s = hub.leases._clock() - 0.001
            partition.away_since_s = partition.lease.until_s - 1
        assert registry.get_sample_value("seatd_sessions_at_risk") == 1
    await beat(hub)
    assert registry.get_sample_value("seatd_sessions_at_risk") == 0
