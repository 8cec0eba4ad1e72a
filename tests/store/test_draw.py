"""Which license a seat is drawn on, and the reason when there is none."""

from __future__ import annotations

import pytest

from seatd.store.values import Denied, Granted
from tests.conftest import NOW_MS, Clock
from tests.licenses import FROM_MS, TILL_MS, Licensed
from tests.store.office import DAYS_MS, Office, drawn, person

TWO_DOMAINS = ("acme.example", "acme.test")


async def test_a_seat_names_its_license_and_its_end(office: Office, licensed: Licensed) -> None:
    id_ = await licensed("CALL_CENTER", 1)
    (seat,) = (await office.open("alice", "CALL_CENTER")).seats
    assert (seat.product, seat.license, seat.kind) == ("CALL_CENTER", id_, "competitive")
    assert (seat.holder, seat.since_ms, seat.until_ms) == (person("alice"), NOW_MS, TILL_MS)
    assert not seat.overdraft


async def test_one_user_on_three_devices_is_one_seat(office: Office, licensed: Licensed) -> None:
    id_ = await licensed("CALL_CENTER", 1)
    for device, kind in (("d1", "desktop"), ("d2", "mobile"), ("d3", "web_phone")):
        await office.open("alice", "CALL_CENTER", device=device, kind=kind)
    assert await office.used(id_) == 1
    assert (await office.refused("bob", "CALL_CENTER")).code == "no_seat"


async def test_a_full_license_says_how_full_and_shows_own_sessions(
    office: Office, licensed: Licensed
) -> None:
    await licensed("CALL_CENTER", 2)
    await licensed("CALL_MANAGER", 5)
    own = await office.open("carol", "CALL_MANAGER")
    for name in ("alice", "bob"):
        await office.open(name, "CALL_CENTER")
    denied = await office.refused("carol", "CALL_CENTER", device="d2")
    assert (denied.code, denied.product, denied.limit, denied.used) == ("no_seat", "CALL_CENTER", 2, 2)
    assert [(item.session, item.seats) for item in denied.holders] == [(own.session, own.seats)]


# -- several licenses of a product ----------------------------------------------------------------


async def test_fewest_domains_are_drawn_on_first(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 1, id="a-wide", domains=TWO_DOMAINS)
    await licensed("CALL_CENTER", 1, id="b-narrow")
    assert drawn(await office.open("alice", "CALL_CENTER")) == [("CALL_CENTER", "b-narrow")]
    assert drawn(await office.open("bob", "CALL_CENTER")) == [("CALL_CENTER", "a-wide")]


async def test_then_the_one_that_ends_soonest(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 1, id="a-later", valid_till_ms=TILL_MS)
    await licensed("CALL_CENTER", 1, id="b-sooner", valid_till_ms=NOW_MS + DAYS_MS)
    assert drawn(await office.open("alice", "CALL_CENTER")) == [("CALL_CENTER", "b-sooner")]


async def test_then_by_id(office: Office, licensed: Licensed) -> None:
    for id_ in ("b", "a", "c"):
        await licensed("CALL_CENTER", 1, id=id_)
    order = [drawn(await office.open(name, "CALL_CENTER"))[0][1] for name in ("alice", "bob", "carol")]
    assert order == ["a", "b", "c"]


async def test_sum_draws_on_all_licenses(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 1)
    await licensed("CALL_CENTER", 2)
    for name in ("alice", "bob", "carol"):
        await office.open(name, "CALL_CENTER")
    denied = await office.refused("dave", "CALL_CENTER")
    assert (denied.limit, denied.used) == (3, 3)


async def test_max_draws_on_the_largest_only(office: Office, licensed: Licensed) -> None:
    await licensed("EMAIL", 1, id="small")
    await licensed("EMAIL", 2, id="large")
    for name in ("alice", "bob"):
        assert drawn(await office.open(name, "EMAIL")) == [("EMAIL", "large")]
    denied = await office.refused("carol", "EMAIL")
    assert (denied.code, denied.limit, denied.used) == ("no_seat", 2, 2)


async def test_max_counts_seats_on_the_other_licenses_too(office: Office, licensed: Licensed) -> None:
    await licensed("EMAIL", 1, id="first")
    await office.open("alice", "EMAIL")
    await licensed("EMAIL", 2, id="larger")
    assert drawn(await office.open("bob", "EMAIL")) == [("EMAIL", "larger")]
    assert (await office.refused("carol", "EMAIL")).code == "no_seat"


# -- nominal --------------------------------------------------------------------------------------


async def test_an_assignment_is_used_before_competitive_seats(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 1, id="a-floating")
    await licensed("CALL_CENTER", 1, id="b-named", kind="nominal", domains=TWO_DOMAINS)
    await office.store.assign("acme", "b-named", person("alice"), domain="acme.example")
    assert drawn(await office.open("alice", "CALL_CENTER")) == [("CALL_CENTER", "b-named")]
    assert drawn(await office.open("bob", "CALL_CENTER")) == [("CALL_CENTER", "a-floating")]
    assert (await office.refused("carol", "CALL_CENTER")).code == "no_seat"


async def test_without_an_assignment_a_nominal_license_is_no_use(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 5, kind="nominal")
    assert (await office.refused("alice", "CALL_CENTER")).code == "not_assigned"


async def test_an_assignment_of_a_device_product_is_good_for_one_device(
    office: Office, licensed: Licensed
) -> None:
    await licensed("VOIP_DEVICE", 5, id="voip", kind="nominal")
    await office.store.assign("acme", "voip", person("alice"), domain="acme.example")
    await office.open("alice", "VOIP_DEVICE", kind="ip_phone", device="p1")
    denied = await office.refused("alice", "VOIP_DEVICE", kind="ip_phone", device="p2")
    assert (denied.code, denied.limit, denied.used) == ("no_seat", 1, 1)
    assert isinstance(await office.ask("alice", "VOIP_DEVICE", kind="ip_phone", device="p1"), Granted)


async def test_a_second_device_takes_a_competitive_seat(office: Office, licensed: Licensed) -> None:
    await licensed("VOIP_DEVICE", 5, id="named", kind="nominal")
    await licensed("VOIP_DEVICE", 5, id="floating")
    await office.store.assign("acme", "named", person("alice"), domain="acme.example")
    for device, license in (("p1", "named"), ("p2", "floating"), ("p3", "floating")):
        granted = await office.open("alice", "VOIP_DEVICE", kind="ip_phone", device=device)
        assert drawn(granted) == [("VOIP_DEVICE", license)]
    assert await office.used("floating") == 2


# -- devices --------------------------------------------------------------------------------------


async def phone_system(licensed: Licensed, device_product: str, limit: int = 10) -> None:
    await licensed("phone_system", 10, id="base")
    await licensed(device_product, limit, id="devices")


async def test_several_desktops_of_a_user_are_several_device_seats(
    office: Office, licensed: Licensed
) -> None:
    await phone_system(licensed, "device_desktop_app", limit=3)
    for device in ("d1", "d2", "d3"):
        await office.open("alice", "phone_system", device=device)
    assert (await office.used("base"), await office.used("devices")) == (1, 3)
    denied = await office.refused("alice", "phone_system", device="d4")
    assert (denied.code, denied.product, denied.limit) == ("no_seat", "device_desktop_app", 3)


async def test_at_most_one_web_phone_per_user(office: Office, licensed: Licensed) -> None:
    await phone_system(licensed, "device_web_rtc")
    await office.open("alice", "phone_system", kind="web_phone", device="w1")
    denied = await office.refused("alice", "phone_system", kind="web_phone", device="w2")
    assert (denied.code, denied.product, denied.limit, denied.used) == ("no_seat", "device_web_rtc", 1, 1)
    await office.open("bob", "phone_system", kind="web_phone", device="w2")


async def test_the_one_web_phone_may_sign_in_again_when_it_was_given_an_assignment(
    office: Office, licensed: Licensed
) -> None:
    await phone_system(licensed, "device_web_rtc")
    await office.open("alice", "phone_system", kind="web_phone", device="w1")
    await licensed("device_web_rtc", 1, id="named", kind="nominal")
    await office.store.assign("acme", "named", person("alice"), domain="acme.example")
    again = await office.open("alice", "phone_system", kind="web_phone", device="w1")
    assert ("device_web_rtc", "named") in drawn(again)


async def test_a_web_phone_on_a_withdrawn_license_still_counts_as_one(
    office: Office, licensed: Licensed
) -> None:
    await phone_system(licensed, "device_web_rtc")
    await office.open("alice", "phone_system", kind="web_phone", device="w1")
    await licensed("device_web_rtc", 10, id="other")
    await office.store.drop_license("acme", "devices")
    assert (await office.refused("alice", "phone_system", kind="web_phone", device="w2")).code == "no_seat"


# -- limits, overdraft ----------------------------------------------------------------------------


async def test_overdraft_comes_last_and_is_marked(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 1, id="a", overdraft=1)
    await licensed("CALL_CENTER", 1, id="b")
    granted = [await office.open(name, "CALL_CENTER") for name in ("alice", "bob", "carol")]
    assert [(g.seats[0].license, g.seats[0].overdraft) for g in granted] == [
        ("a", False),
        ("b", False),
        ("a", True),
    ]
    denied = await office.refused("dave", "CALL_CENTER")
    assert (denied.code, denied.limit, denied.used) == ("no_seat", 2, 3)


async def test_overdraft_of_max_is_that_of_the_largest(office: Office, licensed: Licensed) -> None:
    await licensed("EMAIL", 1, id="small", overdraft=5)
    await licensed("EMAIL", 2, id="large", overdraft=1)
    granted = [await office.open(name, "EMAIL") for name in ("alice", "bob", "carol")]
    assert [g.seats[0].overdraft for g in granted] == [False, False, True]
    assert (await office.refused("dave", "EMAIL")).code == "no_seat"


async def test_a_shared_seat_keeps_its_overdraft_mark(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 1, overdraft=1)
    await office.open("alice", "CALL_CENTER")
    first = await office.open("bob", "CALL_CENTER", device="d1")
    second = await office.open("bob", "CALL_CENTER", device="d2")
    assert [first.seats[0].overdraft, second.seats[0].overdraft] == [True, True]


async def test_a_lowered_limit_takes_no_seat_away_and_grants_none(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 3, id="cc")
    sessions = [await office.open(name, "CALL_CENTER") for name in ("alice", "bob", "carol")]
    await licensed("CALL_CENTER", 1, id="cc")
    assert await office.used("cc") == 3
    for session in sessions[:2]:
        assert (await office.refused("dave", "CALL_CENTER")).code == "no_seat"
        await office.close(session)
    assert (await office.refused("dave", "CALL_CENTER")).code == "no_seat"
    await office.close(sessions[2])
    await office.open("dave", "CALL_CENTER")


# -- reasons --------------------------------------------------------------------------------------


async def test_product_without_a_license(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_MANAGER", 5)
    denied = await office.refused("alice", "CALL_CENTER")
    assert (denied.code, denied.product) == ("not_licensed", "CALL_CENTER")


async def test_license_of_another_domain(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 5, domains=("other.example",))
    assert (await office.refused("alice", "CALL_CENTER")).code == "not_licensed"


async def test_license_of_another_customer(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 5, customer="stranger")
    assert (await office.refused("alice", "CALL_CENTER")).code == "not_licensed"


async def test_add_on_without_its_base(office: Office, licensed: Licensed) -> None:
    await licensed("team_chat", 5)
    await licensed("device_desktop_app", 5)
    denied = await office.refused("alice", "team_chat")
    assert (denied.code, denied.product) == ("base_missing", "phone_system")


@pytest.mark.parametrize(
    ("milliseconds", "code"),
    [(-1, "license_not_yet_valid"), (0, None), (DAYS_MS - 1, None), (DAYS_MS, "license_expired")],
)
async def test_a_license_is_good_from_its_first_moment_until_before_its_last(
    office: Office, licensed: Licensed, clock: Clock, milliseconds: int, code: str | None
) -> None:
    from_ms = NOW_MS + DAYS_MS
    await licensed("CALL_CENTER", 5, valid_from_ms=from_ms, valid_till_ms=from_ms + DAYS_MS)
    clock.now_ms = from_ms + milliseconds
    await office.join("n1")
    answer = await office.ask("alice", "CALL_CENTER")
    assert (answer.code if isinstance(answer, Denied) else None) == code


async def test_of_an_ended_and_a_coming_license_the_coming_one_is_told(
    office: Office, licensed: Licensed
) -> None:
    await licensed("CALL_CENTER", 5, valid_till_ms=NOW_MS)
    assert (await office.refused("alice", "CALL_CENTER")).code == "license_expired"
    await licensed("CALL_CENTER", 5, valid_from_ms=NOW_MS + 1)
    assert (await office.refused("alice", "CALL_CENTER")).code == "license_not_yet_valid"


async def test_an_ended_license_is_passed_over(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 5, id="a-ended", valid_from_ms=FROM_MS, valid_till_ms=NOW_MS)
    await licensed("CALL_CENTER", 5, id="b-good")
    assert drawn(await office.open("alice", "CALL_CENTER")) == [("CALL_CENTER", "b-good")]


async def test_sessions_keep_their_seats_when_the_license_ends(
    office: Office, licensed: Licensed, clock: Clock
) -> None:
    await licensed("CALL_CENTER", 5, id="cc", valid_till_ms=NOW_MS + 1000)
    await office.open("alice", "CALL_CENTER")
    clock.pass_ms(1000)
    assert (await office.refused("bob", "CALL_CENTER")).code == "license_expired"
    assert await office.used("cc") == 1
