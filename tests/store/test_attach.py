"""Resuming a session on another node: the same seats, a higher fence, and the old node is out."""

from __future__ import annotations

import pytest

from seatd.store.redis import Store
from seatd.store.values import Gone, Granted, StoreUnavailable
from seatd_protocol.messages import Device
from tests.conftest import Clock
from tests.licenses import Licensed
from tests.store.contents import everything
from tests.store.holding import lost_by
from tests.store.office import Office, person


@pytest.fixture
async def session(office: Office, licensed: Licensed) -> Granted:
    """Alice's session on node `n1`.
    The license has one seat, and it is hers."""
    await licensed("CALL_CENTER", 1, id="cc")
    return await office.open("alice", "CALL_CENTER")


async def test_a_parked_session_comes_back_with_its_seats(office: Office, session: Granted) -> None:
    await office.park(session)
    back = await office.attach(session.session)
    assert isinstance(back, Granted)
    assert back.resumed
    assert (back.seats, back.fence) == (session.seats, session.fence + 1)
    assert await office.states() == {session.session: "attached"}
    (row,) = (await office.store.sessions()).items
    assert row.until_ms is None


async def test_it_is_on_the_device_that_it_was_opened_on(office: Office, session: Granted) -> None:
    back = await office.attach(session.session)
    assert isinstance(back, Granted)
    assert back.device == Device(kind="desktop", id="d1")


async def test_then_its_linger_is_over(office: Office, store: Store, session: Granted) -> None:
    await office.park(session)
    await office.attach(session.session)
    await office.pass_ms(store.options.linger_ms + 1, "n1", "n2")
    assert (await office.beat("n2")).due == ()


async def test_the_old_node_is_told_to_let_go(office: Office, session: Granted) -> None:
    await office.attach(session.session, node="n2")
    (order,) = (await office.beat("n1")).orders
    assert (order.type, order.session, order.fence) == ("superseded", session.session, session.fence)
    assert (await office.beat("n2")).orders == ()


async def test_on_the_same_node_nobody_is_told(office: Office, session: Granted) -> None:
    back = await office.attach(session.session, node="n1")
    assert isinstance(back, Granted)
    assert (await office.beat("n1")).orders == ()


async def test_the_fence_keeps_the_old_node_out(office: Office, store: Store, session: Granted) -> None:
    await office.attach(session.session)
    before = await everything(store)
    id_, fence, gone = session.session, session.fence, Gone(reason="superseded")
    assert await store.acquire("acme", session=id_, fence=fence, need=()) == gone
    assert await store.release("acme", session=id_, fence=fence, products=("CALL_CENTER",)) == gone
    assert not await store.park("acme", "n1", session=id_, fence=fence)
    assert not await store.park("acme", "n1", session=id_, fence=None)
    assert not await store.close("acme", session=id_, fence=fence)
    assert await lost_by(store, "n1", {session.session: session.fence}) == [session.session]
    assert await everything(store) == before


@pytest.mark.parametrize(("secret", "user"), [("guessed", "alice"), ("secret of s1", "bob")])
async def test_neither_secret_nor_user_can_be_guessed(
    office: Office, store: Store, session: Granted, secret: str, user: str
) -> None:
    before = await everything(store)
    answer = await store.attach("acme", "n2", session=session.session, secret=secret, user=person(user))
    assert answer == Gone(reason="unknown")
    assert await everything(store) == before


async def test_an_unknown_session(office: Office) -> None:
    assert await office.attach("nobody's") == Gone(reason="unknown")


async def test_a_session_of_another_customer(office: Office, store: Store, session: Granted) -> None:
    answer = await store.attach(
        "stranger", "n1", session=session.session, secret="secret of s1", user=person("alice")
    )
    assert not isinstance(answer, Granted)


async def test_an_ended_session_does_not_come_back(office: Office, session: Granted) -> None:
    await office.close(session)
    assert await office.attach(session.session) == Gone(reason="ended")


async def test_a_session_that_was_forced_out_does_not_come_back(office: Office, session: Granted) -> None:
    await office.kick(session=session.session)
    assert await office.attach(session.session) == Gone(reason="ended")


async def test_a_resume_just_before_the_sweep_wins(
    office: Office, store: Store, session: Granted, clock: Clock
) -> None:
    await office.park(session)
    await office.pass_ms(store.options.linger_ms + 1, "n1", "n2")
    due = (await office.beat("n1")).due
    assert [item.session for item in due] == [session.session]
    await office.attach(session.session)
    assert await office.sweep(due) == ([], [])
    assert await office.states() == {session.session: "attached"}


async def test_a_node_without_a_lease_may_not_attach(office: Office, session: Granted) -> None:
    with pytest.raises(StoreUnavailable, match="lapsed"):
        await office.attach(session.session, node="stranger")
