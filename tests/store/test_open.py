"""Signing in: all or nothing, safe to repeat, one session per device."""

from __future__ import annotations

import msgspec
import pytest

from seatd.store.redis import Store
from seatd.store.values import Denied, Gone, Granted, StoreUnavailable
from seatd_protocol.messages import Device
from tests.conftest import Clock
from tests.licenses import Licensed
from tests.store.contents import everything
from tests.store.office import Office, drawn, person


async def test_all_of_need_or_nothing(office: Office, licensed: Licensed) -> None:
    cc = await licensed("CALL_CENTER", 1)
    await licensed("CALL_MANAGER", 1)
    await office.open("alice", "CALL_MANAGER")
    denied = await office.refused("bob", "CALL_CENTER", "CALL_MANAGER")
    assert (denied.code, denied.product) == ("no_seat", "CALL_MANAGER")
    assert await office.used(cc) == 0


async def test_want_is_given_as_far_as_there_is_room(office: Office, licensed: Licensed) -> None:
    cc = await licensed("CALL_CENTER", 5)
    await licensed("CALL_MANAGER", 1)
    qa = await licensed("QUALITY_AUDITOR", 5)
    await office.open("alice", "CALL_MANAGER")
    granted = await office.open("bob", "CALL_CENTER", want=("CALL_MANAGER", "QUALITY_AUDITOR"))
    assert drawn(granted) == [("CALL_CENTER", cc), ("QUALITY_AUDITOR", qa)]


async def test_a_product_asked_for_twice_is_one_seat(office: Office, licensed: Licensed) -> None:
    cc = await licensed("CALL_CENTER", 5)
    granted = await office.open("alice", "CALL_CENTER", "CALL_CENTER", want=("CALL_CENTER",))
    assert drawn(granted) == [("CALL_CENTER", cc)]


async def test_a_session_without_seats_needs_no_license(office: Office) -> None:
    granted = await office.open("alice", unseated=True)
    assert granted.seats == ()
    assert await office.states() == {granted.session: "attached"}


# -- repeating ------------------------------------------------------------------------------------


async def test_repeating_a_sign_in_changes_nothing(office: Office, store: Store, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 1)
    opening = office.opening("alice", "CALL_CENTER")
    first = await store.open("acme", "n1", opening)
    before = await everything(store)
    assert await store.open("acme", "n1", opening) == first
    assert await everything(store) == before


async def test_repeating_a_denied_sign_in_changes_nothing(
    office: Office, store: Store, licensed: Licensed
) -> None:
    await licensed("CALL_CENTER", 1)
    await office.open("alice", "CALL_CENTER")
    before = await everything(store)
    await office.refused("bob", "CALL_CENTER")
    assert await everything(store) == before


@pytest.mark.parametrize("change", [{"secret": "guessed"}, {"node": "n2"}])
async def test_a_session_id_that_is_taken_is_refused(
    office: Office, store: Store, licensed: Licensed, change: dict[str, str]
) -> None:
    await licensed("CALL_CENTER", 5)
    opening = office.opening("alice", "CALL_CENTER")
    await store.open("acme", "n1", opening)
    node = change.get("node", "n1")
    again = msgspec.structs.replace(opening, secret=change.get("secret", opening.secret))
    assert await store.open("acme", node, again) == Gone(reason="superseded")


async def test_an_id_that_has_ended_never_comes_back(
    office: Office, store: Store, licensed: Licensed
) -> None:
    cc = await licensed("CALL_CENTER", 5)
    opening = office.opening("alice", "CALL_CENTER")
    granted = await store.open("acme", "n1", opening)
    assert isinstance(granted, Granted)
    await office.close(granted)
    assert await store.open("acme", "n1", opening) == Gone(reason="ended")
    assert await office.used(cc) == 0


async def test_a_sign_in_that_was_given_up_before_it_arrived_has_no_effect(
    office: Office, store: Store, licensed: Licensed
) -> None:
    cc = await licensed("CALL_CENTER", 5)
    opening = office.opening("alice", "CALL_CENTER")
    assert not await store.close("acme", session=opening.session, fence=1)
    assert await store.open("acme", "n1", opening) == Gone(reason="ended")
    assert await office.used(cc) == 0


# -- devices --------------------------------------------------------------------------------------


async def test_a_new_hello_of_a_device_replaces_its_older_session(office: Office, licensed: Licensed) -> None:
    cc = await licensed("CALL_CENTER", 1)
    older = await office.open("alice", "CALL_CENTER", node="n2")
    newer = await office.open("alice", "CALL_CENTER")
    assert await office.states() == {older.session: "draining", newer.session: "attached"}
    (order,) = (await office.beat("n2")).orders
    assert (order.type, order.session, order.fence) == ("superseded", older.session, older.fence)
    assert await office.close(older)
    assert await office.used(cc) == 1


async def test_a_parked_session_that_is_replaced_ends_at_once(office: Office, licensed: Licensed) -> None:
    cc = await licensed("CALL_CENTER", 1)
    older = await office.open("alice", "CALL_CENTER")
    await office.park(older)
    newer = await office.open("alice", "CALL_CENTER")
    assert await office.states() == {newer.session: "attached"}
    assert await office.used(cc) == 1
    assert await office.attach(older.session) == Gone(reason="ended")


async def test_a_denied_hello_replaces_nothing(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 1)
    await licensed("CALL_MANAGER", 1)
    await office.open("bob", "CALL_MANAGER")
    older = await office.open("alice", "CALL_CENTER")
    await office.refused("alice", "CALL_CENTER", "CALL_MANAGER")
    assert (await office.states())[older.session] == "attached"


async def test_the_same_device_of_another_user_is_another_device(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 5)
    alice = await office.open("alice", "CALL_CENTER", device="shared")
    await office.open("bob", "CALL_CENTER", device="shared")
    assert (await office.states())[alice.session] == "attached"


async def test_a_user_has_a_bounded_number_of_sessions(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 5)
    for device in ("d1", "d2"):
        await office.open("alice", "CALL_CENTER", device=device, per_user=2)
    denied = await office.refused("alice", "CALL_CENTER", device="d3", per_user=2)
    assert (denied.code, denied.limit, denied.used) == ("device_not_allowed", 2, 2)
    assert len(denied.holders) == 2
    await office.open("alice", "CALL_CENTER", device="d2", per_user=2)


# -- who may ask ----------------------------------------------------------------------------------


async def test_a_node_without_a_lease_may_not_open(
    office: Office, store: Store, licensed: Licensed, clock: Clock
) -> None:
    await licensed("CALL_CENTER", 5)
    clock.pass_ms(store.options.node_lease_ms)
    await office.open("alice", "CALL_CENTER")
    clock.pass_ms(1)
    with pytest.raises(StoreUnavailable, match="lapsed"):
        await office.ask("bob", "CALL_CENTER")
    with pytest.raises(StoreUnavailable, match="lapsed"):
        await office.ask("bob", "CALL_CENTER", node="stranger")


async def test_customers_do_not_meet(office: Office, store: Store, licensed: Licensed, clock: Clock) -> None:
    """The same names at another customer of the same partition: another user, another session, another license."""
    neighbour = next(f"c{n}" for n in range(99) if store.partition(f"c{n}") == office.partition)
    await licensed("CALL_CENTER", 1, id="ours")
    await licensed("CALL_CENTER", 1, id="theirs", customer=neighbour)
    other = Office(store, clock, neighbour)
    ours = await office.open("alice", "CALL_CENTER")
    theirs = await other.open("alice", "CALL_CENTER")
    assert ours.session == theirs.session
    assert (drawn(ours), drawn(theirs)) == ([("CALL_CENTER", "ours")], [("CALL_CENTER", "theirs")])
    await office.close(ours)
    assert await other.states() == {theirs.session: "attached"}


@pytest.mark.parametrize("name", ["{alice}", "al:ice", "ålice", "alice/d1", "\U0001f600", "a" * 200])
async def test_odd_names_are_only_names(office: Office, store: Store, licensed: Licensed, name: str) -> None:
    await licensed("CALL_CENTER", 1, id="cc")
    granted = await office.open(name, "CALL_CENTER", device="{d}:/1 é")
    assert granted.seats[0].holder == person(name)
    page = await store.license_users("acme", "cc")
    assert page
    assert [row.user for row in page.items] == [person(name)]
    (row,) = (await store.sessions()).items
    assert (row.user, row.device) == (person(name), Device(kind="desktop", id="{d}:/1 é"))
    assert [k.user for k in await office.kick(license="cc")] == [person(name)]


async def test_a_user_whose_name_begins_like_another_is_another(office: Office, licensed: Licensed) -> None:
    await licensed("VOIP_DEVICE", 5, id="voip", kind="nominal")
    for user in ("al@acme.example", "al@acme.example.org"):
        await office.store.assign("acme", "voip", user, domain="acme.example")
    await office.open("", "VOIP_DEVICE", kind="ip_phone", user="al@acme.example.org", domain="acme.example")
    answer = await office.ask("", "VOIP_DEVICE", kind="ip_phone", user="al@acme.example", device="d2")
    assert not isinstance(answer, Denied)
