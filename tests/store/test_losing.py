"""A seat that is lost by a session that goes on: how its client learns it, and when the seat is free."""

from __future__ import annotations

from typing import Any

import pytest

from seatd.store.values import Due, Granted
from tests.licenses import Licensed
from tests.store.endings import look, told
from tests.store.holding import lost_by
from tests.store.office import Office, person


async def loses_one(office: Office, licensed: Licensed, **how: Any) -> Granted:
    """Ann needs one product, and only wanted the other, whose license is withdrawn."""
    await licensed("CALL_CENTER", 2, id="cc", policy={"on_remove": "evict"})
    await licensed("EMAIL", 2, id="mail")
    ann = await office.open("ann", "EMAIL", want=["CALL_CENTER"], session="ann")
    if how.get("parked"):
        assert await office.park(ann)
    await office.store.drop_license("acme", "cc")
    assert await look(office) == 1
    return ann


async def seats_of(office: Office, session: str) -> list[str]:
    row = await office.store.session(session)
    return [seat.product for seat in row.seats] if row else []


async def held(office: Office, license: str = "cc") -> int:
    """Who is counted against a license, be it withdrawn."""
    key = f"seatd:{{{office.partition:02}}}:c:acme:seats"
    return int(await office.store.client.zlexcount(key, f"[{license}\0", f"({license}\1"))


async def test_it_is_told_and_counts_until_the_client_knows(office: Office, licensed: Licensed) -> None:
    await loses_one(office, licensed)
    (order,) = await told(office)
    assert (order.type, order.code, order.product) == ("changed", "on_remove", "CALL_CENTER")
    assert [seat.product for seat in order.seats] == ["CALL_CENTER"]
    assert await seats_of(office, "ann") == ["EMAIL"]
    assert await held(office) == 1
    assert await office.store.let_go("acme", session="ann", fence=1, order=order.number - 1)
    assert not await office.store.let_go("acme", session="ann", fence=2, order=order.number)
    assert not await office.store.let_go("acme", session="bob", fence=1, order=order.number)
    assert await held(office) == 1
    assert await office.store.let_go("acme", session="ann", fence=1, order=order.number)
    assert await held(office) == 0
    assert await office.states() == {"ann": "attached"}
    assert (await office.beat("n1")).due == ()


async def test_or_until_it_can_no_longer_believe_in_it(office: Office, licensed: Licensed) -> None:
    await loses_one(office, licensed)
    options = office.store.options
    await office.pass_ms(options.node_lease_ms + options.client_lease_ms - 10, "n1")
    assert await held(office) == 1
    await office.pass_ms(10, "n1")
    assert (await office.beat("n1")).due == (Due(customer="acme", session="ann"),)
    assert await office.sweep((await office.beat("n1")).due) == ([], [])
    assert await held(office) == 0
    assert await office.states() == {"ann": "attached"}
    assert (await office.beat("n1")).due == ()


async def test_a_parked_session_learns_it_with_its_welcome(office: Office, licensed: Licensed) -> None:
    ann = await loses_one(office, licensed, parked=True)
    assert not await office.close(ann)  # an older life of the session
    back = await office.attach("ann", "ann")
    assert isinstance(back, Granted)
    assert [seat.product for seat in back.seats] == ["EMAIL"]
    assert back.need == ("EMAIL",)
    assert back.losing == 0
    assert await held(office) == 1
    assert await office.store.let_go("acme", session="ann", fence=back.fence, order=0)
    assert await held(office) == 0


async def test_a_node_that_slept_over_it_does_not_take_the_session_back(
    office: Office, licensed: Licensed
) -> None:
    """The order that told of the loss is gone with the node's lease."""
    await loses_one(office, licensed)
    await office.pass_ms(office.store.options.node_lease_ms + 1, "n2")
    assert (await office.sweep((await office.beat("n2")).due))[0] == ["ann"]
    await office.beat("n2")
    await office.beat("n1")
    assert await lost_by(office.store, "n1", {"ann": 1}) == ["ann"]
    assert isinstance(await office.attach("ann", "ann"), Granted)


@pytest.mark.parametrize("end", ["close", "kick", "linger"])
async def test_whatever_ends_the_session_ends_it_too(office: Office, licensed: Licensed, end: str) -> None:
    ann = await loses_one(office, licensed)
    if end == "close":
        await office.close(ann)
    elif end == "kick":
        await office.kick(user=person("ann"))
        assert await held(office) == 1
        await office.close(ann)
    else:
        await office.park(ann)
        await office.pass_ms(office.store.options.linger_ms + 10_000, "n1")
        await office.sweep((await office.beat("n1")).due)
    assert await office.states() == {}
    assert await held(office) == 0


async def test_an_add_on_goes_with_its_base(office: Office, licensed: Licensed) -> None:
    policy = {"on_remove": "evict"}
    await licensed("CALL_CENTER", 2, id="cc")
    await licensed("phone_system", 2, id="base", policy=policy)
    await licensed("device_desktop_app", 2, id="desk")
    ann = await office.open("ann", "CALL_CENTER", session="ann")
    assert isinstance(await office.acquire(ann, "ann", "device_desktop_app"), Granted)
    await office.store.drop_license("acme", "base")
    assert await look(office, "base") == 1
    (order,) = await told(office)
    assert sorted(seat.product for seat in order.seats) == ["device_desktop_app", "phone_system"]
    assert await office.used("desk") == 1
    assert await office.store.let_go("acme", session="ann", fence=1, order=order.number)
    assert await office.used("desk") == 0
