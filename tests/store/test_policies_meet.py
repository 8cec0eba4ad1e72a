"""Where policies meet the queue and a recovery: what is promised, and what is put back."""

from __future__ import annotations

from typing import Any

from seatd.store.keys import partition_key
from seatd.store.values import Granted, Held, HeldRecord, Queued, Waiting
from tests.licenses import Licensed
from tests.store.endings import due, look, told
from tests.store.office import Office

SALES = {"group": "sales", "seats": 1}
HOUR_MS = 3600_000


async def fail_over(office: Office) -> None:
    await office.store.client.hset(partition_key("meta", office.partition), "replid", "another")


async def forget(office: Office, *keys: str) -> None:
    """These keys of the customer have lost everything."""
    for key in keys:
        await office.store.client.delete(f"seatd:{{{office.partition:02}}}:c:acme:{key}")


def known(office: Office, name: str, granted: Granted, **fields: Any) -> Held:
    """What a node knows of a session."""
    opening = office.opening(name, session=granted.session)
    record = HeldRecord(
        user=opening.user,
        domain=opening.domain,
        device=opening.device,
        secret=opening.secret,
        since_ms=1,
        seats=granted.seats,
        **fields,
    )
    return Held(session=granted.session, fence=granted.fence, record=record)


async def held(office: Office, license: str) -> int:
    key = f"seatd:{{{office.partition:02}}}:c:acme:seats"
    return int(await office.store.client.zlexcount(key, f"[{license}\0", f"({license}\1"))


async def reasserted(office: Office, *items: Held) -> list[str]:
    return list((await office.store.reassert("acme", "n1", items)).restored)


async def over(office: Office) -> None:
    await office.pass_ms(office.store.options.recovery_ms, "n1", "n2")


# -- the queue ------------------------------------------------------------------------------------


async def test_a_reserved_seat_is_promised_once_to_several_devices(
    office: Office, licensed: Licensed
) -> None:
    """Two seats are kept for the group; a user with two waiting devices has one of them promised, a colleague the other."""
    await licensed("CALL_CENTER", 3, id="cc", policy={"reservations": [SALES | {"seats": 2}]})
    await licensed("EMAIL", 1, id="mail")
    await office.open("ann", "EMAIL")
    waits: dict[str, Any] = {"groups": ("sales",), "wait": True}
    for device in ("d1", "d2"):
        assert isinstance(await office.ask("sue", "EMAIL", "CALL_CENTER", device=device, **waits), Queued)
    bob = await office.open("bob", "CALL_CENTER")
    assert (await office.refused("eve", "CALL_CENTER")).code == "no_seat"
    assert isinstance(await office.ask("sam", "CALL_CENTER", groups=("sales",)), Granted)
    assert isinstance(await office.ask("sue", "CALL_CENTER", device="d3", groups=("sales",)), Granted)
    assert await office.used("cc") == 3
    await office.close(bob)
    assert isinstance(await office.ask("eve", "CALL_CENTER"), Granted)  # both are drawn on the reservation


async def test_what_was_promised_to_one_who_lost_his_place_goes_to_the_next(
    office: Office, licensed: Licensed
) -> None:
    await licensed("CALL_CENTER", 2, id="cc", policy={"device": "take_over"})
    for product in ("EMAIL", "CALL_MANAGER", "QUALITY_AUDITOR"):
        await licensed(product, 1, id=product)
    await office.open("joe", "CALL_MANAGER")
    bob = await office.open("bob", "EMAIL", "QUALITY_AUDITOR")
    old = await office.open("ann", "CALL_CENTER", device="d1", session="old")
    assert isinstance(
        await office.acquire(old, "ann", "EMAIL", "CALL_MANAGER", wait=True, priority=5), Queued
    )
    new = await office.ask("ann", "CALL_CENTER", "QUALITY_AUDITOR", device="d2", session="new", wait=True)
    eve = await office.ask("eve", "EMAIL", session="eve", wait=True)
    assert isinstance(new, Queued)
    assert isinstance(eve, Queued)
    await office.close(bob)
    states = await office.states()
    assert [states[name] for name in ("old", "new", "eve")] == ["draining", "attached", "attached"]


async def test_a_seat_that_is_lost_and_had_again_counts_until_the_client_knows(
    office: Office, licensed: Licensed
) -> None:
    """Given back meanwhile, it is not free either."""
    await licensed("CALL_CENTER", 2, id="cc")
    await licensed("EMAIL", 2, id="mail")
    await office.open("eve", "CALL_CENTER")
    office.clock.pass_ms(1)
    ann = await office.open("ann", "EMAIL", want=["CALL_CENTER"], session="ann")
    await licensed("CALL_CENTER", 1, id="cc", policy={"on_lower": "evict"})
    assert await look(office) == 1
    (order,) = await told(office)
    await licensed("CALL_CENTER", 2, id="cc")
    assert isinstance(await office.acquire(ann, "ann", "CALL_CENTER"), Granted)
    await office.store.release("acme", session="ann", fence=1, products=["CALL_CENTER"])
    assert await held(office, "cc") == 2
    assert await office.store.let_go("acme", session="ann", fence=1, order=order.number)
    assert await held(office, "cc") == 1


# -- recovery -------------------------------------------------------------------------------------


async def test_a_license_is_looked_after_again_when_a_session_is_put_back(
    office: Office, licensed: Licensed
) -> None:
    """It ended while nobody held it, so far as the store knew: its review was over."""
    await licensed("CALL_CENTER", 1, id="cc", valid_till_ms=office.clock.now_ms + 1_000)
    ann = await office.open("ann", "CALL_CENTER")
    item = known(office, "ann", ann, need=("CALL_CENTER",))
    await forget(office, "seats", "sessions", "by_user")
    await office.pass_ms(1_000, "n1", "n2")
    await look(office)
    assert await due(office) == []
    await fail_over(office)
    await office.beat("n1")
    assert await reasserted(office, item) == [ann.session]
    assert await due(office) == []  # as long as the partition recovers
    await over(office)
    assert await due(office) == ["cc"]
    await office.pass_ms(8 * HOUR_MS, "n1", "n2")
    assert await look(office) == 1
    assert await office.states() == {ann.session: "draining"}


async def test_what_a_session_is_losing_it_has_no_more_when_it_is_put_back(
    office: Office, licensed: Licensed
) -> None:
    """Its node has not read the order yet, and the client may go on believing: the seat counts, and is free when it knows."""
    await licensed("CALL_CENTER", 2, id="cc", policy={"on_remove": "evict"})
    await licensed("EMAIL", 2, id="mail")
    ann = await office.open("ann", "EMAIL", want=["CALL_CENTER"], session="ann")
    await office.store.drop_license("acme", "cc")
    assert await look(office) == 1
    await fail_over(office)
    (order,) = await told(office)
    assert await reasserted(office, known(office, "ann", ann, need=("EMAIL",))) == ["ann"]
    row = await office.store.session("ann")
    assert row is not None
    assert [seat.product for seat in row.seats] == ["EMAIL"]
    assert await held(office, "cc") == 1
    assert await office.store.let_go("acme", session="ann", fence=1, order=order.number)
    assert await held(office, "cc") == 0
    assert await office.states() == {"ann": "attached"}


async def test_a_waiter_who_is_put_back_has_his_groups_still(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 2, id="cc", policy={"reservations": [SALES]})
    sam = await office.open("sam", "CALL_CENTER", groups=("sales",))
    opening = office.opening("sue", "CALL_CENTER", session="sue", groups=("sales",), wait=True)
    await office.open("bob", "CALL_CENTER")
    place = await office.store.open("acme", "n1", opening)
    assert isinstance(place, Queued)
    await forget(office, "queue")
    await office.store.client.hdel(f"seatd:{{{office.partition:02}}}:c:acme:sessions", "sue")
    await fail_over(office)
    await office.beat("n1")
    waiting = Waiting(
        member=place.member, need=opening.need, want=(), product="CALL_CENTER", priority=0, ref=None
    )
    waiter = Granted(session="sue", fence=1, seats=())
    item = known(office, "sue", waiter, need=("CALL_CENTER",), groups=("sales",), waiting=waiting)
    assert await reasserted(office, item) == ["sue"]
    await over(office)
    await office.close(sam)
    assert (await office.states())["sue"] == "attached"
