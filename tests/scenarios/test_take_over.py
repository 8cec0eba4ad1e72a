"""A user ends an own session from another device; nobody ends anybody else's."""

from __future__ import annotations

import pytest

from seatd_protocol.messages import Denied, Error, Sessions, TakeOver, Welcome
from tests.scenarios.client import Closed
from tests.scenarios.company import Company
from tests.scenarios.conftest import Pair

PHONE = "VOIP_DEVICE"


async def test_the_other_device_is_closed_and_its_seat_is_free(pair: Pair, company: Company) -> None:
    """VOIP_DEVICE counts devices: with one seat, the second phone of a user needs the first one's."""
    await company.licensed(f"{PHONE}:competitive:1", "CALL_CENTER:competitive:1")
    desk = await company.sign_in(pair.a, "ann", PHONE, kind="ip_phone", device="desk")
    home = await company.sign_in(pair.b, "ann", "CALL_CENTER", kind="ip_phone", device="home")
    refused = await company.sign_in(pair.b, "ann", PHONE, kind="ip_phone", device="third")
    assert refused.denied.code == "no_seat"
    own = {info.session: info.device.id for info in refused.denied.holders}
    assert own == {desk.welcome.session: "desk", home.welcome.session: "home"}

    await home.say(TakeOver(ref=5, session=desk.welcome.session))
    answer = await home.until(Sessions)
    assert answer.ref == 5
    assert [(info.session, info.device.id) for info in answer.sessions] == [(home.welcome.session, "home")]
    assert await desk.recv() == Closed(4301, "replaced")
    assert await company.used(PHONE) == 0
    third = await company.sign_in(pair.a, "ann", PHONE, kind="ip_phone", device="third")
    assert isinstance(third.first, Welcome)
    assert home.heard_nothing()


@pytest.mark.parametrize("whose", ["a stranger's", "an own one that is gone", "this one", "no one's"])
async def test_what_cannot_be_taken_over(pair: Pair, company: Company, whose: str) -> None:
    await company.licensed("CALL_CENTER:competitive:3")
    ann = await company.sign_in(pair.a, "ann", "CALL_CENTER")
    bob = await company.sign_in(pair.b, "bob", "CALL_CENTER")
    gone = await company.sign_in(pair.b, "ann", device="d2")
    await gone.bye()
    session = {
        "a stranger's": bob.welcome.session,
        "an own one that is gone": gone.welcome.session,
        "this one": ann.welcome.session,
        "no one's": "nobody",
    }[whose]
    await ann.say(TakeOver(ref=1, session=session))
    error = await ann.until(Error)
    assert (error.code, error.ref, error.temporary) == ("unknown_session", 1, False)
    assert bob.heard_nothing()
    assert await company.used() == 2


async def test_the_same_user_name_of_another_customer_is_a_stranger(pair: Pair, company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:3")
    ann = await company.sign_in(pair.a, "ann", "CALL_CENTER")
    foreign = await company.sign_in(pair.a, "ann", token=company.token("ann", customer="elsewhere"))
    await foreign.say(TakeOver(ref=1, session=ann.welcome.session))
    assert (await foreign.until(Error)).code == "unknown_session"
    assert ann.heard_nothing()


async def test_taking_over_a_session_without_socket(pair: Pair, company: Company) -> None:
    """It cannot be resumed any more, whatever it still knew."""
    await company.licensed("CALL_CENTER:competitive:1")
    lost = await company.sign_in(pair.a, "ann", "CALL_CENTER", device="d1")
    lost.drop()
    here = await company.sign_in(pair.b, "ann", "CALL_CENTER", device="d2")
    await here.say(TakeOver(ref=1, session=lost.welcome.session))
    assert [info.session for info in (await here.until(Sessions)).sessions] == [here.welcome.session]
    back = await company.sign_in(pair.a, "ann", "CALL_CENTER", device="d1", resume=lost.resume)
    assert not back.welcome.resumed
    assert not isinstance((await company.sign_in(pair.a, "ann", "CALL_CENTER", device="d3")).first, Denied)
    assert await company.used() == 1
