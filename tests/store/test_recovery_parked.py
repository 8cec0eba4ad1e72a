"""After the store has lost writes: sessions that have lost their socket, and may be resumed."""

from __future__ import annotations

import msgspec
import pytest

from seatd.store.redis import Store
from seatd.store.values import (
    Held,
)
from tests.conftest import Clock
from tests.licenses import CUSTOMER, DOMAIN, Licensed
from tests.store.recovering import NODE, beat, fail_over, lose, resume, sign_in, states, used

pytestmark = pytest.mark.usefixtures("durable_nodes")


def parked(held: Held, left_ms: int = 20_000) -> Held:
    return msgspec.structs.replace(held, left_ms=left_ms)


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
