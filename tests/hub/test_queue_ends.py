"""All the ways in which a wait can end on a node, but for the turn."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from seatd.store.redis import Store
from seatd.store.values import KickTarget, StoreUnavailable
from seatd_protocol.messages import (
    Ack,
    Acquire,
    Alive,
    Beat,
    Bye,
    Denied,
    Granted,
    Logout,
    Moving,
    Notice,
    Queued,
    Welcome,
)
from tests.conftest import Clock
from tests.hub.conftest import Hubs, Peer, hello, signed_in, states, used
from tests.hub.waiting import (
    LONG_S,
    acquires,
    answers_late,
    gauge,
    kinds,
    leaves,
    line,
    time_out,
    waits,
)
from tests.licenses import Licensed
from tests.servers import eventually

pytestmark = pytest.mark.usefixtures("brisk_queue")


async def test_a_new_connection_of_the_device_takes_the_place_and_the_old_socket_ends(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    await licensed(limit=1)
    hub = await hubs()
    ann = await signed_in(hub, "ann", "CALL_CENTER")
    old, eve = await waits(hub, "bob"), await waits(hub, "eve")
    new = await waits(hub, "bob")
    await hub.leases._beat(store.partition("acme"))
    assert (await old.closed())[0] == 4301
    assert await line(store) == ["bob", "eve"]
    assert gauge(hub) == 2
    await leaves(ann)
    assert await new.heard(Welcome)
    assert kinds(eve) in ([], [Queued])


@pytest.mark.parametrize("outcome", [Queued, Granted, Denied])
async def test_a_newer_acquire_that_waits_ends_the_older_whatever_becomes_of_it(
    hubs: Hubs, store: Store, licensed: Licensed, outcome: type[Queued | Granted | Denied]
) -> None:
    await licensed(limit=1)
    await licensed("CALL_MANAGER", 1)
    hub = await hubs()
    ann = await signed_in(hub, "ann", "CALL_CENTER")
    if outcome is Queued:
        await signed_in(hub, "eve", "CALL_MANAGER")
    bob = await signed_in(hub, "bob")
    await acquires(bob, "CALL_CENTER", ref=1)
    product = "QUALITY_AUDITOR" if outcome is Denied else "CALL_MANAGER"
    await bob.say(Acquire(ref=2, products=(product,), wait_s=LONG_S))
    older = await bob.heard(Denied)
    assert (older.ref, older.code) == (1, "wait_timeout")
    assert (await bob.heard(outcome)).ref == 2
    assert (gauge(hub), len(hub.queue._waiters)) == (0, int(outcome is Queued))
    await leaves(ann)
    assert await line(store) == (["bob"] if outcome is Queued else [])
    assert await used(store) == (0 if outcome is Denied else 1)


async def test_a_newer_acquire_does_not_lose_the_turn_of_the_older(
    hubs: Hubs, store: Store, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    await licensed(limit=1)
    await licensed("CALL_MANAGER", 1)
    hub = await hubs()
    ann, bob = await signed_in(hub, "ann", "CALL_CENTER"), await signed_in(hub, "bob")
    await signed_in(hub, "eve", "CALL_MANAGER")
    await acquires(bob, "CALL_CENTER", ref=1)
    done, arrives = answers_late(hub, "finish", monkeypatch)
    going = asyncio.create_task(leaves(ann))
    await done.wait()
    await bob.say(Acquire(ref=2, products=("CALL_MANAGER",), wait_s=LONG_S))
    arrives.set()
    await going
    assert (await bob.heard(Granted)).ref == 1
    assert (await bob.heard(Queued)).ref == 2
    assert (list(bob.session.seats), await line(store)) == (["CALL_CENTER"], ["bob"])


async def test_a_client_that_hangs_up_on_the_emergency_path(
    hubs: Hubs, store: Store, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Denied after its wait, it would be let in without a seat; but it is gone by then."""
    await licensed(limit=1)
    hub = await hubs()
    await signed_in(hub, "ann", "CALL_CENTER")
    bob = await waits(hub, "bob", allow_unseated=True)
    done, arrives = answers_late(hub, "open", monkeypatch)
    time_out(hub, bob)
    await done.wait()
    await bob.drop()
    arrives.set()
    await eventually(lambda: not hub.orders._arriving)
    assert (await states(store), gauge(hub)) == ({"ann": "attached"}, 0)


async def test_a_client_that_hangs_up_while_the_store_goes_away_stays_nowhere(
    hubs: Hubs, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a store it would be let in without a seat; but nobody would ever see it out again."""
    await licensed(limit=1)
    hub = await hubs()
    await signed_in(hub, "ann", "CALL_CENTER")
    bob = await waits(hub, "bob", allow_unseated=True)
    asked = asyncio.Event()

    async def away(*_: object, **__: object) -> Granted:
        await bob.drop()
        asked.set()
        raise StoreUnavailable("away")

    monkeypatch.setattr(hub.store, "open", away)
    before = set(hub._tasks)
    time_out(hub, bob)
    await asked.wait()
    await eventually(lambda: hub._tasks <= before)
    assert [session.identity.user for session in hub.sessions(hub.store.partition("acme"))] == [
        "ann@acme.example"
    ]


async def test_a_waiter_that_says_bye_is_not_told_anything_more(
    hubs: Hubs, store: Store, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    await licensed(limit=1)
    hub = await hubs()
    ann = await signed_in(hub, "ann", "CALL_CENTER")
    bob = await waits(hub, "bob", allow_unseated=True)
    done, arrives = answers_late(hub, "finish", monkeypatch)
    going = asyncio.create_task(bob.say(Bye()))
    await done.wait()
    assert (hub.queue._waiters, gauge(hub)) == ({}, 0)
    arrives.set()
    await going
    await leaves(ann)
    assert await bob.closed() == (1000, "normal")
    assert (kinds(bob), await states(store)) == ([], {})


async def test_a_waiter_that_is_forced_out(hubs: Hubs, store: Store, licensed: Licensed) -> None:
    await licensed(limit=1)
    hub = await hubs()
    await signed_in(hub, "ann", "CALL_CENTER")
    bob = await waits(hub, "bob", allow_unseated=True)
    target = KickTarget(user="bob@acme.example")
    await store.kick("acme", target, message="", by="boss", cooldown_ms=0, reply_to=hub.node)
    await hub.leases._beat(store.partition("acme"))
    order = await bob.heard(Logout)
    assert (hub.queue._waiters, gauge(hub), await line(store)) == ({}, 0, [])
    await bob.say(Ack(order=order.order))
    assert await bob.closed() == (4302, "logout")
    assert await states(store) == {"ann": "attached"}


async def test_a_waiter_answers_beats_or_leaves_the_line(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    await licensed(limit=1)
    hub = await hubs()
    await signed_in(hub, "ann", "CALL_CENTER")
    bob, eve = await waits(hub, "bob"), await waits(hub, "eve")
    for n in (1, 2):
        bob.session.beat()
        assert (await bob.heard(Beat)).n == n
        await bob.say(Alive(n=n))
    bob.session.beat()
    bob.session.beat()
    assert await bob.closed() == (4102, "no_alive")
    assert await line(store) == ["eve"]
    assert (await eve.heard(Queued)).position == 1
    assert gauge(hub) == 1


async def test_a_token_that_ends_while_its_user_waits(hubs: Hubs, store: Store, licensed: Licensed) -> None:
    await licensed(limit=1)
    hub = await hubs(token_leeway_s=0.0, token_warning_s=60.0)
    await signed_in(hub, "ann", "CALL_CENTER")
    bob = await waits(hub, "bob", ttl_s=30)
    eve = await waits(hub, "eve")
    bob.session.beat()
    assert (await bob.heard(Notice)).code == "token_expiring"
    await bob.say(Alive(n=1))
    bob.session.renew_token(msgspec.structs.replace(bob.session.identity, expires_s=0))
    bob.session.beat()
    assert await bob.closed() == (4200, "token_expired")
    assert await line(store) == ["eve"]
    assert (await eve.heard(Queued)).position == 1
    again = Peer(hub)
    await again.say(hello("bob", "CALL_CENTER", wait_s=LONG_S))
    assert (await again.heard(Queued)).position == 1


async def test_a_waiter_that_is_moved_keeps_its_place(hubs: Hubs, store: Store, licensed: Licensed) -> None:
    await licensed(limit=1)
    a, b = await hubs("a"), await hubs("b")
    ann = await signed_in(b, "ann", "CALL_CENTER")
    bob, eve = await waits(a, "bob"), await waits(b, "eve")
    await a.drain()
    assert kinds(bob) == [Moving]
    assert await bob.closed() == (4000, "moving")
    again = await waits(b, "bob")
    assert await line(store) == ["bob", "eve"]
    await leaves(ann)
    assert await again.heard(Welcome)
    assert gauge(a) == 0
    assert await line(store) == ["eve"]
    await eve.drop()


async def test_a_place_that_is_given_while_the_node_drains(
    hubs: Hubs, store: Store, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its client is told to move, and finds the place when it comes elsewhere."""
    await licensed(limit=1)
    a, b = await hubs("a"), await hubs("b")
    await signed_in(b, "ann", "CALL_CENTER")
    done, arrives = answers_late(a, "open", monkeypatch)
    peer = Peer(a)
    asking = asyncio.create_task(peer.say(hello("bob", "CALL_CENTER", wait_s=LONG_S)))
    await done.wait()
    draining = asyncio.create_task(a.drain())
    await eventually(lambda: peer.session.closing)
    arrives.set()
    await asking
    await draining
    await waits(b, "joe")
    await waits(b, "bob")
    assert await line(store) == ["bob", "joe"]


async def test_the_store_is_away_when_patience_ends(
    hubs: Hubs, store: Store, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer acquire is refused for now, and the older waits on."""
    await licensed(limit=1)
    hub = await hubs()
    ann, bob = await signed_in(hub, "ann", "CALL_CENTER"), await signed_in(hub, "bob")
    await acquires(bob, "CALL_CENTER", ref=1)

    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as broken:
        broken.setattr(hub.store, "leave_queue", away)
        await bob.say(Acquire(ref=2, products=("CALL_CENTER",), wait_s=LONG_S))
    denied = await bob.heard(Denied)
    assert (denied.ref, denied.code) == (2, "unavailable")
    await leaves(ann)
    assert (await bob.heard(Granted)).ref == 1


async def test_a_turn_whose_order_never_comes_is_found_out(
    hubs: Hubs, store: Store, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Missing in the queue twice in a row, a waiter is asked about."""
    await licensed(limit=1)
    hub = await hubs()
    ann, bob = await signed_in(hub, "ann", "CALL_CENTER"), await waits(hub, "bob")
    monkeypatch.setattr(hub.queue, "granted", lambda order: None)
    await leaves(ann)
    await hub.queue.refresh("acme")
    await hub.queue.refresh("acme")
    assert (await bob.heard(Welcome)).seats[0].product == "CALL_CENTER"


async def test_a_node_without_lease_does_not_give_its_waiters_up(
    hubs: Hubs, store: Store, licensed: Licensed, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are passed over until it has its lease again, and then in line where they were."""
    await licensed(limit=1)
    a, b = await hubs("a"), await hubs("b")
    ann, bob, eve = await signed_in(b, "ann", "CALL_CENTER"), await waits(a, "bob"), await waits(b, "eve")
    with monkeypatch.context() as frozen:
        frozen.setattr(a.leases, "lapsed_s", lambda partition: 1.0)
        for ms in (store.options.node_lease_ms, 1):
            clock.pass_ms(ms)
            await b.leases._beat(store.partition("acme"))
        assert await line(store) == ["eve"]
        for _ in range(3):
            await a.queue.refresh("acme")
        await a.leases._beat(store.partition("acme"))
    assert await line(store) == ["bob", "eve"]
    await leaves(ann)
    assert await bob.heard(Welcome)
    await eve.drop()
