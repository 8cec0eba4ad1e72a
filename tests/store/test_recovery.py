"""After the store has lost writes: what nodes put back, what stays dead, and when grants go on."""

from __future__ import annotations

import msgspec
import pytest

from seatd.store.keys import partition_key
from seatd.store.redis import Store
from seatd.store.values import (
    Denied,
    Ended,
    Forced,
    Granted,
    Held,
    HeldRecord,
    KickTarget,
    Opening,
    Queued,
    StoreUnavailable,
    Waiting,
    Want,
)
from seatd_protocol.messages import Device, Seat
from tests.conftest import Clock
from tests.licenses import CUSTOMER, DOMAIN, TILL_MS, Licensed

NODE = "a~1"
OTHER = "b~1"
USER = f"ann@{DOMAIN}"
DEVICE = Device(kind="desktop", id="d1")


@pytest.fixture(autouse=True)
async def nodes(store: Store) -> None:
    """Two nodes, registered durably."""
    for node in (NODE, OTHER):
        await beat(store, node)
        await report(store, node)


async def beat(store: Store, node: str) -> None:
    for partition in range(store.partitions):
        await store.beat(partition, node, done=0, joined=False)


async def report(store: Store, node: str, *, durable: bool = True) -> None:
    for partition in range(store.partitions):
        await store.report(partition, node, durable=durable)


def opening(session: str, user: str = USER) -> Opening:
    want = Want(product="CALL_CENTER", holder=user, combine="sum")
    device = Device(kind="desktop", id=f"of {user}")
    return Opening(session=session, secret="s", user=user, domain=DOMAIN, device=device, need=(want,))


async def sign_in(store: Store, session: str, user: str = USER, node: str = NODE) -> Held:
    """Signs in, and answers what the node knows of it."""
    granted = await store.open(CUSTOMER, node, opening(session, user))
    assert isinstance(granted, Granted)
    record = HeldRecord(
        user=user,
        domain=DOMAIN,
        device=Device(kind="desktop", id=f"of {user}"),
        secret="s",
        since_ms=1,
        seats=granted.seats,
    )
    return Held(session=session, fence=granted.fence, record=record)


async def fail_over(store: Store) -> None:
    """The data is now served by another run of the engine."""
    for partition in range(store.partitions):
        await store.client.hset(partition_key("meta", partition), "replid", "another")


async def lose(store: Store, *names: str) -> None:
    """These customer keys are as they were before anybody signed in."""
    for name in names or ("seats", "sessions", "by_user"):
        await store.client.delete(f"seatd:{{{store.partition(CUSTOMER):02}}}:c:{CUSTOMER}:{name}")


async def used(store: Store) -> int:
    return sum(row.used for row in await store.registry())


async def is_recovering(store: Store) -> bool:
    answer = await store.open(CUSTOMER, NODE, opening("probe", f"probe@{DOMAIN}"))
    if isinstance(answer, Granted):
        await store.close(CUSTOMER, session="probe", fence=1)
    return isinstance(answer, Denied) and answer.code == "recovering"


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
    assert await store.held_by(partition, NODE) == [(CUSTOMER, "s1")]
    assert await store.fence_of(CUSTOMER, "s1") == 1
    assert await store.fence_of(CUSTOMER, "gone") is None


async def test_what_a_deposed_primary_grants_does_not_count(store: Store, licensed: Licensed) -> None:
    """It may go on answering for seconds; but every node that has reported knows a higher epoch by then."""
    await licensed(limit=1)
    store.epochs[store.partition(CUSTOMER)] += 1
    with pytest.raises(StoreUnavailable):
        await sign_in(store, "s1")


# -- sessions without socket ----------------------------------------------------------------------


def parked(held: Held, left_ms: int = 20_000) -> Held:
    return msgspec.structs.replace(held, left_ms=left_ms)


async def states(store: Store) -> dict[str, str]:
    page = await store.sessions(customer=CUSTOMER)
    return {row.session: row.state for row in page.items}


async def resume(store: Store, session: str, user: str = USER) -> bool:
    answer = await store.attach(CUSTOMER, OTHER, session=session, secret="s", user=user)
    return isinstance(answer, Granted)


@pytest.mark.parametrize("lost", [True, False], ids=["sign-in lost", "only its end lost"])
async def test_what_has_lost_its_socket_is_put_back_as_parked(
    store: Store, licensed: Licensed, clock: Clock, lost: bool
) -> None:
    """Whether the store has forgotten the session or only that it was parked: it is idle, for what is left of its linger."""
    await licensed(limit=1)
    held = await sign_in(store, "s1")
    await fail_over(store)
    if lost:
        await lose(store)
    assert (await store.reassert(CUSTOMER, NODE, [parked(held)])).restored == ("s1",)
    assert (await states(store), await used(store)) == ({"s1": "parked"}, 1)
    assert await store.held_by(store.partition(CUSTOMER), NODE) == []
    (row,) = (await store.sessions(customer=CUSTOMER)).items
    assert row.until_ms == clock.now_ms + 20_000
    assert await resume(store, "s1")


async def test_a_parked_session_is_told_of_once(store: Store, licensed: Licensed, clock: Clock) -> None:
    """Neither is its deadline put off by telling it again, nor is one taken back that lives elsewhere."""
    await licensed(limit=2)
    first, second = await sign_in(store, "s1"), await sign_in(store, "s2", f"bob@{DOMAIN}")
    for held in (first, second):
        await store.park(CUSTOMER, NODE, session=held.session, fence=1)
    until_ms = clock.now_ms + store.options.linger_ms
    assert await resume(store, "s2", f"bob@{DOMAIN}")
    clock.pass_ms(5_000)
    await beat(store, NODE)
    await fail_over(store)
    answer = await store.reassert(CUSTOMER, NODE, [parked(first, 30_000), parked(second, 30_000)])
    assert (answer.lost, answer.restored) == ((), ())
    rows = {row.session: (row.state, row.until_ms) for row in (await store.sessions(customer=CUSTOMER)).items}
    assert rows == {"s1": ("parked", until_ms), "s2": ("attached", None)}


async def test_outside_a_recovery_no_parked_session_is_put_back(store: Store, licensed: Licensed) -> None:
    await licensed(limit=1)
    held = await sign_in(store, "s1")
    await store.close(CUSTOMER, session="s1", fence=1)
    assert (await store.reassert(CUSTOMER, NODE, [parked(held)])).restored == ()
    assert await states(store) == {}


# -- waiters --------------------------------------------------------------------------------------


async def wait(store: Store, session: str, user: str) -> Held:
    """Goes to the queue, and answers what the node knows of it."""
    asked = msgspec.structs.replace(opening(session, user), wait=True)
    queued = await store.open(CUSTOMER, NODE, asked)
    assert isinstance(queued, Queued), queued
    waiting = Waiting(
        member=queued.member, need=asked.need, want=asked.want, product=queued.product, priority=0
    )
    record = HeldRecord(
        user=user,
        domain=DOMAIN,
        device=asked.device,
        secret="s",
        since_ms=1,
        seats=(),
        waiting=waiting,
    )
    return Held(session=session, fence=1, record=record)


async def end_of_recovery(store: Store) -> None:
    await report(store, NODE)
    await report(store, OTHER)


async def orders(store: Store) -> list[tuple[str, str]]:
    answer = await store.beat(store.partition(CUSTOMER), NODE, done=0, joined=True)
    return [(order.type, order.session) for order in answer.orders]


async def test_who_waits_has_his_place_again(store: Store, licensed: Licensed) -> None:
    """In the order in which they came, however their nodes tell of them."""
    await licensed(limit=1)
    holder = await sign_in(store, "s0")
    line = [await wait(store, f"w{n}", f"user{n}@{DOMAIN}") for n in range(3)]
    await fail_over(store)
    await lose(store, "seats", "sessions", "by_user", "queue")
    await store.reassert(CUSTOMER, NODE, [holder])
    for held in reversed(line):
        assert (await store.reassert(CUSTOMER, NODE, [held])).restored == (held.session,)
    await end_of_recovery(store)
    assert [place.session for place in (await store.serve(CUSTOMER)).places] == ["w0", "w1", "w2"]
    assert await store.close(CUSTOMER, session="s0", fence=1)
    assert ("granted", "w0") in await orders(store)
    assert await used(store) == 1


async def test_whose_turn_has_come_has_it(store: Store, licensed: Licensed) -> None:
    """The store knows more than the node, which has not read its order yet: the seat stays the waiter's."""
    await licensed(limit=1)
    await sign_in(store, "s0")
    waiter = await wait(store, "w0", f"bob@{DOMAIN}")
    await store.close(CUSTOMER, session="s0", fence=1)
    await fail_over(store)
    answer = await store.reassert(CUSTOMER, NODE, [waiter])
    assert (answer.lost, answer.restored) == ((), ())
    assert (await states(store), await used(store)) == ({"w0": "attached"}, 1)
    assert ("granted", "w0") in await orders(store)


async def test_a_turn_that_the_store_has_lost_is_what_the_node_says(store: Store, licensed: Licensed) -> None:
    """The client has its seat; the store has him waiting for it still."""
    await licensed(limit=1)
    await sign_in(store, "s0")
    waiter = await wait(store, "w0", f"bob@{DOMAIN}")
    assert waiter.record
    await fail_over(store)
    seat = (await sign_in_elsewhere(store)).record
    assert seat
    served = msgspec.structs.replace(waiter.record, waiting=None, seats=seat.seats)
    await store.reassert(CUSTOMER, NODE, [msgspec.structs.replace(waiter, record=served)])
    await end_of_recovery(store)
    assert (await states(store))["w0"] == "attached"
    assert (await store.serve(CUSTOMER)).places == ()


async def sign_in_elsewhere(store: Store) -> Held:
    """What a node would know of a seat for bob."""
    user = f"bob@{DOMAIN}"
    seat = Seat(
        product="CALL_CENTER",
        license="CALL_CENTER-1",
        kind="competitive",
        holder=user,
        since_ms=1,
        until_ms=TILL_MS,
    )
    record = HeldRecord(user=user, domain=DOMAIN, device=DEVICE, secret="s", since_ms=1, seats=(seat,))
    return Held(session="w0", fence=1, record=record)


# -- ends told again ------------------------------------------------------------------------------


async def test_an_end_spares_what_was_resumed_since(store: Store, licensed: Licensed) -> None:
    await licensed(limit=1)
    await sign_in(store, "s1")
    assert await resume(store, "s1")
    await fail_over(store)
    assert await store.rebury(CUSTOMER, [Ended(session="s1", fence=1, user=USER)]) == 0
    assert await states(store) == {"s1": "attached"}
    # ... and is no reason to take it for dead when the next failover loses the resume.
    await lose(store)
    record = HeldRecord(user=USER, domain=DOMAIN, device=DEVICE, secret="s", since_ms=1, seats=())
    answer = await store.reassert(CUSTOMER, OTHER, [Held(session="s1", fence=2, record=record)])
    assert answer.restored == ("s1",)


async def test_a_devices_cool_down_comes_back_as_the_devices(store: Store, licensed: Licensed) -> None:
    await licensed(limit=2)
    await fail_over(store)
    ended = Ended(session="s1", fence=1, user=USER, cooldown_ms=60_000, device=f"of {USER}")
    await store.rebury(CUSTOMER, [ended])
    await end_of_recovery(store)
    same, other = opening("s2"), opening("s3")
    assert isinstance(await store.open(CUSTOMER, NODE, same), Denied)
    other = msgspec.structs.replace(other, device=Device(kind="mobile", id="another"))
    assert isinstance(await store.open(CUSTOMER, NODE, other), Granted)


async def test_a_cool_down_comes_back_without_a_session(store: Store, licensed: Licensed) -> None:
    await licensed(limit=2)
    await fail_over(store)
    await store.rebury(CUSTOMER, [Ended(user=USER, cooldown_ms=60_000)])
    await end_of_recovery(store)
    assert isinstance(await store.open(CUSTOMER, NODE, opening("s2")), Denied)
    assert await store.client.zcard(partition_key("tombs", store.partition(CUSTOMER))) == 0


async def test_who_was_forced_out_and_lives_again_is_forced_out_again(
    store: Store, licensed: Licensed
) -> None:
    """His seat is not free before his client has let go of it: it is ordered again, not taken away."""
    await licensed(limit=1)
    held = await sign_in(store, "s1")
    target = KickTarget(user=USER)
    (kicked,) = await store.kick(
        CUSTOMER, target, message="lunch", by="boss", cooldown_ms=60_000, reply_to=OTHER
    )
    await fail_over(store)
    await lose(store)
    await store.reassert(CUSTOMER, NODE, [msgspec.structs.replace(held, fence=kicked.fence)])
    for name in ("tombs", "cooldowns", "deadlines", "orders"):
        await store.client.delete(partition_key(name, store.partition(CUSTOMER)))
    await store.reassert(CUSTOMER, NODE, [held])
    forced = Forced(code="forced", message="lunch", by="boss", cooldown_s=60, user=USER)
    ended = Ended(session="s1", fence=1, user=USER, cooldown_ms=60_000, forced=forced)
    assert await store.rebury(CUSTOMER, [ended]) == 1
    assert (await states(store), await used(store)) == ({"s1": "draining"}, 1)
    assert await orders(store) == [("logout", "s1")]
    assert not await resume(store, "s1")
    assert await store.rebury(CUSTOMER, [ended]) == 0
    assert (await store.reassert(CUSTOMER, NODE, [held])).lost == ()


async def test_who_was_forced_out_and_resumed_before_that_was_told_is_forced_out_again(
    store: Store, licensed: Licensed
) -> None:
    """His fence is higher, as that of any resume in a recovery: but no resume after a forced logout is a good one."""
    await licensed(limit=1)
    await sign_in(store, "s1")
    await fail_over(store)  # which has lost the logout
    assert await resume(store, "s1")
    assert await states(store) == {"s1": "attached"}
    forced = Forced(code="forced", message="lunch", by="boss", cooldown_s=0, user=USER)
    ended = Ended(session="s1", fence=1, user=USER, forced=forced, let_go=True)
    assert await store.rebury(CUSTOMER, [ended]) == 1
    assert await states(store) == {"s1": "draining"}
    assert not await resume(store, "s1")


async def test_of_who_was_forced_out_and_has_let_go_nothing_is_left(store: Store, licensed: Licensed) -> None:
    await licensed(limit=1)
    await sign_in(store, "s1")
    await fail_over(store)
    forced = Forced(code="forced", message="lunch", by="boss", cooldown_s=0, user=USER)
    ended = Ended(session="s1", fence=1, user=USER, forced=forced, let_go=True)
    assert await store.rebury(CUSTOMER, [ended]) == 1
    assert (await states(store), await used(store)) == ({}, 0)


async def test_a_logout_that_reached_no_node_is_told_by_the_audit(store: Store, licensed: Licensed) -> None:
    """The store had forgotten the node when the logout was ordered again: it must not go on believing in the session."""
    await licensed(limit=1)
    held = await sign_in(store, "s1")
    await store.client.delete(partition_key("nodes", store.partition(CUSTOMER)))
    forced = Forced(code="forced", message="", by="", cooldown_s=0, user=USER)
    await store.rebury(CUSTOMER, [Ended(session="s1", fence=1, user=USER, forced=forced)])
    await beat(store, NODE)
    assert (await store.reassert(CUSTOMER, NODE, [held])).lost == ("s1",)


async def test_a_total_loss_leaves_the_customer_listed(store: Store, licensed: Licensed) -> None:
    await licensed(limit=1)
    held = await sign_in(store, "s1")
    await store.client.flushall()
    await beat(store, NODE)
    await store.reassert(CUSTOMER, NODE, [held])
    assert await store.customers() == [CUSTOMER]
    assert await states(store) == {"s1": "attached"}


# -- before its node has told all of it -----------------------------------------------------------


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
