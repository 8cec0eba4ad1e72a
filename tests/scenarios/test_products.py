"""Products in a session: need and want, acquire and release, add-ons and their base, sections, nominal seats."""

from __future__ import annotations

from seatd_protocol.messages import Acquire, Denied, Error, Granted, Release, Released, Welcome
from tests.scenarios.company import Company
from tests.scenarios.conftest import Pair


def names(seats: tuple[object, ...]) -> set[str]:
    return {seat.product for seat in seats}  # type: ignore[attr-defined]


async def test_need_is_all_or_nothing(pair: Pair, company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:5", "CALL_MANAGER:competitive:1")
    first = await company.sign_in(pair.a, "ann", "CALL_CENTER", "CALL_MANAGER")
    assert names(first.seats) == {"CALL_CENTER", "CALL_MANAGER"}
    second = await company.sign_in(pair.b, "bob", "CALL_CENTER", "CALL_MANAGER")
    assert (second.denied.code, second.denied.product) == ("no_seat", "CALL_MANAGER")
    assert (await company.used("CALL_CENTER"), await company.used("CALL_MANAGER")) == (1, 1)


async def test_want_is_given_as_far_as_there_is_room(pair: Pair, company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:5", "CALL_MANAGER:competitive:1")
    want = ["CALL_MANAGER", "QUALITY_AUDITOR", "NO_SUCH_PRODUCT", "VOIP_DEVICE"]
    first = await company.sign_in(pair.a, "ann", "CALL_CENTER", want=want)
    assert names(first.seats) == {"CALL_CENTER", "CALL_MANAGER"}
    second = await company.sign_in(pair.b, "bob", "CALL_CENTER", want=want)
    assert names(second.seats) == {"CALL_CENTER"}


async def test_acquire_and_release_within_a_session(pair: Pair, company: Company) -> None:
    await company.licensed(
        "CALL_CENTER:competitive:5", "CALL_MANAGER:competitive:1", "QUALITY_AUDITOR:competitive:5"
    )
    ann = await company.sign_in(pair.a, "ann", "CALL_CENTER")
    assert "cc_audit_form" not in ann.welcome.sections
    await ann.say(Acquire(ref=1, products=("CALL_MANAGER", "QUALITY_AUDITOR")))
    granted = await ann.until(Granted)
    assert (granted.ref, names(granted.seats)) == (1, {"CALL_MANAGER", "QUALITY_AUDITOR"})
    assert set(granted.sections) == {*ann.welcome.sections, "cc_audit_form"}

    bob = await company.sign_in(pair.b, "bob")
    await bob.say(Acquire(ref=7, products=("QUALITY_AUDITOR", "CALL_MANAGER")))
    denied = await bob.until(Denied)
    assert (denied.ref, denied.code, denied.product) == (7, "no_seat", "CALL_MANAGER")
    assert await company.used("QUALITY_AUDITOR") == 1

    await ann.say(Release(ref=2, products=("CALL_MANAGER", "CALL_CENTER")))
    released = await ann.until(Released)
    assert (released.ref, set(released.products)) == (2, {"CALL_CENTER", "CALL_MANAGER"})
    assert released.sections == ("cc_audit_form",)

    await bob.say(Acquire(ref=8, products=("CALL_MANAGER",)))
    assert names((await bob.until(Granted)).seats) == {"CALL_MANAGER"}
    await ann.say(Release(ref=3, products=("CALL_MANAGER",)))
    assert ((await ann.until(Error)).code, await company.used("CALL_MANAGER")) == ("not_held", 1)


async def test_acquiring_what_is_held_already_is_granted_again(pair: Pair, company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    ann = await company.sign_in(pair.a, "ann", "CALL_CENTER")
    await ann.say(Acquire(ref=1, products=("CALL_CENTER",)))
    assert (await ann.until(Granted)).seats == ann.seats
    assert await company.used() == 1


async def test_a_refused_acquire_leaves_the_session_as_it_is(pair: Pair, company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    token = company.token("ann", products=["CALL_CENTER", "MOBILE", "NO_SUCH_PRODUCT"])
    ann = await company.sign_in(pair.a, "ann", "CALL_CENTER", token=token)
    codes = {}
    for ref, product in enumerate(("NO_SUCH_PRODUCT", "MOBILE", "CALL_MANAGER")):
        await ann.say(Acquire(ref=ref, products=(product,)))
        denied = await ann.until(Denied)
        assert (denied.ref, denied.product) == (ref, product)
        codes[product] = denied.code
    assert codes == {
        "NO_SUCH_PRODUCT": "not_licensed",
        "MOBILE": "device_not_allowed",
        "CALL_MANAGER": "not_entitled",
    }
    assert await company.used() == 1
    assert await ann.bye() == 1000


async def test_an_add_on_draws_its_base_and_its_device(pair: Pair, company: Company) -> None:
    await company.licensed(
        "phone_system:competitive:2", "device_desktop_app:competitive:1", "call_recording:competitive:2"
    )
    ann = await company.sign_in(pair.a, "ann", "call_recording")
    assert names(ann.seats) == {"call_recording", "phone_system", "device_desktop_app"}
    bob = await company.sign_in(pair.b, "bob", "call_recording")
    assert (bob.denied.code, bob.denied.product) == ("no_seat", "device_desktop_app")

    await ann.say(Release(ref=1, products=("phone_system",)))
    released = await ann.until(Released)
    assert set(released.products) == {"phone_system", "call_recording", "device_desktop_app"}
    assert [row["used"] for row in await company.rows()] == [0, 0, 0]


async def test_an_add_on_without_its_base(pair: Pair, company: Company) -> None:
    await company.licensed("call_recording:competitive:2", "device_desktop_app:competitive:2")
    ann = await company.sign_in(pair.a, "ann", "call_recording")
    assert (ann.denied.code, ann.denied.product) == ("base_missing", "phone_system")
    assert ann.denied.message


async def test_a_nominal_license_is_for_whom_it_is_assigned_to(pair: Pair, company: Company) -> None:
    (license_id,) = await company.licensed("CALL_CENTER:nominal:1")
    ann = await company.sign_in(pair.a, "ann", "CALL_CENTER")
    assert ann.denied.code == "not_assigned"
    await pair.b.call("PUT", f"/api/v1/licenses/{license_id}/users/{company.user('ann')}")
    ann = await company.sign_in(pair.a, "ann", "CALL_CENTER")
    assert [(seat.kind, seat.license) for seat in ann.seats] == [("nominal", license_id)]
    (row,) = await company.rows()
    assert (row["used"], row["online"]) == (1, 1)
    await ann.bye()
    (row,) = await company.rows()
    assert (row["used"], row["online"]) == (1, 0)
    await pair.b.call("DELETE", f"/api/v1/licenses/{license_id}/users/{company.user('ann')}")
    assert (await company.sign_in(pair.a, "ann", "CALL_CENTER")).denied.code == "not_assigned"


async def test_a_nominal_seat_comes_before_a_competitive_one(pair: Pair, company: Company) -> None:
    nominal, competitive = await company.licensed("CALL_CENTER:nominal:1", "CALL_CENTER:competitive:1")
    await pair.a.call("PUT", f"/api/v1/licenses/{nominal}/users/{company.user('ann')}")
    ann = await company.sign_in(pair.a, "ann", "CALL_CENTER")
    bob = await company.sign_in(pair.b, "bob", "CALL_CENTER")
    assert [client.seats[0].license for client in (ann, bob)] == [nominal, competitive]


async def test_a_withdrawn_license_gives_no_new_seats(pair: Pair, company: Company) -> None:
    (license_id,) = await company.licensed("CALL_CENTER:competitive:5")
    ann = await company.sign_in(pair.a, "ann", "CALL_CENTER")
    await pair.b.call("DELETE", f"/api/v1/licenses/{license_id}")
    assert (await company.sign_in(pair.a, "bob", "CALL_CENTER")).denied.code == "not_licensed"
    assert await ann.bye() == 1000


async def test_the_emergency_path_is_never_behind_a_seat(pair: Pair, company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    await company.sign_in(pair.a, "bob", "CALL_CENTER")
    ann = await company.sign_in(pair.b, "ann", "CALL_CENTER", allow_unseated=True)
    assert ann.denied.code == "no_seat"
    welcome = await ann.until(Welcome)
    assert (welcome.seats, welcome.sections, welcome.resumed) == ((), (), False)
    assert await company.used() == 1
    await ann.say(Acquire(ref=1, products=("CALL_CENTER",)))
    assert (await ann.until(Denied)).code == "no_seat"
    assert await ann.bye() == 1000
    assert len(await company.sessions()) == 1


async def test_the_emergency_path_is_open_in_the_cool_down(pair: Pair, company: Company) -> None:
    """A user who was forced out may still call for help, and gets no seat by that way."""
    await company.licensed("CALL_CENTER:competitive:1")
    ann = await company.sign_in(pair.a, "ann", "CALL_CENTER", acks=True)
    await pair.b.call("POST", "/api/v1/logout", {"users": [company.user("ann")], "cooldown_s": 60})
    await ann.closed()
    ann = await company.sign_in(pair.b, "ann", "CALL_CENTER", allow_unseated=True)
    assert ann.denied.code == "cooldown"
    assert (await ann.until(Welcome)).seats == ()
    await ann.say(Acquire(ref=1, products=("CALL_CENTER",)))
    assert (await ann.until(Denied)).code == "cooldown"
    assert await company.used() == 0
