"""Several devices of one user: as many as the product bounds, one of a kind, or the newest of a kind."""

from __future__ import annotations

from seatd.store.values import Granted
from tests.licenses import Licensed
from tests.store.office import Office, drawn, wants


async def test_one_of_a_kind(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 5, id="cc", policy={"device": "one_per_class"})
    first = await office.open("ann", "CALL_CENTER", device="d1")
    denied = await office.refused("ann", "CALL_CENTER", device="d2")
    assert (denied.code, denied.limit, denied.used) == ("no_seat", 1, 1)
    assert [own.session for own in denied.holders] == [first.session]
    await office.open("ann", "CALL_CENTER", device="m1", kind="mobile")
    await office.open("ann", "CALL_CENTER", device="d1")  # the same device again
    await office.open("bob", "CALL_CENTER", device="d2")
    assert await office.used("cc") == 2


async def test_a_parked_one_counts_and_one_forced_out_does_not(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 5, id="cc", policy={"device": "one_per_class"})
    first = await office.open("ann", "CALL_CENTER", device="d1")
    await office.park(first)
    assert (await office.refused("ann", "CALL_CENTER", device="d2")).code == "no_seat"
    await office.kick(session=first.session)
    assert isinstance(await office.ask("ann", "CALL_CENTER", device="d2"), Granted)


async def test_the_newest_of_a_kind_takes_the_place(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 1, id="cc", policy={"device": "take_over"})
    await office.open("ann", "CALL_CENTER", device="d1", session="old")
    await office.open("ann", "CALL_CENTER", device="m1", kind="mobile", session="mobile")
    await office.open("ann", "CALL_CENTER", device="d2", session="new", node="n2")
    assert await office.states() == {"old": "draining", "mobile": "attached", "new": "attached"}
    (order,) = (await office.beat("n1")).orders
    assert (order.type, order.session, order.fence) == ("superseded", "old", 1)
    assert await office.used("cc") == 1
    assert await office.store.close("acme", session="old", fence=1)
    assert await office.used("cc") == 1


async def test_a_denied_newcomer_takes_nobody_s_place(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 1, id="cc", policy={"device": "take_over"})
    await licensed("EMAIL", 1, id="mail")
    await office.open("bob", "EMAIL")
    await office.open("ann", "CALL_CENTER", device="d1", session="old")
    await office.refused("ann", "CALL_CENTER", "EMAIL", device="d2")
    assert (await office.states())["old"] == "attached"


async def test_with_acquire_too(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 1, id="cc", policy={"device": "take_over"})
    await licensed("EMAIL", 2, id="mail")
    await office.open("ann", "CALL_CENTER", device="d2", session="old")
    new = await office.open("ann", "EMAIL", device="d1", session="new")
    assert isinstance(await office.acquire(new, "ann", "CALL_CENTER"), Granted)
    assert await office.states() == {"old": "draining", "new": "attached"}


async def test_products_that_count_devices_need_a_seat_of_their_own(
    office: Office, licensed: Licensed
) -> None:
    await licensed("phone_system", 5, id="base")
    await licensed("device_web_rtc", 1, id="rtc", policy={"device": "take_over"})
    await office.open("ann", "device_web_rtc", device="w1", kind="web_phone", session="old")
    assert (await office.refused("ann", "device_web_rtc", device="w2", kind="web_phone")).used == 1
    assert (await office.states())["old"] == "attached"
    await licensed("device_web_rtc", 2, id="rtc", policy={"device": "take_over"})
    new = await office.open("ann", "device_web_rtc", device="w2", kind="web_phone", session="new")
    assert ("device_web_rtc", "rtc") in drawn(new)
    assert await office.states() == {"old": "draining", "new": "attached"}


async def test_the_license_s_rule_comes_before_the_catalogue_s(office: Office, licensed: Licensed) -> None:
    import msgspec

    await licensed("CALL_CENTER", 5, id="cc")
    await office.open("ann", "CALL_CENTER", device="d1", session="old")
    opening = office.opening("ann", "CALL_CENTER", device="d2", session="new")
    need = wants(["CALL_CENTER"], opening.user, opening.device)
    strict = tuple(msgspec.structs.replace(want, device_rule="one_per_class") for want in need)
    opening = msgspec.structs.replace(opening, need=strict)
    answer = await office.store.open("acme", "n1", opening)
    assert getattr(answer, "code", "") == "no_seat"
    await licensed("CALL_CENTER", 5, id="cc", policy={"device": "refuse"})
    assert isinstance(await office.store.open("acme", "n1", opening), Granted)


async def test_a_session_that_loses_its_place_waits_no_longer(office: Office, licensed: Licensed) -> None:
    """The older device waits for more when the newer one is served by the same freed seat."""
    await licensed("CALL_CENTER", 2, id="cc", policy={"device": "take_over"})
    await licensed("EMAIL", 1, id="mail")
    bob = await office.open("bob", "EMAIL")
    old = await office.open("ann", "CALL_CENTER", device="d1", session="old")
    new = office.opening("ann", "EMAIL", "CALL_CENTER", device="d2", session="new", wait=True, priority=5)
    await office.store.open("acme", "n1", new)
    await office.acquire(old, "ann", "EMAIL", wait=True)
    await office.close(bob)
    assert await office.states() == {"old": "draining", "new": "attached"}
