"""The hub: which sessions live here, how orders find them, when it is ready, and how it stops."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from seatd.hub.hub import Hub
from seatd.hub.session import Session
from seatd.hub.targets import LogoutTargets
from seatd.store.keys import partition_key
from seatd.store.redis import Store
from seatd.store.values import KickTarget, Order
from seatd_protocol.messages import Bye, Logout, Welcome
from tests.conftest import Clock
from tests.engine import PrivateEngine
from tests.hub.conftest import Hubs, Peer, hello, signed_in, states, used
from tests.licenses import Licensed
from tests.servers import eventually


def figure(hub: Hub, name: str, **labels: str) -> float:
    return hub.metrics.registry.get_sample_value(name, labels) or 0.0


async def nodes(store: Store) -> set[str]:
    """The nodes that the store knows of, in any partition."""
    members: set[object] = set()
    for number in range(store.partitions):
        members.update(await store.client.zrange(partition_key("nodes", number), 0, -1))
    return {member.decode() for member in members if isinstance(member, bytes)}


# -- orders ---------------------------------------------------------------------------------------


async def test_an_order_for_a_session_without_socket_frees_no_seat(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    """Its socket is gone, its client need not be: it may believe in its seat until its lease is over."""
    await licensed()
    hub = await hubs()
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    peer.session.stored = False  # what `gone` was to tell the store is lost
    await peer.drop()
    targets = LogoutTargets(users=("ann@acme.example",))
    (receipt,) = await hub.logouts.logout(targets, message="", cooldown_s=0, by="boss", wait_s=0.1)
    assert (receipt.outcome, receipt.delivered) == ("pending", False)
    assert (await used(store), await states(store)) == (1, {"ann": "draining"})


async def test_an_order_that_overtakes_the_sign_in_waits_for_it(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    """The same device signs in twice at one moment: the first hello's order comes before its answer is read."""
    await licensed()
    hub = await hubs()
    first, second = Peer(hub), Peer(hub)
    await asyncio.gather(first.say(hello("ann", "CALL_CENTER")), second.say(hello("ann", "CALL_CENTER")))
    await hub.leases.round(store.partition("acme"))
    assert await first.closed() == (4301, "replaced")
    assert (await used(store), await states(store), second.wire.closed) == (1, {"ann": "attached"}, None)


async def test_an_order_waits_while_its_session_arrives(hubs: Hubs, store: Store, licensed: Licensed) -> None:
    await licensed()
    hub = await hubs()
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    session, partition = peer.session, store.partition("acme")
    order = Order(number=1, type="superseded", customer="acme", session=session.key, fence=session.fence + 1)
    with hub.orders.arriving(session):
        with hub.orders.arriving(session):  # another resume of the same session, which is over first
            hub.orders.carry_out(partition, order)
        await asyncio.sleep(0)
        assert peer.wire.closed is None
        session.fence += 1
    assert await peer.closed() == (4301, "replaced")


async def test_what_ends_a_live_session_does_not_wait_for_its_acquire(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    await licensed()
    hub = await hubs()
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    session = peer.session
    order = Order(number=1, type="superseded", customer="acme", session=session.key, fence=session.fence)
    with hub.orders.arriving(session):
        hub.orders.carry_out(store.partition("acme"), order)
        assert await peer.closed() == (4301, "replaced")


async def test_an_order_that_cannot_be_carried_out_holds_up_nobody(
    hubs: Hubs, store: Store, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    await licensed()
    hub = await hubs()
    ann, bob = await signed_in(hub, "ann", "CALL_CENTER"), await signed_in(hub, "bob", "CALL_CENTER")

    force_out = Session.force_out

    def fails_for_ann(session: Session, order: Order) -> None:
        if session is ann.session:
            raise RuntimeError("a fault of ours")
        force_out(session, order)

    monkeypatch.setattr(Session, "force_out", fails_for_ann)
    target = KickTarget(everyone=True)
    await store.kick("acme", target, message="", by="boss", cooldown_ms=0, reply_to=hub.node)
    await hub.leases.round(store.partition("acme"))
    assert (await ann.closed())[0] == 4103
    assert await bob.heard(Logout)


@pytest.mark.parametrize("fence", [0, 2])
async def test_an_order_of_another_life_of_the_session_is_not_for_this_one(
    hubs: Hubs, store: Store, licensed: Licensed, fence: int
) -> None:
    await licensed()
    hub = await hubs()
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    key = peer.session.key
    hub.orders.carry_out(
        store.partition("acme"), Order(number=1, type="logout", customer="acme", session=key, fence=fence)
    )
    await asyncio.sleep(0.01)
    assert (peer.wire.told, peer.wire.closed) == ([], None)
    assert await states(store) == {"ann": "attached"}


async def test_a_wake_up_carries_an_order_to_the_other_node(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    await licensed()
    hub, other = await hubs("a"), await hubs("b")
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    targets = LogoutTargets(users=("ann@acme.example",))
    (receipt,) = await other.logouts.logout(targets, message="out", cooldown_s=0, by="boss", wait_s=10)
    assert (receipt.node, receipt.outcome) == ("a", "closed")
    assert await peer.heard(Logout)
    assert figure(hub, "seatd_orders_total", via="wake-up") >= 1


async def test_a_deaf_node_gets_its_orders_with_its_beat(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    await licensed()
    hub = await hubs()
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    await hub._wakeups.close()
    target = KickTarget(user="ann@acme.example")
    await store.kick("acme", target, message="", by="", cooldown_ms=0, reply_to="")
    await hub.leases.round(store.partition("acme"))
    assert await peer.heard(Logout)


# -- sessions -------------------------------------------------------------------------------------


async def test_a_resume_on_the_same_node_takes_the_place_of_the_old_socket(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    await licensed()
    hub = await hubs()
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    again = Peer(hub)
    await again.say(hello("ann", "CALL_CENTER", resume=peer.resume))
    assert (await again.heard(Welcome)).resumed
    assert await peer.closed() == (4301, "replaced")
    assert await states(store) == {"ann": "attached"}
    assert figure(hub, "seatd_sessions", device="desktop", state="attached") == 1
    assert figure(hub, "seatd_sessions_closed_total", code="replaced") == 1
    assert figure(hub, "seatd_resumes_total", result="resumed") == 1
    await again.say(Bye())
    await again.closed()
    assert (await used(store), len(hub._sessions), len(hub._connected)) == (0, 0, 0)
    assert figure(hub, "seatd_sessions", device="desktop", state="attached") == 0


async def test_a_connection_without_hello_is_counted_nowhere(hubs: Hubs) -> None:
    hub = await hubs(max_sessions=1)
    peers = [Peer(hub) for _ in range(5)]
    assert not hub.is_full
    for peer in peers:
        await peer.drop()
    assert len(hub._connected) == 0
    assert figure(hub, "seatd_sessions", device="desktop", state="attached") == 0


async def test_a_connection_takes_a_descriptor_with_or_without_hello(hubs: Hubs) -> None:
    hub = await hubs(max_connections=2)
    first, second = Peer(hub), Peer(hub)
    assert hub.is_crowded
    assert await failing(hub) == {"capacity"}
    await second.say(hello("ann"))
    await second.heard(Welcome)  # who is in already has all that it takes
    await first.drop()
    assert not hub.is_crowded
    assert await failing(hub) == set()
    await second.drop()


# -- readiness ------------------------------------------------------------------------------------


async def failing(hub: Hub) -> set[str]:
    return {name for name, reason in hub.checks().items() if reason}


async def test_what_readiness_depends_on(hubs: Hubs, clock: Clock, engine: PrivateEngine) -> None:
    hub = await hubs(max_sessions=1)
    assert set(hub.checks()) == {"draining", "store", "wakeups", "capacity"}
    assert await failing(hub) == set()
    peer = await signed_in(hub, "ann")
    assert await failing(hub) == {"capacity"}
    await peer.drop()
    hub.draining = True
    assert await failing(hub) == {"draining"}
    hub.draining = False


async def test_a_store_that_is_away_for_long_makes_it_unready(hubs: Hubs, engine: PrivateEngine) -> None:
    hub = await hubs()
    with engine.paused():
        await hub.leases.round(0)
        assert await failing(hub) == set()
        for partition in hub.leases._partitions:
            partition.away_since_s = hub.leases._clock() - hub.options.lease_s - 1
        assert await failing(hub) == {"store"}
    await hub.leases.round(0)
    assert await failing(hub) == set()


# -- stopping -------------------------------------------------------------------------------------


async def test_a_stopped_node_is_forgotten_at_once(
    hubs: Hubs, store: Store, licensed: Licensed, clock: Clock
) -> None:
    await licensed()
    hub, other = await hubs("a"), await hubs("b")
    await signed_in(hub, "ann", "CALL_CENTER")
    await hub.drain()
    await hub.stop()
    assert await nodes(store) == {"b~1"}
    assert await states(store) == {"ann": "parked"}
    assert not any(other.checks().values())


async def test_an_order_at_the_last_moment_does_not_bring_a_stopped_node_back(
    hubs: Hubs, store: Store, licensed: Licensed, clock: Clock
) -> None:
    await licensed()
    hub = await hubs()
    await signed_in(hub, "ann", "CALL_CENTER")
    await hub._wakeups.close()
    target = KickTarget(user="ann@acme.example")
    await store.kick("acme", target, message="", by="", cooldown_ms=0, reply_to="")
    for number in range(store.partitions):
        hub.leases.wake(number)
    await asyncio.sleep(0)
    await hub.stop()
    await asyncio.sleep(0.01)
    assert [hub.leases.may_beat(number) for number in range(store.partitions)] == [False] * store.partitions
    ends = [await store.client.zscore(partition_key("nodes", n), "a~1") for n in range(store.partitions)]
    assert max(end or 0 for end in ends) <= clock.now_ms


async def test_stopping_without_a_store(hubs: Hubs, engine: PrivateEngine) -> None:
    hub = await hubs()
    with engine.paused(), capture_logs() as events:
        await hub.drain()
        await hub.stop()
    assert [event["log_level"] for event in events] == ["warning"]


async def test_a_task_that_fails_is_told_in_the_log(hubs: Hubs) -> None:
    hub = await hubs()

    async def fail() -> None:
        raise RuntimeError("a bug")

    with capture_logs() as events:
        hub.spawn(fail())
        await eventually(lambda: events)
    assert events[0]["log_level"] == "error"


async def test_of_two_resumes_the_later_one_stays_however_their_answers_come(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    """Answers of different connections may cross: the fence says which resume was the later one."""
    await licensed()
    hub = await hubs()
    first = await signed_in(hub, "ann", "CALL_CENTER")
    await first.drop()
    later, earlier = Peer(hub), Peer(hub)
    await later.say(hello("ann", "CALL_CENTER", resume=first.resume))
    live, late = later.session, earlier.session
    late.identity, late.device, late.key, late.secret = live.identity, live.device, live.key, live.secret
    late.fence, late.stored = live.fence - 1, True
    late.welcomed = True
    hub.register(late, "attached")
    assert (await earlier.closed())[0] == 4001
    assert figure(hub, "seatd_sessions", device="desktop", state="attached") == 1
    assert later.wire.closed is None
    assert (await used(store), await states(store)) == (1, {"ann": "attached"})
