"""Beats, orders and sweeps: what nodes tell each other, and who cleans up after whom."""

from __future__ import annotations

import pytest

from seatd.store import nodes
from seatd.store.keys import partition_key
from seatd.store.redis import Store
from seatd.store.values import Due, Granted, StoreUnavailable
from tests.conftest import Clock
from tests.licenses import Licensed
from tests.store.contents import contents, everything
from tests.store.holding import lost_by
from tests.store.office import Office, person


async def seated(office: Office, licensed: Licensed, node: str = "n1") -> Granted:
    await licensed("CALL_CENTER", 1, id="cc")
    return await office.open("alice", "CALL_CENTER", node=node)


# -- the node's lease -----------------------------------------------------------------------------


async def test_a_beat_tells_when_the_lease_had_lapsed(office: Office, store: Store, clock: Clock) -> None:
    clock.pass_ms(store.options.node_lease_ms)
    assert not (await office.beat("n1")).lapsed
    clock.pass_ms(store.options.node_lease_ms + 1)
    assert (await office.beat("n1")).lapsed
    assert not (await office.beat("n1")).lapsed


async def test_a_node_that_joins_has_not_lapsed(office: Office) -> None:
    assert not (await office.beat("new", joined=False)).lapsed
    assert (await office.beat("forgotten", joined=True)).lapsed


async def test_a_beat_says_what_time_it_is(office: Office, clock: Clock) -> None:
    clock.pass_ms(1234)
    beat = await office.beat("n1")
    assert (beat.now_ms, beat.recover_until_ms) == (clock.now_ms, 0)


async def test_a_node_that_leaves_is_forgotten(office: Office, store: Store) -> None:
    await office.beat("n1", leave=True)
    assert set((await contents(store, office.partition, []))["nodes"]) == {"n2"}


async def test_a_node_that_leaves_takes_its_orders_along(
    office: Office, store: Store, licensed: Licensed
) -> None:
    session = await seated(office, licensed)
    await office.kick(session=session.session, reply_to="n2")
    await office.close(session)
    for node in ("n1", "n2"):
        await office.beat(node, leave=True, carry_out=False)
    assert (await contents(store, office.partition, []))["orders"] == []


async def test_what_a_leaving_node_left_is_found_by_the_others_at_once(
    office: Office, licensed: Licensed, clock: Clock
) -> None:
    session = await seated(office, licensed)
    await office.beat("n1", leave=True)
    clock.pass_ms(1)
    due = (await office.beat("n2")).due
    assert due == (Due(customer="acme", session=session.session, node="n1"),)
    assert await office.sweep(due) == ([session.session], [])


# -- a node that died -----------------------------------------------------------------------------


async def test_a_dead_node_is_found_when_its_lease_is_over(
    office: Office, store: Store, licensed: Licensed
) -> None:
    session = await seated(office, licensed)
    await office.pass_ms(store.options.node_lease_ms, "n2")
    assert (await office.beat("n2")).due == ()
    await office.pass_ms(1, "n2")
    assert [item.session for item in (await office.beat("n2")).due] == [session.session]


async def test_its_sessions_are_parked_from_the_end_of_its_lease(
    office: Office, store: Store, licensed: Licensed
) -> None:
    session = await seated(office, licensed)
    lease_ends_ms = office.clock.now_ms + store.options.node_lease_ms
    await office.pass_ms(store.options.node_lease_ms + 7000, "n2")
    await office.sweep((await office.beat("n2")).due)
    (row,) = (await store.sessions()).items
    assert (row.session, row.state) == (session.session, "parked")
    assert row.until_ms == lease_ends_ms + store.options.linger_ms


async def test_nobody_loses_a_seat_who_comes_back_in_time(
    office: Office, store: Store, licensed: Licensed
) -> None:
    session = await seated(office, licensed)
    await office.pass_ms(store.options.node_lease_ms + 1, "n2")
    await office.sweep((await office.beat("n2")).due)
    back = await office.attach(session.session, node="n2")
    assert isinstance(back, Granted)
    assert back.seats == session.seats


async def test_then_the_node_is_forgotten(office: Office, store: Store, licensed: Licensed) -> None:
    await seated(office, licensed)
    await office.pass_ms(store.options.node_lease_ms + 1, "n2")
    await office.sweep((await office.beat("n2")).due)
    assert (await office.beat("n2")).due == ()
    assert set((await contents(store, office.partition, []))["nodes"]) == {"n2"}


# -- sweep ----------------------------------------------------------------------------------------


async def test_a_sweep_looks_for_itself(office: Office, store: Store, licensed: Licensed) -> None:
    """Nothing that it is asked for is due, if only by a millisecond: a parked session, a live one, one that is not there."""
    parked = await seated(office, licensed)
    await office.park(parked)
    await office.pass_ms(store.options.linger_ms - store.options.node_lease_ms - 1, "n1")
    live = await office.open("alice", "CALL_CENTER", device="d2")
    await office.pass_ms(store.options.node_lease_ms)
    before = await everything(store)
    for session in (live.session, parked.session, "nobody's"):
        for node in ("", "n1", "stranger"):
            assert await office.sweep([Due(customer="acme", session=session, node=node)]) == ([], [])
    assert await everything(store) == before


async def test_sweeping_twice_is_sweeping_once(office: Office, store: Store, licensed: Licensed) -> None:
    session = await seated(office, licensed)
    await office.park(session)
    await office.pass_ms(store.options.linger_ms, "n1", "n2")
    due = (await office.beat("n1")).due
    assert await office.sweep(due) == ([], [session.session])
    assert await office.sweep(due) == ([], [])


async def test_a_beat_asks_for_a_bounded_amount_of_work(
    office: Office, store: Store, licensed: Licensed
) -> None:
    count = nodes.BATCH + 1
    await licensed("CALL_CENTER", count, id="cc")
    for number in range(count):
        await office.open(f"user{number}", "CALL_CENTER")
    await office.pass_ms(store.options.node_lease_ms + 1, "n2")
    beat = await office.beat("n2")
    assert (len(beat.due), beat.more) == (nodes.BATCH, True)
    parked, _ = await office.sweep(beat.due)
    beat = await office.beat("n2")
    assert (len(beat.due), beat.more) == (1, False)
    assert len(parked) == nodes.BATCH


# -- reassert -------------------------------------------------------------------------------------


async def test_a_node_that_was_frozen_learns_what_is_still_its_own(
    office: Office, store: Store, licensed: Licensed
) -> None:
    await licensed("CALL_CENTER", 9, id="cc")
    kept = await office.open("alice", "CALL_CENTER")
    moved = await office.open("bob", "CALL_CENTER")
    closed = await office.open("carol", "CALL_CENTER")
    await office.pass_ms(store.options.node_lease_ms + 1, "n2")
    await office.sweep((await office.beat("n2")).due)
    await office.attach(moved.session, "bob", node="n2")
    await office.close(closed)
    held = {session.session: session.fence for session in (kept, moved, closed)}
    await office.beat("n1")
    assert sorted(await lost_by(store, "n1", held)) == sorted([moved.session, closed.session])
    assert await office.states() == {kept.session: "attached", moved.session: "attached"}
    assert (await office.beat("n2")).due == ()


async def test_what_was_reasserted_is_found_again_when_the_node_dies(
    office: Office, store: Store, licensed: Licensed
) -> None:
    session = await seated(office, licensed)
    await office.park(session)
    await lost_by(store, "n1", {session.session: session.fence})
    await office.pass_ms(store.options.linger_ms, "n1", "n2")
    assert (await office.beat("n2")).due == ()
    await office.pass_ms(store.options.node_lease_ms + 1, "n2")
    assert [item.node for item in (await office.beat("n2")).due] == ["n1"]


async def test_a_session_that_came_back_elsewhere_and_left_is_not_taken_back(
    office: Office, store: Store, licensed: Licensed
) -> None:
    session = await seated(office, licensed)
    back = await office.attach(session.session, node="n2")
    assert isinstance(back, Granted)
    await office.park(back, node="n2")
    assert await lost_by(store, "n1", {session.session: session.fence}) == [session.session]
    assert await office.states() == {session.session: "parked"}


async def test_reasserting_what_is_attached_changes_nothing(
    office: Office, store: Store, licensed: Licensed
) -> None:
    session = await seated(office, licensed)
    before = await everything(store)
    assert await lost_by(store, "n1", {session.session: session.fence}) == []
    assert await everything(store) == before


async def test_a_frozen_node_still_carries_out_a_logout_that_waits_for_it(
    office: Office, store: Store, licensed: Licensed
) -> None:
    session = await seated(office, licensed)
    await office.pass_ms(store.options.node_lease_ms + 1, "n2")
    await office.kick(session=session.session)
    beat = await office.beat("n1")
    assert beat.lapsed
    assert await lost_by(store, "n1", {session.session: session.fence}) == []
    assert [order.type for order in beat.orders] == ["logout"]


async def test_a_frozen_node_loses_a_session_whose_logout_was_forgotten(
    office: Office, store: Store, licensed: Licensed
) -> None:
    """Its orders went with its lease: were the session still its own, its client would never hear of the logout,
    and would believe in a seat that somebody else gets when the draining is over."""
    session = await seated(office, licensed)
    await office.pass_ms(1000, "n2")
    await office.kick(session=session.session)
    await office.pass_ms(store.options.node_lease_ms, "n2")
    for _ in range(2):
        await office.sweep((await office.beat("n2")).due)
    beat = await office.beat("n1")
    assert (beat.lapsed, beat.orders) == (True, ())
    assert await lost_by(store, "n1", {session.session: session.fence}) == [session.session]
    assert await office.states() == {session.session: "draining"}


async def test_a_node_without_a_lease_takes_nothing_back(
    office: Office, store: Store, licensed: Licensed
) -> None:
    """Nobody would notice its death, and the seat would be taken for good."""
    session = await seated(office, licensed)
    await office.park(session)
    with pytest.raises(StoreUnavailable, match="lapsed"):
        await lost_by(store, "stranger", {session.session: session.fence})
    assert await office.states() == {session.session: "parked"}


async def test_many_sessions_are_reasserted_batch_by_batch(
    office: Office, store: Store, licensed: Licensed
) -> None:
    count = nodes.BATCH + 5
    held = {f"gone{number}": 1 for number in range(count)}
    session = await seated(office, licensed)
    lost = await lost_by(store, "n1", {**held, session.session: session.fence})
    assert lost == list(held)


# -- orders ---------------------------------------------------------------------------------------


async def test_an_order_is_read_until_it_is_done(office: Office, licensed: Licensed) -> None:
    """A lost wake-up, or a node that forgot, costs a beat, never an order."""
    session = await seated(office, licensed)
    await office.kick(session=session.session)
    first = (await office.beat("n1", carry_out=False)).orders
    assert (await office.beat("n1")).orders == first
    assert (await office.beat("n1")).orders == ()


async def test_orders_come_in_order_and_only_to_their_node(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 99)
    for number in range(12):
        await office.open(f"user{number}", "CALL_CENTER", node=f"n{1 + number % 2}")
    kicked = {item.order: item.node for item in await office.kick(everyone=True)}
    for node in ("n1", "n2"):
        numbers = [order.number for order in (await office.beat(node)).orders]
        assert numbers == sorted(number for number, told in kicked.items() if told == node)
        assert len(numbers) == 6


async def test_of_several_orders_only_those_that_are_done_are_forgotten(
    office: Office, store: Store, licensed: Licensed
) -> None:
    await licensed("CALL_CENTER", 9)
    for name in ("alice", "bob", "carol"):
        await office.open(name, "CALL_CENTER")
    numbers = sorted(item.order for item in await office.kick(everyone=True))
    beat = await store.beat(office.partition, "n1", done=numbers[1], joined=True)
    assert [order.number for order in beat.orders] == numbers[2:]


async def test_a_node_whose_name_begins_like_another_gets_its_own_orders(
    office: Office, licensed: Licensed
) -> None:
    await office.join("n11")
    session = await seated(office, licensed, node="n11")
    await office.kick(session=session.session)
    assert (await office.beat("n1")).orders == ()
    assert len((await office.beat("n11")).orders) == 1


async def test_order_numbers_go_on_when_the_store_has_lost_them(
    office: Office, store: Store, licensed: Licensed
) -> None:
    """A node deletes what is below the last number it carried out; a number that came twice would be deleted unread."""
    await licensed("CALL_CENTER", 9)
    session = await office.open("alice", "CALL_CENTER")
    (first,) = await office.kick(session=session.session)
    await office.beat("n1")
    meta = partition_key("meta", office.partition)
    await store.client.hset(meta, mapping={"orders": "0", "replid": "f" * 40})  # another server, and behind
    office.clock.pass_ms(1)
    await office.beat("n2")
    parked = await office.attach((await office.open("bob", unseated=True)).session, "bob", node="n1")
    assert isinstance(parked, Granted)
    (second,) = await office.kick(user=person("bob"))
    assert second.order > first.order
    assert [order.number for order in (await office.beat("n1")).orders] == [second.order]


async def test_the_nodes_and_what_they_hold_are_told(
    office: Office, store: Store, licensed: Licensed
) -> None:
    await seated(office, licensed, node="n1")
    await office.beat("n2", joined=False)
    leases = {lease.node: lease for lease in await store.node_leases()}
    assert {node: lease.sessions for node, lease in leases.items()} == {"n1": 1, "n2": 0}
    assert {lease.partition for lease in leases.values()} == {office.partition}
    assert leases["n1"].until_ms >= office.clock.now_ms
