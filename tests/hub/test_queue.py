"""Waiting on one node: turns and answers that cross, patience, and all the ways in which a wait can end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec
import pytest

from seatd.hub import queue as hub_queue
from seatd.hub.hub import Hub
from seatd.store.redis import Store
from seatd.store.values import KickTarget, Order, StoreUnavailable
from seatd_protocol.messages import (
    Ack,
    Acquire,
    Alive,
    Beat,
    Bye,
    Denied,
    Error,
    Granted,
    Logout,
    Moving,
    Notice,
    Queued,
    ServerMessage,
    Welcome,
)
from tests.conftest import Clock
from tests.hub.conftest import Hubs, Peer, hello, signed_in, states, used
from tests.licenses import Licensed
from tests.servers import eventually

LONG_S = 3600
Answer = Callable[..., Awaitable[Any]]


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for somebody else's patience."""
    monkeypatch.setattr("seatd.hub.session.FLUSH_S", 0.2)
    monkeypatch.setattr(hub_queue, "RETRY_S", 0.01)
    monkeypatch.setattr(hub_queue, "REFRESH_S", 0.01)


async def waits(hub: Hub, name: str, *need: str, **fields: Any) -> Peer:
    """A client that has been told its place."""
    peer = Peer(hub)
    fields = {"wait_s": LONG_S, **fields}
    await peer.say(hello(name, *(need or ("CALL_CENTER",)), **fields))
    await peer.heard(Queued)
    return peer


async def acquires(peer: Peer, *products: str, ref: int = 1) -> None:
    """A session that waits for more."""
    await peer.say(Acquire(ref=ref, products=products, wait_s=LONG_S))
    queued = await peer.heard(Queued)
    assert queued.ref == ref


async def leaves(peer: Peer) -> None:
    await peer.say(Bye())
    await peer.closed()


async def line(store: Store) -> list[str]:
    """Who waits, in order."""
    rows = {row.session: row.user.partition("@")[0] for row in (await store.sessions()).items}
    return [rows[place.session] for place in (await store.serve("acme")).places]


def kinds(peer: Peer) -> list[type[ServerMessage]]:
    """What the client has been told and not read yet, beats left out."""
    return [type(message) for message in peer.wire.told if not isinstance(message, Beat)]


def answers_late(hub: Hub, verb: str, monkeypatch: pytest.MonkeyPatch) -> tuple[asyncio.Event, asyncio.Event]:
    """The store does it, but its answer is on its way until the second event; the first says that it is done."""
    real: Answer = getattr(hub.store, verb)
    done, arrives = asyncio.Event(), asyncio.Event()

    async def late(*args: Any, **named: Any) -> Any:
        answer = await real(*args, **named)
        done.set()
        await arrives.wait()
        return answer

    monkeypatch.setattr(hub.store, verb, late)
    return done, arrives


def loses_answers(hub: Hub, verb: str, monkeypatch: pytest.MonkeyPatch, times: int = 1) -> None:
    """The store does it, and the answer is lost, so many times."""
    real: Answer = getattr(hub.store, verb)
    left = times

    async def lost(*args: Any, **named: Any) -> Any:
        nonlocal left
        answer = await real(*args, **named)
        if left > 0:
            left -= 1
            raise StoreUnavailable("lost on the way")
        return answer

    monkeypatch.setattr(hub.store, verb, lost)


def gauge(hub: Hub, product: str = "CALL_CENTER") -> float:
    return float(hub.metrics.queue_length.labels(product)._value.get())


def waited(hub: Hub) -> int:
    """How many waits have been measured."""
    (metric,) = hub.metrics.queue_wait_seconds.collect()
    return int(next(sample.value for sample in metric.samples if sample.name.endswith("_count")))


def time_out(hub: Hub, peer: Peer) -> None:
    """The client's patience is over."""
    hub.queue._give_up(hub.queue._waiters[peer.session.key])


# -- turns and answers that cross -----------------------------------------------------------------


async def test_a_turn_that_overtakes_the_answer_of_the_hello(
    hubs: Hubs, store: Store, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    await licensed(limit=1)
    hub = await hubs()
    ann = await signed_in(hub, "ann", "CALL_CENTER")
    done, arrives = answers_late(hub, "open", monkeypatch)
    bob = Peer(hub)
    asking = asyncio.create_task(bob.say(hello("bob", "CALL_CENTER", wait_s=LONG_S)))
    await done.wait()
    await leaves(ann)
    await hub.leases._beat(store.partition("acme"))
    assert bob.wire.told == []
    arrives.set()
    await asking
    assert kinds(bob) == [Queued, Welcome]
    assert (await states(store), gauge(hub), waited(hub)) == ({"bob": "attached"}, 0, 1)


async def test_a_turn_that_overtakes_the_answer_of_the_acquire(
    hubs: Hubs, store: Store, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    await licensed(limit=1)
    hub = await hubs()
    ann, bob = await signed_in(hub, "ann", "CALL_CENTER"), await signed_in(hub, "bob")
    done, arrives = answers_late(hub, "acquire", monkeypatch)
    asking = asyncio.create_task(bob.say(Acquire(ref=7, products=("CALL_CENTER",), wait_s=LONG_S)))
    await done.wait()
    await leaves(ann)
    await hub.leases._beat(store.partition("acme"))
    arrives.set()
    await asking
    assert kinds(bob) == [Queued, Granted]
    assert list(bob.session.seats) == ["CALL_CENTER"]


@pytest.mark.parametrize("first", ["order", "answer"])
async def test_a_turn_that_came_before_the_end_of_patience(
    hubs: Hubs, store: Store, licensed: Licensed, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """The store tells of it twice: by order, and when asked to end the wait. The client hears it once."""
    await licensed(limit=1)
    hub = await hubs()
    ann, bob = await signed_in(hub, "ann", "CALL_CENTER"), await waits(hub, "bob")
    done, arrives = answers_late(hub, "leave_queue", monkeypatch)
    held_up: list[Order] = []
    take = hub.queue.granted
    monkeypatch.setattr(hub.queue, "granted", held_up.append)
    await leaves(ann)
    await eventually(lambda: held_up)
    time_out(hub, bob)
    await done.wait()
    if first == "order":
        take(held_up[0])
    arrives.set()
    assert (await bob.heard(Welcome)).seats[0].product == "CALL_CENTER"
    take(held_up[0])
    await signed_in(hub, "eve")  # by then the wait's end is dealt with
    assert (kinds(bob), await used(store), waited(hub)) == ([], 1, 1)


async def test_a_seat_that_is_free_after_the_end_of_patience(
    hubs: Hubs, store: Store, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    await licensed(limit=1)
    hub = await hubs()
    ann, bob = await signed_in(hub, "ann", "CALL_CENTER"), await waits(hub, "bob")
    done, arrives = answers_late(hub, "leave_queue", monkeypatch)
    time_out(hub, bob)
    await done.wait()
    await leaves(ann)
    arrives.set()
    assert (await bob.heard(Denied)).code == "wait_timeout"
    assert await bob.closed() == (4300, "denied")
    assert (kinds(bob), await used(store), await states(store)) == ([], 0, {})


async def test_patience_and_turn_race_for_real(hubs: Hubs, store: Store, licensed: Licensed) -> None:
    """Again and again, both at once and nothing delayed: exactly one answer, and the store holds the same view."""
    await licensed(limit=1)
    hub = await hubs(burst=1000)
    for number in range(25):
        ann, bob = await signed_in(hub, "ann", "CALL_CENTER"), await waits(hub, "bob")
        ends = asyncio.create_task(leaves(ann))
        for _ in range(number % 5):
            await asyncio.sleep(0)
        time_out(hub, bob)
        await ends
        await eventually(partial(kinds, bob))
        await eventually(lambda: not hub.queue._waiters)
        answers = [kind for kind in kinds(bob) if kind in (Welcome, Denied)]
        assert len(answers) == 1
        if answers == [Welcome]:
            assert await used(store) == 1
            await leaves(bob)
        else:
            await bob.closed()
        assert (await used(store), await states(store), gauge(hub)) == (0, {}, 0)


# -- answers that are lost ------------------------------------------------------------------------


async def test_giving_up_whose_answer_was_lost(
    hubs: Hubs, store: Store, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    await licensed(limit=1)
    hub = await hubs()
    await signed_in(hub, "ann", "CALL_CENTER")
    bob = await waits(hub, "bob")
    loses_answers(hub, "leave_queue", monkeypatch, times=3)
    time_out(hub, bob)
    assert (await bob.heard(Denied)).code == "wait_timeout"
    assert await bob.closed() == (4300, "denied")
    assert (await states(store), gauge(hub)) == ({"ann": "attached"}, 0)


async def test_an_acquire_that_gave_up_whose_answer_was_lost(
    hubs: Hubs, store: Store, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    await licensed(limit=1)
    await licensed("CALL_MANAGER")
    hub = await hubs()
    await signed_in(hub, "ann", "CALL_CENTER")
    bob = await signed_in(hub, "bob", "CALL_MANAGER")
    await acquires(bob, "CALL_CENTER")
    loses_answers(hub, "leave_queue", monkeypatch, times=2)
    time_out(hub, bob)
    denied = await bob.heard(Denied)
    assert (denied.code, denied.ref) == ("wait_timeout", 1)
    assert list(bob.session.seats) == ["CALL_MANAGER"]
    assert await line(store) == []


async def test_giving_up_after_the_turn_whose_answer_was_lost(
    hubs: Hubs, store: Store, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order with the turn is lost with it: the seats come all the same."""
    await licensed(limit=1)
    hub = await hubs()
    ann, bob = await signed_in(hub, "ann", "CALL_CENTER"), await waits(hub, "bob")
    monkeypatch.setattr(hub.queue, "granted", lambda order: None)
    await leaves(ann)
    loses_answers(hub, "leave_queue", monkeypatch)
    time_out(hub, bob)
    assert (await bob.heard(Welcome)).seats[0].product == "CALL_CENTER"
    assert (gauge(hub), waited(hub), await used(store)) == (0, 1, 1)


async def test_an_acquire_of_unknown_outcome_leaves_the_queue(
    hubs: Hubs, store: Store, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    await licensed(limit=1)
    hub = await hubs()
    ann, bob = await signed_in(hub, "ann", "CALL_CENTER"), await signed_in(hub, "bob")
    loses_answers(hub, "acquire", monkeypatch)
    await bob.say(Acquire(ref=1, products=("CALL_CENTER",), wait_s=LONG_S))
    assert (await bob.heard(Denied)).code == "unavailable"
    assert await line(store) == []
    await leaves(ann)
    assert await used(store) == 0


async def test_a_lost_acquire_is_undone_before_the_next_one(
    hubs: Hubs, store: Store, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise its place in the queue, or its seat, would stay with a session that does not know of it."""
    await licensed(limit=1)
    await licensed("CALL_MANAGER", 1)
    hub = await hubs()
    await signed_in(hub, "ann", "CALL_CENTER")
    bob = await signed_in(hub, "bob")
    loses_answers(hub, "acquire", monkeypatch)

    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as broken:
        broken.setattr(hub.store, "leave_queue", away)
        await bob.say(Acquire(ref=1, products=("CALL_CENTER",), wait_s=LONG_S))
        assert (await bob.heard(Denied)).ref == 1
    assert await line(store) == ["bob"]
    await bob.say(Acquire(ref=2, products=("CALL_MANAGER",)))
    assert (await bob.heard(Granted)).ref == 2
    assert await line(store) == []
    assert not hub.endings.has(f"{bob.session.key} products")


# -- other ways in which a wait ends ----------------------------------------------------------------


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
    done, arrives = answers_late(hub, "close", monkeypatch)
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
    await eventually(lambda: not hub._arriving)
    assert (await states(store), gauge(hub)) == ({"ann": "attached"}, 0)


async def test_a_waiter_that_says_bye_is_not_told_anything_more(
    hubs: Hubs, store: Store, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    await licensed(limit=1)
    hub = await hubs()
    ann = await signed_in(hub, "ann", "CALL_CENTER")
    bob = await waits(hub, "bob", allow_unseated=True)
    done, arrives = answers_late(hub, "close", monkeypatch)
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
    clock.pass_ms(store.options.node_lease_ms)
    await b.leases._beat(store.partition("acme"))
    clock.pass_ms(1)
    await b.leases._beat(store.partition("acme"))
    assert await line(store) == ["eve"]
    with monkeypatch.context() as frozen:
        frozen.setattr(a.leases, "lapsed_s", lambda partition: 1.0)
        for _ in range(3):
            await a.queue.refresh("acme")
    await a.leases._beat(store.partition("acme"))
    assert await line(store) == ["bob", "eve"]
    await leaves(ann)
    assert await bob.heard(Welcome)
    await eve.drop()


# -- places ---------------------------------------------------------------------------------------


async def test_places_are_told_now_and_then_and_the_last_one_always(
    hubs: Hubs, store: Store, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_queue, "REFRESH_S", 0.1)
    await licensed(limit=1)
    hub = await hubs()
    await signed_in(hub, "ann", "CALL_CENTER")
    ahead = [await waits(hub, f"u{number}") for number in range(20)]
    last = await waits(hub, "last")
    last.wire.told.clear()
    for peer in ahead:
        await leaves(peer)
    while (place := await last.heard(Queued)).position != 1:
        assert place.position > 1
    told = sum(1 for kind in kinds(last) if kind is Queued)
    assert told == 0
    assert gauge(hub) == 1


async def test_a_busy_queue_keeps_nobody_else_from_being_looked_after(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    """Every customer with waiters is asked about at fixed times, however often another's queue moves."""
    hub = await hubs()
    hub.queue._everybody_s = asyncio.get_running_loop().time() + 0.1
    await licensed(limit=1)
    await signed_in(hub, "ann", "CALL_CENTER")
    bob = await waits(hub, "bob")
    async with asyncio.timeout(5):
        while True:
            hub.queue.moved("somebody else")
            if "acme" in await hub.queue._customers_due():
                break
            await asyncio.sleep(0.005)
    await bob.drop()


async def test_the_figures_of_the_queue(hubs: Hubs, store: Store, licensed: Licensed) -> None:
    await licensed(limit=1)
    hub = await hubs()
    ann = await signed_in(hub, "ann", "CALL_CENTER")
    bob, eve, joe = [await waits(hub, name) for name in ("bob", "eve", "joe")]
    assert (gauge(hub), waited(hub)) == (3, 0)
    await leaves(ann)
    await bob.heard(Welcome)
    assert (gauge(hub), waited(hub)) == (2, 1)
    await eve.drop()
    assert (gauge(hub), waited(hub)) == (1, 1)
    time_out(hub, joe)
    await joe.closed()
    assert (gauge(hub), waited(hub)) == (0, 1)


async def test_a_waiter_may_not_ask_for_more(hubs: Hubs, licensed: Licensed) -> None:
    await licensed(limit=1)
    hub = await hubs()
    await signed_in(hub, "ann", "CALL_CENTER")
    bob = await waits(hub, "bob")
    await bob.say(Acquire(ref=1, products=("CALL_CENTER",)))
    assert (await bob.closed())[0] == 4400
    assert Error not in kinds(bob)
