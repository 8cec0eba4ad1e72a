"""How sessions end: parked when the socket is gone, closed when the client says so."""

from __future__ import annotations

import pytest

from seatd.store.redis import Store
from seatd.store.values import Granted
from tests.conftest import Clock
from tests.licenses import Licensed
from tests.store.contents import everything, leftovers
from tests.store.office import Office


@pytest.fixture
async def session(office: Office, licensed: Licensed) -> Granted:
    """Alice's session on node `n1`.
    The license has one seat, and it is hers."""
    await licensed("CALL_CENTER", 1, id="cc")
    return await office.open("alice", "CALL_CENTER")


async def test_a_parked_session_keeps_its_seat_until_its_linger_is_over(
    office: Office, store: Store, session: Granted
) -> None:
    assert await office.park(session)
    (row,) = (await store.sessions()).items
    assert (row.state, row.until_ms) == ("parked", office.clock.now_ms + store.options.linger_ms)
    await office.pass_ms(store.options.linger_ms - 1, "n1", "n2")
    assert (await office.beat("n2")).due == ()
    assert (await office.refused("bob", "CALL_CENTER")).code == "no_seat"
    await office.pass_ms(1)
    assert await office.sweep((await office.beat("n2")).due) == ([], [session.session])
    await office.open("bob", "CALL_CENTER")


async def test_parking_twice_does_not_lengthen_it(office: Office, store: Store, session: Granted) -> None:
    await office.park(session)
    before = await everything(store)
    office.clock.pass_ms(1)
    assert not await office.park(session)
    assert await everything(store) == before


async def test_a_node_that_does_not_know_its_fence_may_park_what_is_on_it(
    office: Office, store: Store, session: Granted
) -> None:
    assert not await store.park("acme", "n2", session=session.session, fence=None)
    assert await store.park("acme", "n1", session=session.session, fence=None)


async def test_an_unknown_session_is_not_parked(store: Store, office: Office) -> None:
    assert not await store.park("acme", "n1", session="nobody's", fence=1)


async def test_a_clean_end_frees_the_seat_now(office: Office, store: Store, session: Granted) -> None:
    assert await office.close(session)
    assert await office.states() == {}
    await office.open("bob", "CALL_CENTER")


async def test_closing_twice_changes_nothing_more(office: Office, session: Granted) -> None:
    assert await office.close(session)
    assert not await office.close(session)


async def test_a_parked_session_may_be_closed(office: Office, session: Granted) -> None:
    await office.park(session)
    assert await office.close(session)
    assert await office.used("cc") == 0


async def test_the_seat_stays_while_another_session_of_the_user_has_it(
    office: Office, session: Granted
) -> None:
    other = await office.open("alice", "CALL_CENTER", device="d2")
    await office.close(session)
    assert await office.used("cc") == 1
    await office.close(other)
    assert await office.used("cc") == 0


async def test_nothing_is_left_behind(office: Office, store: Store, session: Granted, clock: Clock) -> None:
    parked = await office.open("alice", "CALL_CENTER", device="d2")
    await office.park(parked)
    await office.open("alice", "CALL_CENTER", device="d3", node="n2")
    await office.kick(cooldown_ms=1000, user="alice@acme.example")
    assert set(await leftovers(store)) > {"seatd:{02}:tombs", "seatd:{02}:cooldowns"}
    for milliseconds in (store.options.node_lease_ms, store.options.linger_ms, store.options.tomb_ms):
        await office.pass_ms(milliseconds)
        while due := (await office.beat("n3")).due:
            await office.sweep(due)
    await office.beat("n3", leave=True)
    assert await leftovers(store) == []
