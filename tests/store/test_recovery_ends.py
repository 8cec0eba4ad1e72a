"""After the store has lost writes: ends, forced logouts and cool-downs are told again."""

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
)
from seatd_protocol.messages import Device
from tests.licenses import CUSTOMER, DOMAIN, Licensed
from tests.store.recovering import (
    DEVICE,
    NODE,
    OTHER,
    USER,
    beat,
    end_of_recovery,
    fail_over,
    lose,
    opening,
    orders,
    resume,
    sign_in,
    states,
    used,
)

pytestmark = pytest.mark.usefixtures("durable_nodes")


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
