"""After the store has lost writes: what nodes put back, what stays dead, and when grants go on."""

from __future__ import annotations

import msgspec
import pytest

from seatd.store.keys import partition_key
from seatd.store.redis import Store
from seatd.store.values import (
    Denied,
    Ended,
    Granted,
    Held,
    StoreUnavailable,
)
from tests.conftest import Clock
from tests.licenses import CUSTOMER, DOMAIN, Licensed
from tests.store.recovering import (
    NODE,
    OTHER,
    USER,
    beat,
    end_of_recovery,
    fail_over,
    is_recovering,
    lose,
    opening,
    report,
    resume,
    sign_in,
    used,
)

pytestmark = pytest.mark.usefixtures("durable_nodes")


async def test_what_a_node_holds_is_put_back_with_its_seat(store: Store, licensed: Licensed) -> None:
    await licensed(limit=2)
    held = await sign_in(store, "s1")
    await fail_over(store)
    await lose(store)
    answer = await store.reassert(CUSTOMER, NODE, [held])
    assert (answer.lost, answer.restored) == ((), ("s1",))
    assert await used(store) == 1
    assert await store.close(CUSTOMER, session="s1", fence=1)
    assert await used(store) == 0


async def test_it_is_put_back_even_above_the_limit(store: Store, licensed: Licensed) -> None:
    """Somebody does use that seat: hiding him would let one more in."""
    await licensed(limit=1)
    lost = await sign_in(store, "s1")
    await lose(store)
    await sign_in(store, "s2", f"bob@{DOMAIN}", OTHER)
    await fail_over(store)
    await store.reassert(CUSTOMER, NODE, [lost])
    assert await used(store) == 2


async def test_outside_a_recovery_nothing_is_put_back(store: Store, licensed: Licensed) -> None:
    await licensed(limit=1)
    held = await sign_in(store, "s1")
    await store.close(CUSTOMER, session="s1", fence=1)
    answer = await store.reassert(CUSTOMER, NODE, [held])
    assert (answer.lost, answer.restored) == (("s1",), ())
    assert await used(store) == 0


async def test_a_session_that_ended_stays_dead(store: Store, licensed: Licensed) -> None:
    """A lost release must not be undone by who still believes in the session."""
    await licensed(limit=1)
    held = await sign_in(store, "s1")
    await fail_over(store)
    revived = await store.rebury(CUSTOMER, [Ended(session="s1", fence=1, user=USER)])
    assert revived == 1
    answer = await store.reassert(CUSTOMER, OTHER, [held])
    assert answer.lost == ("s1",)
    assert await used(store) == 0


async def test_a_forgotten_cool_down_is_told_again(store: Store, licensed: Licensed) -> None:
    await licensed(limit=1)
    await fail_over(store)
    await store.rebury(CUSTOMER, [Ended(session="s1", fence=1, user=USER, cooldown_ms=60_000)])
    await report(store, NODE)
    await report(store, OTHER)
    answer = await store.open(CUSTOMER, NODE, opening("s2"))
    assert isinstance(answer, Denied)
    assert (answer.code, answer.retry_after_ms) == ("cooldown", 60_000)


async def test_the_newer_owner_of_a_session_wins(store: Store, licensed: Licensed) -> None:
    await licensed(limit=1)
    held = await sign_in(store, "s1")
    moved = await store.attach(CUSTOMER, OTHER, session="s1", secret="s", user=USER)
    assert isinstance(moved, Granted)
    await fail_over(store)
    assert (await store.reassert(CUSTOMER, NODE, [held])).lost == ("s1",)
    newer = Held(session="s1", fence=moved.fence, record=held.record)
    assert (await store.reassert(CUSTOMER, OTHER, [newer])).lost == ()
    assert await used(store) == 1


async def test_a_lost_resume_is_repeated_by_the_node_that_has_the_socket(
    store: Store, licensed: Licensed
) -> None:
    await licensed(limit=1)
    held = await sign_in(store, "s1")
    await fail_over(store)
    newer = Held(session="s1", fence=2, record=held.record)
    assert (await store.reassert(CUSTOMER, OTHER, [newer])).restored == ("s1",)
    assert (await store.reassert(CUSTOMER, NODE, [held])).lost == ("s1",)
    assert await used(store) == 1


async def test_grants_go_on_when_every_node_has_reported(store: Store, licensed: Licensed) -> None:
    await licensed(limit=1)
    await fail_over(store)
    assert await is_recovering(store)
    await report(store, NODE)
    assert await is_recovering(store)
    await report(store, OTHER)
    assert not await is_recovering(store)


async def test_a_node_that_may_have_been_forgotten_prevents_the_early_end(
    store: Store, licensed: Licensed, clock: Clock
) -> None:
    await licensed(limit=1)
    await fail_over(store)
    await report(store, NODE)
    await report(store, OTHER, durable=False)
    assert await is_recovering(store)
    clock.pass_ms(store.options.recovery_ms)
    await beat(store, NODE)
    assert not await is_recovering(store)


async def test_after_a_total_loss_the_window_lasts_its_full_time(
    store: Store, licensed: Licensed, clock: Clock
) -> None:
    await licensed(limit=1)
    for partition in range(store.partitions):
        await store.client.delete(partition_key("meta", partition), partition_key("nodes", partition))
    for node in (NODE, OTHER):
        await beat(store, node)
        await report(store, node)
    assert await is_recovering(store)
    clock.pass_ms(store.options.recovery_ms)
    await beat(store, NODE)
    assert not await is_recovering(store)


async def test_order_numbers_never_fall_back(store: Store, licensed: Licensed, clock: Clock) -> None:
    """A node says which orders it has carried out by number: a number given twice would be an order never read."""
    await licensed(limit=1)
    numbers = []
    for epoch in range(3):
        session = f"s{epoch}"
        await sign_in(store, session)
        await store.attach(CUSTOMER, OTHER, session=session, secret="s", user=USER)
        beats = [await store.beat(n, NODE, done=0, joined=True) for n in range(store.partitions)]
        numbers += [order.number for answer in beats for order in answer.orders][-1:]
        await store.close(CUSTOMER, session=session, fence=2)
        clock.pass_ms(1_000)
        for partition in range(store.partitions):
            await store.client.hset(partition_key("meta", partition), mapping={"replid": "x", "orders": 0})
        await report(store, NODE)
        await report(store, OTHER)
    assert numbers == sorted(set(numbers))


async def test_what_a_partition_believes_to_be_on_a_node(store: Store, licensed: Licensed) -> None:
    await licensed(limit=2)
    await sign_in(store, "s1")
    await sign_in(store, "s2", f"bob@{DOMAIN}", OTHER)
    partition = store.partition(CUSTOMER)
    assert await store.held_by(partition, NODE) == [f"{CUSTOMER}\0s1"]
    assert await store.fence_of(CUSTOMER, "s1") == 1
    assert await store.fence_of(CUSTOMER, "gone") is None


async def test_what_a_deposed_primary_grants_does_not_count(store: Store, licensed: Licensed) -> None:
    """It may go on answering for seconds; but every node that has reported knows a higher epoch by then."""
    await licensed(limit=1)
    store.epochs[store.partition(CUSTOMER)] += 1
    with pytest.raises(StoreUnavailable):
        await sign_in(store, "s1")


async def test_the_audit_takes_nothing_for_lost_that_is_yet_to_be_told(
    store: Store, licensed: Licensed
) -> None:
    await licensed(limit=1)
    held = await sign_in(store, "s1")
    await fail_over(store)
    await lose(store)
    named = msgspec.structs.replace(held, record=None)
    assert (await store.reassert(CUSTOMER, NODE, [named])).lost == ()
    await store.reassert(CUSTOMER, NODE, [held])
    await end_of_recovery(store)
    assert (await store.reassert(CUSTOMER, NODE, [named])).lost == ()


async def test_who_comes_back_to_it_is_asked_to_try_again(store: Store, licensed: Licensed) -> None:
    """A new session instead would be refused: nothing is granted meanwhile."""
    await licensed(limit=1)
    held = await sign_in(store, "s1")
    await fail_over(store)
    await lose(store)
    with pytest.raises(StoreUnavailable):
        await resume(store, "s1")
    await store.reassert(CUSTOMER, NODE, [held])
    assert await resume(store, "s1")


async def test_a_resume_during_a_recovery_is_later_than_any_that_was_lost(
    store: Store, licensed: Licensed
) -> None:
    """Its client has come from the node whose resume the store has lost: that node must not take it back."""
    await licensed(limit=1)
    held = await sign_in(store, "s1")
    await fail_over(store)
    assert await resume(store, "s1")
    lost_resumes = msgspec.structs.replace(held, fence=5)
    assert (await store.reassert(CUSTOMER, NODE, [lost_resumes])).lost == ("s1",)
    (row,) = (await store.sessions(customer=CUSTOMER)).items
    assert row.node == OTHER.partition("~")[0]
