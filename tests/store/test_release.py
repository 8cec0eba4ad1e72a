"""Further products within a session, and products given back."""

from __future__ import annotations

import pytest

from seatd.store.redis import Store
from seatd.store.values import Denied, Gone, Granted, Released
from tests.licenses import Licensed
from tests.store.contents import contents
from tests.store.office import Office, drawn, person


@pytest.fixture
async def session(office: Office, licensed: Licensed) -> Granted:
    """Alice's session with a CALL_CENTER seat.
    CALL_MANAGER has one seat, QUALITY_AUDITOR has five, and they are free."""
    await licensed("CALL_CENTER", 1, id="cc")
    await licensed("CALL_MANAGER", 1, id="cm")
    await licensed("QUALITY_AUDITOR", 5, id="qa")
    return await office.open("alice", "CALL_CENTER")


async def test_further_products_are_added(office: Office, session: Granted) -> None:
    granted = await office.acquire(session, "alice", "CALL_MANAGER")
    assert isinstance(granted, Granted)
    assert drawn(granted) == [("CALL_CENTER", "cc"), ("CALL_MANAGER", "cm")]
    assert granted.fence == session.fence


async def test_further_products_are_all_or_nothing(office: Office, session: Granted) -> None:
    await office.open("bob", "CALL_MANAGER")
    denied = await office.acquire(session, "alice", "QUALITY_AUDITOR", "CALL_MANAGER")
    assert isinstance(denied, Denied)
    assert (denied.code, denied.product) == ("no_seat", "CALL_MANAGER")
    assert await office.used("qa") == 0


async def test_acquiring_twice_changes_nothing(office: Office, store: Store, session: Granted) -> None:
    first = await office.acquire(session, "alice", "CALL_MANAGER")
    before = await contents(store, office.partition, ["acme"])
    assert await office.acquire(session, "alice", "CALL_MANAGER", "CALL_CENTER") == first
    assert await contents(store, office.partition, ["acme"]) == before


async def test_a_session_without_a_node_acquires_nothing(office: Office, session: Granted) -> None:
    await office.park(session)
    assert await office.acquire(session, "alice", "CALL_MANAGER") == Gone(reason="superseded")


async def test_the_emergency_path_is_no_way_around_the_cool_down(office: Office, session: Granted) -> None:
    await office.kick(cooldown_ms=10_000, user=person("alice"))
    unseated = await office.open("alice", unseated=True)
    denied = await office.acquire(unseated, "alice", "CALL_MANAGER")
    assert isinstance(denied, Denied)
    assert (denied.code, denied.retry_after_ms) == ("cooldown", 10_000)


async def test_a_product_given_back_is_free(office: Office, store: Store, session: Granted) -> None:
    answer = await store.release("acme", session=session.session, fence=1, products=("CALL_CENTER",))
    assert answer == Released(products=("CALL_CENTER",), seats=())
    await office.open("bob", "CALL_CENTER")


async def test_the_others_stay(office: Office, store: Store, session: Granted) -> None:
    granted = await office.acquire(session, "alice", "CALL_MANAGER", "QUALITY_AUDITOR")
    assert isinstance(granted, Granted)
    answer = await store.release("acme", session=session.session, fence=1, products=("CALL_MANAGER",))
    assert answer == Released(products=("CALL_MANAGER",), seats=(granted.seats[0], granted.seats[2]))


async def test_what_is_not_held_is_no_error(office: Office, store: Store, session: Granted) -> None:
    for products in (("CALL_MANAGER",), ("no such product",), ()):
        answer = await store.release("acme", session=session.session, fence=1, products=products)
        assert answer == Released(products=(), seats=session.seats)


async def test_it_stays_taken_while_another_session_of_the_user_has_it(
    office: Office, store: Store, session: Granted
) -> None:
    other = await office.open("alice", "CALL_CENTER", device="d2")
    await store.release("acme", session=session.session, fence=1, products=("CALL_CENTER",))
    assert await office.used("cc") == 1
    await store.release("acme", session=other.session, fence=1, products=("CALL_CENTER",))
    assert await office.used("cc") == 0


async def test_an_unknown_session_has_nothing_to_give_back(office: Office, store: Store) -> None:
    assert await store.release("acme", session="nobody's", fence=1, products=()) == Gone(reason="unknown")


async def test_a_seat_that_another_product_of_the_session_uses_is_not_free(
    office: Office, licensed: Licensed
) -> None:
    """A license that was imported anew for another product: the session has both on the same seat."""
    await licensed("CALL_CENTER", 1, id="one")
    alice = await office.open("alice", "CALL_CENTER")
    await licensed("EMAIL", 1, id="one")
    assert isinstance(await office.acquire(alice, "alice", "EMAIL"), Granted)
    await office.store.release(office.customer, session=alice.session, fence=alice.fence, products=("EMAIL",))
    assert (await office.refused("bob", "EMAIL")).code == "no_seat"
