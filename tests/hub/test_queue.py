"""Waiting on one node: turns, patience and answers that cross or are lost; places and figures."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from seatd.hub import queue as hub_queue
from seatd.store.redis import Store
from seatd.store.values import Order, StoreUnavailable
from seatd_protocol.messages import (
    Acquire,
    Denied,
    Error,
    Granted,
    Queued,
    Welcome,
)
from tests.hub.conftest import Hubs, Peer, hello, signed_in, states, used
from tests.hub.waiting import (
    LONG_S,
    acquires,
    answers_late,
    gauge,
    kinds,
    leaves,
    line,
    loses_answers,
    time_out,
    waited,
    waits,
)
from tests.licenses import Licensed
from tests.servers import eventually

pytestmark = pytest.mark.usefixtures("brisk_queue")


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
    await licensed(limit=1)
    await signed_in(hub, "ann", "CALL_CENTER")
    bob = await waits(hub, "bob")
    looked_after, refresh = set(), hub.queue.refresh

    async def noted(customer: str) -> None:
        looked_after.add(customer)
        await refresh(customer)

    hub.queue.refresh = noted  # type: ignore[method-assign]
    hub.queue._everybody_s = asyncio.get_running_loop().time() + 0.1
    async with asyncio.timeout(30):
        while "acme" not in looked_after:  # whoever has asked: the test, or the hub itself
            hub.queue.moved("somebody else")
            looked_after |= await hub.queue._customers_due()
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
