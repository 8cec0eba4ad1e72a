"""The queue: who is next, what is promised to whom, and how a freed seat is handed on."""

from __future__ import annotations

import itertools

import pytest

from seatd.store.redis import Store
from seatd.store.values import Denied, Granted, Held, KickTarget, Opening, Order, Queued, Want
from seatd_protocol.messages import Device
from tests.conftest import Clock
from tests.licenses import CUSTOMER, DOMAIN, Licensed

NODE = "a~1"
OTHER = "b~1"
_devices = itertools.count(1)


@pytest.fixture(autouse=True)
async def nodes(store: Store) -> None:
    """Both nodes hold their lease in every partition."""
    for partition in range(store.partitions):
        for node in (NODE, OTHER):
            await store.beat(partition, node, done=0, joined=False)


def wants(user: str, *products: str) -> tuple[Want, ...]:
    return tuple(Want(product=product, holder=user, combine="sum") for product in products)


async def hello(
    store: Store,
    name: str,
    *products: str,
    node: str = NODE,
    wait: bool = True,
    priority: int = 0,
    limit: int = 200,
    session: str = "",
    device: str = "",
) -> Granted | Queued | Denied:
    """Signs `name` in, on a new device and with the name as the session's id unless others are given."""
    user = f"{name}@{DOMAIN}"
    opening = Opening(
        session=session or name,
        secret="s",
        user=user,
        domain=DOMAIN,
        device=Device(kind="desktop", id=device or f"d{next(_devices)}"),
        need=wants(user, *(products or ("CALL_CENTER",))),
        wait=wait,
        priority=priority,
        queue_limit=limit,
    )
    answer = await store.open(CUSTOMER, node, opening)
    assert isinstance(answer, Granted | Queued | Denied)
    return answer


async def orders(store: Store, node: str = NODE) -> list[Order]:
    """All orders that wait for a node."""
    beats = [await store.beat(n, node, done=0, joined=True) for n in range(store.partitions)]
    return [order for beat in beats for order in beat.orders]


async def granted(store: Store, node: str = NODE) -> list[str]:
    """The sessions whose turn has come on a node, in order."""
    return [order.session for order in await orders(store, node) if order.type == "granted"]


async def leave(store: Store, name: str) -> None:
    assert await store.close(CUSTOMER, session=name, fence=1)


async def places(store: Store) -> list[tuple[str, int]]:
    return [(place.session, place.position) for place in (await store.serve(CUSTOMER)).places]


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


async def test_who_needs_several_products_keeps_what_is_free_for_him(
    store: Store, licensed: Licensed
) -> None:
    """The rule against starving: the first in the queue only ever gets nearer."""
    await licensed("CALL_CENTER", 1)
    await licensed("CALL_MANAGER", 1)
    await hello(store, "ann", "CALL_CENTER")
    await hello(store, "bob", "CALL_MANAGER")
    await hello(store, "both", "CALL_CENTER", "CALL_MANAGER")
    await hello(store, "eve", "CALL_CENTER")
    await leave(store, "ann")
    assert await granted(store) == []
    newcomer = await hello(store, "new", "CALL_CENTER", wait=False)
    assert isinstance(newcomer, Denied)
    assert (newcomer.code, newcomer.used, newcomer.waiting) == ("no_seat", 0, 2)
    await leave(store, "bob")
    assert await granted(store) == ["both"]
    await leave(store, "both")
    assert await granted(store) == ["both", "eve"]


async def test_others_are_served_while_the_first_waits_for_something_else(
    store: Store, licensed: Licensed
) -> None:
    await licensed("CALL_CENTER", 1)
    await licensed("CALL_MANAGER", 1)
    await hello(store, "ann", "CALL_CENTER")
    await hello(store, "bob", "CALL_MANAGER")
    await hello(store, "first", "CALL_CENTER")
    await hello(store, "second", "CALL_MANAGER")
    await leave(store, "bob")
    assert await granted(store) == ["second"]


async def test_when_the_first_leaves_what_he_kept_goes_to_the_next(store: Store, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 1)
    await licensed("CALL_MANAGER", 1)
    await hello(store, "ann", "CALL_CENTER")
    await hello(store, "bob", "CALL_MANAGER")
    await hello(store, "both", "CALL_CENTER", "CALL_MANAGER")
    await hello(store, "eve", "CALL_CENTER")
    await leave(store, "ann")
    assert await store.leave_queue(CUSTOMER, session="both", fence=1) is None
    assert await granted(store) == ["eve"]


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


async def test_a_promise_to_one_whose_socket_is_gone_passes_on_at_once(
    store: Store, licensed: Licensed
) -> None:
    await licensed("CALL_CENTER", 1)
    await licensed("CALL_MANAGER", 1)
    await hello(store, "ann", "CALL_CENTER")
    await hello(store, "bob", "CALL_MANAGER")
    await hello(store, "both", "CALL_CENTER", "CALL_MANAGER")
    await hello(store, "eve", "CALL_CENTER")
    await leave(store, "ann")
    assert await store.park(CUSTOMER, NODE, session="both", fence=1)
    assert await granted(store) == ["eve"]


async def test_what_is_promised_to_a_user_any_of_his_sessions_may_have(
    store: Store, licensed: Licensed
) -> None:
    """It is one seat, however many of his devices wait for it: nobody else loses anything by that."""
    await licensed("CALL_CENTER", 2)
    await licensed("CALL_MANAGER", 1)
    for name, product in (("ann", "CALL_CENTER"), ("joe", "CALL_CENTER"), ("bob", "CALL_MANAGER")):
        await hello(store, name, product)
    for session in ("both1", "both2"):
        await hello(store, "both", "CALL_CENTER", "CALL_MANAGER", session=session)
    await hello(store, "eve", "CALL_CENTER")
    await leave(store, "ann")
    await leave(store, "joe")
    assert await granted(store) == ["eve"]
    assert isinstance(await hello(store, "both", "CALL_CENTER", session="both3"), Granted)


async def test_nobody_waits_for_what_waiting_cannot_bring(store: Store, licensed: Licensed) -> None:
    """Whichever he asks for first: one product is taken, the other was never bought."""
    await licensed("CALL_CENTER", 1)
    await hello(store, "ann", "CALL_CENTER")
    for products in (("CALL_CENTER", "CALL_MANAGER"), ("CALL_MANAGER", "CALL_CENTER")):
        denied = await hello(store, "bob", *products)
        assert isinstance(denied, Denied)
        assert (denied.code, denied.product) == ("not_licensed", "CALL_MANAGER")


async def test_one_that_can_never_be_served_keeps_nothing_from_others(
    store: Store, licensed: Licensed
) -> None:
    await licensed("CALL_CENTER", 1)
    manager = await licensed("CALL_MANAGER", 1)
    await hello(store, "ann", "CALL_CENTER")
    await hello(store, "bob", "CALL_MANAGER")
    await hello(store, "both", "CALL_CENTER", "CALL_MANAGER")
    await hello(store, "eve", "CALL_CENTER")
    await leave(store, "ann")
    assert await granted(store) == []
    await store.drop_license(CUSTOMER, manager)
    assert [(order.type, order.session) for order in await orders(store)] == [
        ("refused", "both"),
        ("granted", "eve"),
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
