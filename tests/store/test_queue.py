"""The queue: who is next, how a freed seat is handed on, and how a wait ends."""

from __future__ import annotations

import pytest

from seatd.store.redis import Store
from seatd.store.values import Denied, Held, KickTarget, Opening, Queued
from seatd_protocol.messages import Device
from tests.conftest import Clock
from tests.licenses import CUSTOMER, DOMAIN, Licensed
from tests.store.queueing import granted, hello, leave, orders, places, wants
from tests.store.recovering import NODE, OTHER

pytestmark = pytest.mark.usefixtures("joined_nodes")


async def test_first_come_first_served(store: Store, licensed: Licensed) -> None:
    await licensed(limit=1)
    await hello(store, "ann")
    for place, name in enumerate(("bob", "eve"), 1):
        queued = await hello(store, name)
        assert isinstance(queued, Queued)
        assert (queued.session, queued.product, queued.position) == (name, "CALL_CENTER", place)
    await leave(store, "ann")
    assert await granted(store) == ["bob"]
    assert await places(store) == [("eve", 1)]
    await leave(store, "bob")
    assert await granted(store) == ["bob", "eve"]
    assert await places(store) == []


async def test_a_higher_priority_goes_ahead_of_those_who_came_before(
    store: Store, licensed: Licensed
) -> None:
    await licensed(limit=1)
    await hello(store, "ann")
    await hello(store, "bob")
    await hello(store, "eve", priority=5)
    await hello(store, "joe", priority=5)
    assert await places(store) == [("eve", 1), ("joe", 2), ("bob", 3)]


async def test_a_freed_seat_goes_to_the_queue_and_not_to_a_newcomer(store: Store, licensed: Licensed) -> None:
    await licensed(limit=1)
    await hello(store, "ann")
    await hello(store, "bob")
    await leave(store, "ann")
    newcomer = await hello(store, "new", wait=False)
    assert isinstance(newcomer, Denied)
    assert (newcomer.code, newcomer.used) == ("no_seat", 1)
    assert await granted(store) == ["bob"]


async def test_the_turn_comes_as_an_order_to_the_waiters_node(store: Store, licensed: Licensed) -> None:
    license_id = await licensed(limit=1)
    await hello(store, "ann")
    await hello(store, "bob", node=OTHER)
    await leave(store, "ann")
    assert await granted(store, NODE) == []
    (order,) = await orders(store, OTHER)
    assert (order.type, order.session, order.fence, order.ref) == ("granted", "bob", 1, None)
    assert [(seat.license, seat.holder) for seat in order.seats] == [(license_id, f"bob@{DOMAIN}")]


async def test_waiters_of_a_dead_node_are_passed_over_and_then_removed(
    store: Store, licensed: Licensed, clock: Clock
) -> None:
    await licensed(limit=1)
    await hello(store, "ann")
    await hello(store, "dead", node=OTHER)
    await hello(store, "bob")
    for _ in range(5):
        clock.pass_ms(2_500)
        beats = [await store.beat(n, NODE, done=0, joined=True) for n in range(store.partitions)]
    await leave(store, "ann")
    assert await granted(store) == ["bob"]
    due = [item for beat in beats for item in beat.due]
    assert [item.session for item in due] == ["dead"]
    await store.sweep(CUSTOMER, due)
    clock.pass_ms(store.options.linger_ms)
    await store.sweep(CUSTOMER, due)
    assert await places(store) == []


async def test_who_gives_up_has_no_session(store: Store, licensed: Licensed) -> None:
    await licensed(limit=1)
    await hello(store, "ann")
    await hello(store, "bob")
    assert await store.leave_queue(CUSTOMER, session="bob", fence=1) is None
    assert await store.session("bob") is None
    assert await places(store) == []
    await leave(store, "ann")
    assert await granted(store) == []


async def test_giving_up_too_late_is_answered_so(store: Store, licensed: Licensed) -> None:
    await licensed(limit=1)
    await hello(store, "ann")
    await hello(store, "bob")
    await leave(store, "ann")
    (seat,) = await store.leave_queue(CUSTOMER, session="bob", fence=1) or ()
    assert seat.holder == f"bob@{DOMAIN}"
    assert await granted(store) == ["bob"]


async def test_the_queue_is_bounded(store: Store, licensed: Licensed) -> None:
    await licensed(limit=1)
    await hello(store, "ann")
    await hello(store, "bob", limit=1)
    refused = await hello(store, "eve", limit=1)
    assert isinstance(refused, Denied)
    assert (refused.code, refused.waiting) == ("queue_full", 1)


async def test_waiting_does_not_count_as_used(store: Store, licensed: Licensed) -> None:
    await licensed(limit=1)
    await hello(store, "ann")
    await hello(store, "bob")
    assert [(row.used, row.online) for row in await store.registry()] == [(1, 1)]


async def test_an_acquire_waits_too_and_its_ref_comes_back(store: Store, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 1)
    await licensed("CALL_MANAGER", 1)
    await hello(store, "ann", "CALL_CENTER")
    await hello(store, "bob", "CALL_MANAGER")
    need = wants(f"bob@{DOMAIN}", "CALL_CENTER")
    queued = await store.acquire(CUSTOMER, session="bob", fence=1, need=need, ref=7, wait=True)
    assert isinstance(queued, Queued)
    assert (queued.session, queued.product, queued.position, queued.ref) == ("bob", "CALL_CENTER", 1, 7)
    await leave(store, "ann")
    (order,) = await orders(store)
    assert (order.type, order.ref) == ("granted", 7)
    assert {seat.product for seat in order.seats} == {"CALL_CENTER", "CALL_MANAGER"}


async def test_an_acquire_that_gives_up_keeps_its_session(store: Store, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 1)
    await licensed("CALL_MANAGER", 1)
    await hello(store, "ann", "CALL_CENTER")
    await hello(store, "bob", "CALL_MANAGER")
    need = wants(f"bob@{DOMAIN}", "CALL_CENTER")
    await store.acquire(CUSTOMER, session="bob", fence=1, need=need, ref=7, wait=True)
    assert await store.leave_queue(CUSTOMER, session="bob", fence=1) is None
    row = await store.session("bob")
    assert row is not None
    assert [seat.product for seat in row.seats] == ["CALL_MANAGER"]


async def test_a_raised_limit_serves_the_queue_at_once(store: Store, licensed: Licensed) -> None:
    license_id = await licensed(limit=1)
    for name in ("ann", "bob", "eve", "joe"):
        await hello(store, name)
    await licensed(limit=3, id=license_id)
    assert await granted(store) == ["bob", "eve"]
    assert await places(store) == [("joe", 1)]


async def test_a_waiter_whose_license_is_withdrawn_is_turned_away(store: Store, licensed: Licensed) -> None:
    license_id = await licensed(limit=1)
    await hello(store, "ann")
    await hello(store, "bob")
    await store.drop_license(CUSTOMER, license_id)
    (order,) = await orders(store)
    assert (order.type, order.session, order.code) == ("refused", "bob", "not_licensed")
    assert await places(store) == []


async def test_a_forced_out_waiter_leaves_the_queue(store: Store, licensed: Licensed) -> None:
    await licensed(limit=1)
    await hello(store, "ann")
    await hello(store, "bob")
    target = KickTarget(user=f"bob@{DOMAIN}")
    await store.kick(CUSTOMER, target, message="", by="admin", cooldown_ms=0, reply_to=NODE)
    assert await places(store) == []
    await leave(store, "ann")
    assert await granted(store) == []


async def test_a_repeated_hello_keeps_its_place(store: Store, licensed: Licensed) -> None:
    await licensed(limit=1)
    await hello(store, "ann")
    opening = Opening(
        session="bob",
        secret="s",
        user=f"bob@{DOMAIN}",
        domain=DOMAIN,
        device=Device(kind="desktop", id="bobs"),
        need=wants(f"bob@{DOMAIN}", "CALL_CENTER"),
        wait=True,
    )
    first = await store.open(CUSTOMER, NODE, opening)
    await hello(store, "eve")
    assert await store.open(CUSTOMER, NODE, opening) == first
    assert await places(store) == [("bob", 1), ("eve", 2)]


async def test_the_estimate_follows_the_pace_of_those_before(
    store: Store, licensed: Licensed, clock: Clock
) -> None:
    await licensed(limit=1)
    await hello(store, "ann")
    for name in ("bob", "eve", "joe", "kim"):
        await hello(store, name)
    for leaving in ("ann", "bob"):
        clock.pass_ms(1_000)
        await leave(store, leaving)
    assert [(place.session, place.ahead_ms) for place in (await store.serve(CUSTOMER)).places] == [
        ("joe", 1_000),
        ("kim", 2_000),
    ]


async def test_a_full_queue_has_room_for_one_that_comes_back(store: Store, licensed: Licensed) -> None:
    await licensed(limit=1)
    await hello(store, "ann")
    await hello(store, "bob", session="bob1", device="bobs", limit=2)
    await hello(store, "eve", limit=2)
    assert await store.park(CUSTOMER, NODE, session="bob1", fence=1)
    assert await places(store) == [("eve", 1)]
    again = await hello(store, "bob", session="bob2", device="bobs", node=OTHER, limit=2)
    assert isinstance(again, Queued)
    assert await places(store) == [("bob2", 1), ("eve", 2)]


async def test_a_waiter_is_in_line_again_when_its_node_wakes(
    store: Store, licensed: Licensed, clock: Clock
) -> None:
    await licensed(limit=1)
    await hello(store, "ann")
    await hello(store, "bob", node=OTHER)
    await hello(store, "eve")
    clock.pass_ms(store.options.node_lease_ms)
    beats = [await store.beat(n, NODE, done=0, joined=True) for n in range(store.partitions)]
    clock.pass_ms(1)
    beats = [await store.beat(n, NODE, done=0, joined=True) for n in range(store.partitions)]
    await store.sweep(CUSTOMER, [item for beat in beats for item in beat.due])
    assert await places(store) == [("eve", 1)]
    for n in range(store.partitions):
        await store.beat(n, OTHER, done=0, joined=True)
    answer = await store.reassert(CUSTOMER, OTHER, [Held(session="bob", fence=1)])
    assert answer.lost == ()
    assert await places(store) == [("bob", 1), ("eve", 2)]
    await leave(store, "ann")
    assert await granted(store, OTHER) == ["bob"]
