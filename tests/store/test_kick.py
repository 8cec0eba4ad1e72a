"""Forced logout: whom it means, what the nodes are told, when the seat is free, and who may come back when."""

from __future__ import annotations

from typing import Any

import pytest

from seatd.store import nodes
from seatd.store.audit_values import SYSTEM, Deed
from seatd.store.redis import Store
from seatd.store.values import Denied, Gone, Granted, KickTarget
from seatd_protocol.messages import Device
from tests.conftest import Clock
from tests.licenses import DOMAIN, Licensed
from tests.store.contents import everything
from tests.store.office import Office, person

OTHER_DOMAIN = "acme.test"


@pytest.fixture
async def session(office: Office, licensed: Licensed) -> Granted:
    """Alice's session on node `n1`.
    The license has one seat, and it is hers."""
    await licensed("CALL_CENTER", 1, id="cc")
    return await office.open("alice", "CALL_CENTER")


async def crowd(office: Office, licensed: Licensed) -> None:
    """Alice on two devices, bob on one, carol in another domain; alice has a seat of `qa` as well."""
    await licensed("CALL_CENTER", 9, id="cc", domains=(DOMAIN, OTHER_DOMAIN))
    await licensed("QUALITY_AUDITOR", 9, id="qa")
    await office.open("alice", "CALL_CENTER", session="alice-1", device="d1")
    await office.open("alice", "QUALITY_AUDITOR", session="alice-2", device="d2")
    await office.open("bob", "CALL_CENTER", session="bob-1")
    await office.open("carol", "CALL_CENTER", session="carol-1", user=person("carol", OTHER_DOMAIN))


# -- whom -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "out"),
    [
        ({"user": person("alice")}, {"alice-1", "alice-2"}),
        ({"session": "alice-1"}, {"alice-1"}),
        ({"session": "alice-1", "user": person("alice")}, {"alice-1"}),
        ({"session": "alice-1", "user": person("bob")}, set()),
        ({"session": "nobody's"}, set()),
        ({"license": "qa"}, {"alice-2"}),
        ({"license": "cc"}, {"alice-1", "bob-1", "carol-1"}),
        ({"domain": OTHER_DOMAIN}, {"carol-1"}),
        ({"everyone": True}, {"alice-1", "alice-2", "bob-1", "carol-1"}),
        ({}, set()),
    ],
)
async def test_whom_it_means(
    office: Office, licensed: Licensed, target: dict[str, Any], out: set[str]
) -> None:
    await crowd(office, licensed)
    assert {kicked.session for kicked in await office.kick(**target)} == out
    assert {session for session, state in (await office.states()).items() if state == "draining"} == out


@pytest.mark.parametrize(
    ("target", "entries"),
    [
        ({"session": "nobody's"}, 0),
        ({"session": "alice-1", "user": person("bob")}, 0),
        ({"domain": "elsewhere.example"}, 0),
        ({"license": "none"}, 0),
        ({}, 0),
        ({"session": "alice-1"}, 1),
        ({"user": person("nobody")}, 1),  # who may not sign in for a while
        ({"everyone": True}, 1),
    ],
)
async def test_the_trail_has_what_was_done(
    office: Office, store: Store, licensed: Licensed, target: dict[str, Any], entries: int
) -> None:
    await crowd(office, licensed)
    await office.kick(**target, deed=Deed(by=SYSTEM, action="logout"))
    assert await store.audit_length("acme") == entries


@pytest.mark.parametrize("target", [{"license": "cc"}, {"domain": DOMAIN}, {"everyone": True}])
async def test_many_are_forced_out_batch_by_batch(
    office: Office, licensed: Licensed, monkeypatch: pytest.MonkeyPatch, target: dict[str, Any]
) -> None:
    monkeypatch.setattr(nodes, "BATCH", 3)
    await licensed("CALL_CENTER", 99, id="cc")
    for number in range(10):
        for device in ("d1", "d2"):
            await office.open(f"user{number}", "CALL_CENTER", device=device)
    kicked = [item.session for item in await office.kick(**target)]
    assert sorted(kicked) == sorted(await office.states())
    assert len(set(kicked)) == 20


async def test_nobody_is_forced_out_twice(office: Office, store: Store, session: Granted) -> None:
    await office.kick(session=session.session)
    before = await everything(store)
    assert await office.kick(session=session.session) == []
    assert await everything(store) == before


# -- what the nodes are told ----------------------------------------------------------------------


async def test_the_node_is_told_what_to_tell_the_client(office: Office, session: Granted) -> None:
    (kicked,) = await office.kick(session=session.session, cooldown_ms=1500)
    assert (kicked.user, kicked.node, kicked.device) == (
        person("alice"),
        "n1",
        Device(kind="desktop", id="d1"),
    )
    (order,) = (await office.beat("n1")).orders
    assert order.number == kicked.order > 0
    assert (order.type, order.customer, order.session, order.fence) == ("logout", "acme", session.session, 1)
    assert (order.code, order.message, order.by, order.cooldown_s) == ("forced", "lunch", "root", 2)


async def test_the_receipt_comes_back_to_who_asked(office: Office, session: Granted) -> None:
    await office.kick(session=session.session, reply_to="n2")
    assert (await office.beat("n2")).orders == ()
    await office.close(session, delivered=True, acknowledged=True)
    (receipt,) = (await office.beat("n2")).orders
    assert (receipt.type, receipt.session) == ("receipt", session.session)
    assert (receipt.delivered, receipt.acknowledged, receipt.closed) == (True, True, True)


async def test_the_receipt_of_a_client_that_never_answered(
    office: Office, store: Store, session: Granted
) -> None:
    await office.kick(session=session.session, reply_to="n2")
    await office.pass_ms(store.options.node_lease_ms + store.options.client_lease_ms, "n1", "n2")
    await office.sweep((await office.beat("n1")).due)
    (receipt,) = (await office.beat("n2")).orders
    assert (receipt.delivered, receipt.acknowledged, receipt.closed) == (False, False, False)


async def test_a_session_without_a_socket_is_nobodys_order(office: Office, session: Granted) -> None:
    await office.park(session)
    (kicked,) = await office.kick(session=session.session)
    assert (kicked.order, kicked.node) == (0, "")
    assert (await office.beat("n1")).orders == ()


async def test_a_user_may_end_another_session_of_his_own(
    office: Office, store: Store, session: Granted
) -> None:
    """As `take_over` does: no cool-down, and the client is told that it was replaced."""
    await store.kick(
        "acme",
        KickTarget(user=person("alice"), session=session.session),
        message="taken over",
        by=person("alice"),
        cooldown_ms=0,
        reply_to="n2",
        order_type="superseded",
    )
    (order,) = (await office.beat("n1")).orders
    assert order.type == "superseded"
    await office.open("alice", "CALL_CENTER", device="d2")


# -- when the seat is free ------------------------------------------------------------------------


async def test_the_seat_is_free_when_the_socket_is_closed(office: Office, session: Granted) -> None:
    await office.kick(session=session.session)
    assert (await office.refused("bob", "CALL_CENTER")).code == "no_seat"
    assert await office.close(session)
    await office.open("bob", "CALL_CENTER")


async def test_or_when_its_client_can_no_longer_believe_in_it(
    office: Office, store: Store, session: Granted
) -> None:
    """The node may speak for it to the end of its lease, and then the client believes it for one lease of its own."""
    await office.kick(session=session.session)
    wait_ms = store.options.node_lease_ms + store.options.client_lease_ms
    await office.pass_ms(wait_ms - 1, "n1", "n2")
    assert (await office.beat("n1")).due == ()
    assert (await office.refused("bob", "CALL_CENTER")).code == "no_seat"
    await office.pass_ms(1)
    assert await office.sweep((await office.beat("n1")).due) == ([], [session.session])
    await office.open("bob", "CALL_CENTER")


async def test_a_parked_session_is_free_one_client_lease_later(
    office: Office, store: Store, session: Granted
) -> None:
    await office.park(session)
    await office.kick(session=session.session)
    (row,) = (await store.sessions()).items
    assert row.until_ms == office.clock.now_ms + store.options.client_lease_ms


async def test_but_never_later_than_it_would_have_ended(
    office: Office, store: Store, session: Granted
) -> None:
    await office.park(session)
    ends_ms = office.clock.now_ms + store.options.linger_ms
    await office.pass_ms(store.options.linger_ms - 1000, "n1")
    await office.kick(session=session.session)
    (row,) = (await store.sessions()).items
    assert row.until_ms == ends_ms


async def test_a_session_of_a_dead_node_is_free_one_client_lease_later(
    office: Office, store: Store, session: Granted
) -> None:
    await office.pass_ms(store.options.node_lease_ms + 5000, "n2")
    await office.kick(session=session.session)
    (row,) = (await store.sessions()).items
    assert row.until_ms == office.clock.now_ms + store.options.client_lease_ms


# -- who may come back ----------------------------------------------------------------------------


async def test_a_user_who_was_forced_out_is_refused_for_a_while(
    office: Office, session: Granted, clock: Clock
) -> None:
    await office.kick(cooldown_ms=5000, user=person("alice"))
    clock.pass_ms(1000)
    denied = await office.refused("alice", "CALL_CENTER", device="d2")
    assert (denied.code, denied.retry_after_ms) == ("cooldown", 4000)
    await office.close(session)
    await office.open("bob", "CALL_CENTER")
    clock.pass_ms(4000)
    assert (await office.refused("alice", "CALL_CENTER")).code == "no_seat"


async def test_a_user_who_is_not_here_is_refused_too(office: Office, session: Granted) -> None:
    assert await office.kick(cooldown_ms=5000, user=person("zoe")) == []
    assert (await office.refused("zoe", "CALL_CENTER")).code == "cooldown"


async def test_forcing_out_one_device_cools_that_device(office: Office, licensed: Licensed) -> None:
    await crowd(office, licensed)
    await office.kick(cooldown_ms=5000, session="alice-1")
    assert (await office.refused("alice", "CALL_CENTER", device="d1")).code == "cooldown"
    await office.open("alice", "CALL_CENTER", device="d3")


async def test_forcing_out_a_domain_cools_its_users(office: Office, licensed: Licensed) -> None:
    await crowd(office, licensed)
    await office.kick(cooldown_ms=5000, domain=DOMAIN)
    assert (await office.refused("bob", "CALL_CENTER", device="d9")).code == "cooldown"
    await office.open("carol", "CALL_CENTER", device="d9", user=person("carol", OTHER_DOMAIN))


async def test_a_shorter_cool_down_does_not_cut_a_longer_one(office: Office, session: Granted) -> None:
    await office.kick(cooldown_ms=9000, user=person("alice"))
    await office.kick(cooldown_ms=10, user=person("alice"))
    assert (await office.refused("alice", "CALL_CENTER")).retry_after_ms == 9000


async def test_the_emergency_path_is_open_meanwhile(office: Office, session: Granted) -> None:
    await office.kick(cooldown_ms=5000, user=person("alice"))
    assert (await office.open("alice", unseated=True)).seats == ()


async def test_it_is_final_wherever_the_client_goes(office: Office, store: Store, session: Granted) -> None:
    """Kick first: no resume, no second opening; resume first: the kick finds the session on its new node."""
    back = await office.attach(session.session, node="n2")
    assert isinstance(back, Granted)
    (kicked,) = await office.kick(session=session.session)
    assert kicked.node == "n2"
    for node in ("n1", "n2"):
        assert await office.attach(session.session, node=node) == Gone(reason="ended")
    assert await office.acquire(back, "alice", "CALL_CENTER") == Gone(reason="superseded")
    assert not isinstance(await office.ask("alice", session=session.session), Granted | Denied)
