"""After the store has lost writes: who waits has his place again, and whose turn has come has it."""

from __future__ import annotations

import msgspec
import pytest

from seatd.store.redis import Store
from seatd.store.values import (
    Held,
    HeldRecord,
    Queued,
    Waiting,
)
from seatd_protocol.messages import Seat
from tests.licenses import CUSTOMER, DOMAIN, TILL_MS, Licensed
from tests.store.recovering import (
    DEVICE,
    NODE,
    end_of_recovery,
    fail_over,
    lose,
    opening,
    orders,
    sign_in,
    states,
    used,
)

pytestmark = pytest.mark.usefixtures("durable_nodes")


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
