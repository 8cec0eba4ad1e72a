"""A forced logout that is ordered while the partition recovers holds for the sessions that it is told of only later."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from seatd.store.keys import partition_key
from seatd.store.redis import Store
from seatd.store.values import Claim, Denied, Ended, Forced, Gone, Granted, Held, KickTarget, StoreUnavailable
from tests.conftest import Clock
from tests.licenses import CUSTOMER, DOMAIN, Licensed
from tests.store.recovering import (
    NODE,
    OTHER,
    USER,
    beat,
    fail_over,
    is_recovering,
    lose,
    opening,
    report,
    sign_in,
    states,
    used,
)

pytestmark = pytest.mark.usefixtures("durable_nodes")
BOB = f"bob@{DOMAIN}"


async def kick(store: Store, cooldown_ms: int = 60_000, order_type: str = "logout", **target: Any) -> int:
    kicked = await store.kick(
        CUSTOMER,
        KickTarget(**target),
        message="lunch",
        by="boss",
        cooldown_ms=cooldown_ms,
        reply_to=NODE,
        order_type=order_type,
    )
    return len(kicked)


async def lost_pair(store: Store) -> tuple[Held, Held]:
    ann, bob = await sign_in(store, "s1"), await sign_in(store, "s2", BOB)
    await fail_over(store)
    await lose(store)
    return ann, bob


@pytest.mark.parametrize(
    ("target", "forced"),
    [
        ({"user": USER}, {"s1"}),
        ({"session": "s1"}, {"s1"}),
        ({"license": "cc"}, {"s1", "s2"}),
        ({"domain": DOMAIN}, {"s1", "s2"}),
        ({"everyone": True}, {"s1", "s2"}),
        ({"user": f"eve@{DOMAIN}"}, set()),
        ({"domain": "other.example"}, set()),
        ({"license": "other"}, set()),
    ],
)
async def test_it_holds_for_whom_it_means(
    store: Store, licensed: Licensed, target: dict[str, Any], forced: set[str]
) -> None:
    await licensed(limit=2, id="cc")
    ann, bob = await lost_pair(store)
    assert await kick(store, **target) == 0
    await store.reassert(CUSTOMER, NODE, [ann, bob])
    assert {name for name, state in (await states(store)).items() if state == "draining"} == forced
    told = await store.beat(store.partition(CUSTOMER), NODE, done=0, joined=True)
    orders = {order.session: order for order in told.orders if order.type == "logout"}
    assert set(orders) == forced
    assert all((order.message, order.cooldown_s) == ("lunch", 60) for order in orders.values())
    assert await used(store) == 2  # until their clients have let go
    await report(store, NODE)
    await report(store, OTHER)
    answer = await store.open(CUSTOMER, NODE, opening("s3"))
    assert (isinstance(answer, Denied) and answer.code == "cooldown") == ("s1" in forced)


async def test_it_holds_for_who_has_no_socket(store: Store, licensed: Licensed) -> None:
    await licensed(limit=2, id="cc")
    ann, _ = await lost_pair(store)
    await kick(store, user=USER)
    await store.reassert(CUSTOMER, NODE, [msgspec.structs.replace(ann, left_ms=9000)])
    assert await states(store) == {"s1": "draining"}


async def test_it_holds_for_who_shows_a_ticket(store: Store, licensed: Licensed, clock: Clock) -> None:
    await licensed(limit=2, id="cc")
    ann, _ = await lost_pair(store)
    await kick(store, cooldown_ms=0, user=USER)
    assert await claim(store, ann, clock()) == Gone(reason="ended")
    assert await used(store) == 0


async def test_it_is_over_with_the_recovery(store: Store, licensed: Licensed, clock: Clock) -> None:
    """Who signs in afterwards is not meant; a later recovery knows nothing of it."""
    await licensed(limit=2, id="cc")
    await lost_pair(store)
    key = partition_key("kicks", store.partition(CUSTOMER))
    await kick(store, cooldown_ms=0, user=USER)
    assert await store.client.zcard(key) == 1
    await report(store, NODE)
    await report(store, OTHER)
    assert not await is_recovering(store)
    assert await store.client.zcard(key) == 0
    await kick(store, cooldown_ms=0, user=USER)
    assert await store.client.zcard(key) == 0
    await fail_over(store)
    await kick(store, cooldown_ms=0, user=USER)
    clock.pass_ms(store.options.recovery_ms)
    await beat(store, NODE)
    assert await store.client.zcard(key) == 0


async def test_who_takes_a_session_over_means_only_what_is_there(store: Store, licensed: Licensed) -> None:
    """He is told that there is no such session, so it must not end later."""
    await licensed(limit=2, id="cc")
    ann, _ = await lost_pair(store)
    assert await kick(store, cooldown_ms=0, order_type="superseded", user=USER, session="s1") == 0
    await store.reassert(CUSTOMER, NODE, [ann])
    assert await states(store) == {"s1": "attached"}


async def test_who_was_forced_out_before_stays_out_though_the_client_was_quicker(
    store: Store, licensed: Licensed
) -> None:
    """The store had lost the forced logout, so the client could resume, at a higher fence, before a node told of it."""
    await licensed(limit=2, id="cc")
    await sign_in(store, "s1")
    await fail_over(store)
    assert isinstance(await store.attach(CUSTOMER, OTHER, session="s1", secret="s", user=USER), Granted)
    said = Forced(code="forced", message="lunch", by="boss", cooldown_s=0, user=USER)
    assert await store.rebury(CUSTOMER, [Ended(session="s1", fence=1, user=USER, forced=said)]) == 1
    assert await states(store) == {"s1": "draining"}


# -- what a ticket can do to the store ------------------------------------------------------------


async def claim(
    store: Store, held: Held, until_ms: int, *, behind_ms: int = 0, node: str = OTHER
) -> Granted | Denied | Gone:
    assert held.record
    return await store.attach(
        CUSTOMER,
        node,
        session=held.session,
        secret="s",
        user=held.record.user,
        claim=Claim(
            fence=held.fence,
            record=held.record,
            until_ms=until_ms,
            behind_ms=behind_ms,
        ),
    )


async def test_a_ticket_must_have_been_valid_when_the_window_opened(
    store: Store, licensed: Licensed, clock: Clock
) -> None:
    await licensed(limit=2)
    ann, bob = await lost_pair(store)
    began_ms = clock()
    await is_recovering(store)
    clock.pass_ms(5000)
    await beat(store, OTHER)
    with pytest.raises(StoreUnavailable):
        await claim(store, ann, began_ms - 11_001)
    back = await claim(store, bob, began_ms - 11_000)
    assert isinstance(back, Granted)
    assert back.fence > 1000
    assert [seat.product for seat in back.seats] == ["CALL_CENTER"]


async def test_after_a_total_loss_the_servers_clock_counts(
    store: Store, licensed: Licensed, clock: Clock
) -> None:
    """The partition's own time had stood still for a minute in its life; now it begins anew."""
    await licensed(limit=2)
    ann = await sign_in(store, "s1")
    clock.pass_ms(60_000)
    await store.client.flushall()
    await beat(store, OTHER)
    with pytest.raises(StoreUnavailable):
        await claim(store, ann, clock() - 60_000)
    assert isinstance(await claim(store, ann, clock() - 60_000, behind_ms=60_000), Granted)


async def test_what_the_store_knows_counts_more_than_a_ticket(
    store: Store, licensed: Licensed, clock: Clock
) -> None:
    await licensed(limit=2)
    ann = await sign_in(store, "s1")
    assert ann.record
    await fail_over(store)
    more = msgspec.structs.replace(ann.record, seats=())
    back = await claim(store, msgspec.structs.replace(ann, record=more, fence=7), clock())
    assert isinstance(back, Granted)
    assert (back.fence, len(back.seats)) == (1001, 1)


async def test_the_node_that_held_it_has_lost_it_to_the_ticket(
    store: Store, licensed: Licensed, clock: Clock
) -> None:
    await licensed(limit=2)
    ann, _ = await lost_pair(store)
    assert isinstance(await claim(store, ann, clock()), Granted)
    assert (await store.reassert(CUSTOMER, NODE, [ann])).lost == ("s1",)
    assert await used(store) == 1
