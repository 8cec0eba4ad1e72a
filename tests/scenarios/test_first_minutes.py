"""The story of the first minutes: two seats, three people, and an administrator."""

from __future__ import annotations

import asyncio

from seatd_protocol.messages import Ack, Logout, Welcome
from tests.scenarios.company import Company
from tests.scenarios.conftest import Pair

COOLDOWN_S = 1


async def test_two_seats_three_people_and_an_administrator(pair: Pair, company: Company) -> None:
    (license_id,) = await company.licensed("CALL_CENTER:competitive:2")

    ann = await company.sign_in(pair.a, "ann", "CALL_CENTER")
    bob = await company.sign_in(pair.b, "bob", "CALL_CENTER", protocol="seatd.v1.json")
    assert [seat.license for seat in ann.seats + bob.seats] == [license_id, license_id]
    assert (ann.welcome.user, ann.welcome.domain, ann.welcome.node) == (
        company.user("ann"),
        company.domain,
        "a",
    )
    assert ann.welcome.session != bob.welcome.session

    eve = await company.sign_in(pair.a, "eve", "CALL_CENTER")
    assert (eve.denied.code, eve.denied.product) == ("no_seat", "CALL_CENTER")
    assert (eve.denied.limit, eve.denied.used) == (2, 2)
    assert await eve.closed() == 4300

    assert await bob.bye() == 1000
    eve = await company.sign_in(pair.b, "eve", "CALL_CENTER")
    assert len(eve.seats) == 1

    call = asyncio.create_task(
        pair.b.call(
            "POST",
            "/api/v1/logout",
            {"users": [company.user("ann")], "reason": "lunch", "cooldown_s": COOLDOWN_S},
        )
    )
    order = await ann.until(Logout)
    assert (order.code, order.message, order.cooldown_s) == ("forced", "lunch", COOLDOWN_S)
    assert order.by
    await ann.say(Ack(order=order.order))
    assert await ann.closed() == 4302
    (receipt,) = (await call)["sessions"]
    assert (receipt["session"], receipt["node"]) == (ann.welcome.session, "a")
    assert (receipt["delivered"], receipt["acknowledged"]) == (True, True)

    again = await company.sign_in(pair.b, "ann", "CALL_CENTER")
    assert again.denied.code == "cooldown"
    assert again.denied.retry_after_s == COOLDOWN_S
    assert await again.closed() == 4300
    await asyncio.sleep(COOLDOWN_S)
    again = await company.sign_in(pair.b, "ann", "CALL_CENTER")
    assert isinstance(again.first, Welcome)
    assert await company.used() == 2
