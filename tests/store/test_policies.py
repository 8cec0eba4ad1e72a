"""What becomes of seats when their license ends, shrinks or is withdrawn: who goes, when, and when the seat is free."""

from __future__ import annotations

from typing import Any

import pytest

from seatd.store.values import Granted
from tests.licenses import DOMAIN, TILL_MS, Licensed
from tests.store.endings import due, ends_in, look, signed_in, told
from tests.store.office import CATALOG, DAYS_MS, Office, person

DEADLINE_MS = 8 * 3600 * 1000
MINUTE_MS = 60_000


# -- a limit is lowered ---------------------------------------------------------------------------


async def test_the_newest_go_and_exactly_as_many_as_are_too_many(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 100, id="cc")
    names = [f"u{number:03}" for number in range(100)]
    sessions = await signed_in(office, *names)
    await licensed("CALL_CENTER", 40, id="cc", policy={"on_lower": "evict"})
    assert await due(office) == ["cc"]
    assert await look(office) == 60
    assert await look(office) == 0
    assert await office.used("cc") == 100

    orders = await told(office)
    assert [(order.type, order.code) for order in orders] == [("logout", "license_ended")] * 60
    assert {order.session for order in orders} == set(names[40:])
    for left, session in enumerate(sessions[40:], 1):
        assert (await office.refused("zoe", "CALL_CENTER")).code == "no_seat"
        assert await office.close(session, acknowledged=True)
        assert await office.used("cc") == 100 - left
    assert await look(office) == 0
    await office.close(sessions[0])
    assert isinstance(await office.ask("zoe", "CALL_CENTER"), Granted)


async def test_many_are_ended_in_portions_and_by_several_nodes_at_once(
    office: Office, licensed: Licensed
) -> None:
    await licensed("CALL_CENTER", 500, id="cc")
    await signed_in(office, *[f"u{number:03}" for number in range(450)])
    await licensed("CALL_CENTER", 10, id="cc", policy={"on_lower": "evict"})
    one = await office.store.review(office.customer, "cc")
    other = await office.store.review(office.customer, "cc")
    assert one.excess == 440
    ended = 0
    for review in (one, other):
        holders = [item.holder for item in review.holders]
        ended += await office.store.enforce(office.customer, "cc", holders, CATALOG.bases)
    assert ended == 440
    states = await office.store.sessions(customer=office.customer, size=500)
    stayed = sorted(row.session for row in states.items if row.state == "attached")
    assert stayed == [f"u{number:03}" for number in range(10)]


async def test_who_stays_and_leaves_by_himself_spares_another(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 3, id="cc")
    ann, *_ = await signed_in(office, "ann", "bob", "eve")
    await licensed("CALL_CENTER", 1, id="cc", policy={"on_lower": "evict"})
    review = await office.store.review(office.customer, "cc")
    await office.close(ann)
    holders = [item.holder for item in review.holders]
    assert await office.store.enforce(office.customer, "cc", holders, CATALOG.bases) == 1
    assert await office.states() == {"bob": "attached", "eve": "draining"}


async def test_by_default_holders_stay_until_the_deadline(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 2, id="cc")
    await signed_in(office, "ann", "bob")
    await licensed("CALL_CENTER", 1, id="cc")
    assert await look(office) == 0
    assert await due(office) == []
    assert (await office.refused("eve", "CALL_CENTER")).code == "no_seat"
    office.clock.pass_ms(DEADLINE_MS - 100)
    await office.join("n1")
    assert await look(office) == 0
    office.clock.pass_ms(100)
    await office.join("n1")
    assert await due(office) == ["cc"]
    assert await look(office) == 1
    assert await office.states() == {"ann": "attached", "bob": "draining"}


async def test_a_limit_that_is_raised_again_in_time_ends_nobody(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 2, id="cc")
    await signed_in(office, "ann", "bob")
    await licensed("CALL_CENTER", 1, id="cc", policy={"deadline_s": 10})
    await licensed("CALL_CENTER", 2, id="cc", policy={"deadline_s": 10})
    office.clock.pass_ms(11_000)
    assert await look(office) == 0
    await licensed("CALL_CENTER", 1, id="cc", policy={"deadline_s": 10})
    assert await look(office) == 0  # the time begins anew


async def test_overdraft_counts_as_part_of_the_limit(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 4, id="cc")
    await signed_in(office, "ann", "bob", "eve", "zoe")
    await licensed("CALL_CENTER", 2, id="cc", overdraft=1, policy={"on_lower": "evict"})
    assert await look(office) == 1
    assert (await office.states())["zoe"] == "draining"


async def test_a_shared_seat_goes_as_a_whole_and_counts_from_its_first_session(
    office: Office, licensed: Licensed
) -> None:
    await licensed("CALL_CENTER", 2, id="cc")
    await signed_in(office, "ann", "bob")
    await office.open("ann", "CALL_CENTER", device="d2", session="ann-2")
    await licensed("CALL_CENTER", 1, id="cc", policy={"on_lower": "evict"})
    assert await look(office) == 1
    assert await office.states() == {"ann": "attached", "ann-2": "attached", "bob": "draining"}


async def test_a_seat_that_is_given_up_is_not_shared(office: Office, licensed: Licensed) -> None:
    """Or else whoever is told to go could stay by signing in on another device."""
    await licensed("CALL_CENTER", 2, id="cc")
    await signed_in(office, "ann", "bob")
    await licensed("CALL_CENTER", 1, id="cc", policy={"on_lower": "evict"})
    await look(office)
    assert (await office.refused("bob", "CALL_CENTER", device="d2")).code == "no_seat"
    assert isinstance(await office.ask("ann", "CALL_CENTER", device="d2"), Granted)


# -- a license ends -------------------------------------------------------------------------------


async def test_at_its_end_all_go(office: Office, licensed: Licensed) -> None:
    await ends_in(office, licensed, 5000, on_expiry="evict")
    sessions = await signed_in(office, "ann", "bob")
    await office.close(sessions[0])
    await office.pass_ms(4000, "n1")
    assert await look(office) == 0
    beat = await office.beat("n1")
    assert beat.next_ms == office.clock.now_ms + 998
    office.clock.pass_ms(998)
    assert await due(office) == ["cc"]
    assert await look(office) == 1
    assert await look(office) == 0
    assert (await office.refused("zoe", "CALL_CENTER")).code == "license_expired"
    await office.close(sessions[1])
    await look(office)
    await office.pass_ms(DAYS_MS // 8640, "n1")
    assert await due(office) == []


async def test_a_later_end_saves_everybody(office: Office, licensed: Licensed) -> None:
    await ends_in(office, licensed, 5000, on_expiry="evict")
    await signed_in(office, "ann")
    review = await office.store.review(office.customer, "cc")
    office.clock.pass_ms(5000)
    await licensed("CALL_CENTER", 3, id="cc", policy={"on_expiry": "evict"})
    holders = [item.holder for item in review.holders] or [person("ann")]
    assert await office.store.enforce(office.customer, "cc", holders, CATALOG.bases) == 0


async def test_after_the_call(office: Office, licensed: Licensed) -> None:
    await ends_in(office, licensed, 5000, on_expiry="after_call", deadline_s=3600)
    ann, bob, _ = await signed_in(office, "ann", "bob", "eve")
    for session in (ann, bob):
        told = {"session": session.session, "fence": session.fence}
        assert await office.store.busy("acme", **told, busy=True) == []
    await office.pass_ms(5000, "n1", "n2")
    assert await look(office) == 1
    assert (await office.states())["eve"] == "draining"
    # The call goes on over another node, and after the connection was lost.
    await office.park(ann)
    resumed = await office.attach("ann", "ann")
    assert isinstance(resumed, Granted)
    assert resumed.busy
    assert await look(office) == 0
    assert await office.store.busy("acme", session="ann", fence=2, busy=False) == ["cc"]
    assert await look(office) == 1
    assert (await office.states())["ann"] == "draining"
    office.clock.pass_ms(3600 * 1000)
    await office.join("n1", "n2")
    assert await look(office) == 1  # whatever the call


async def test_a_call_of_somebody_else_s_session_is_not_ours_to_end(
    office: Office, licensed: Licensed
) -> None:
    await licensed("CALL_CENTER", 2, id="cc")
    await signed_in(office, "ann")
    assert await office.store.busy("acme", session="ann", fence=2, busy=True) is None
    assert await office.store.busy("acme", session="bob", fence=1, busy=True) is None


async def test_holders_are_warned_a_day_an_hour_and_five_minutes_before(
    office: Office, licensed: Licensed
) -> None:
    await ends_in(office, licensed, 2 * DAYS_MS)
    till_ms = office.clock.now_ms + 2 * DAYS_MS
    for before_ms in (DAYS_MS, 60 * MINUTE_MS, 5 * MINUTE_MS):
        office.clock.now_ms = till_ms - before_ms - 1
        assert await due(office) == []
        office.clock.pass_ms(1)
        await office.join("n1", "n2")
        assert await due(office) == ["cc"]
        await look(office)
        await look(office)  # once is enough
        for node in ("n1", "n2"):
            (order,) = await told(office, node)
            assert (order.type, order.code, order.license, order.until_ms) == (
                "notice", "license_expiring", "cc", till_ms
            )  # fmt: skip
    office.clock.now_ms = till_ms
    assert await due(office) == ["cc"]
    await look(office)
    assert await told(office) == []
    assert await due(office) == []  # nobody holds it


async def test_a_key_that_brings_the_end_near_warns_at_once(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 2, id="cc")
    await signed_in(office, "ann")
    await ends_in(office, licensed, 60 * MINUTE_MS)
    assert await due(office) == ["cc"]
    await look(office)
    assert [order.code for order in await told(office)] == ["license_expiring"]
    assert await due(office) == []


# -- a license is withdrawn, or no longer covers somebody --------------------------------------------


@pytest.mark.parametrize(("policy", "ended"), [({}, 0), ({"on_remove": "evict"}, 2)])
async def test_withdrawn(office: Office, licensed: Licensed, policy: dict[str, Any], ended: int) -> None:
    await licensed("CALL_CENTER", 2, id="cc", policy=policy)
    await signed_in(office, "ann", "bob")
    assert await office.store.drop_license("acme", "cc")
    assert await due(office) == ["cc"]
    assert await look(office) == ended
    assert (await office.refused("ann", "CALL_CENTER", device="d2")).code == "not_licensed"
    office.clock.pass_ms(DEADLINE_MS)
    await office.join("n1")
    assert await due(office) == ["cc"]
    assert await look(office) == 2 - ended
    for name in ("ann", "bob"):
        assert await office.store.close("acme", session=name, fence=1)
    await look(office)
    assert await office.store.client.exists(f"seatd:{{{office.partition:02}}}:c:acme:withdrawn") == 0
    office.clock.pass_ms(DAYS_MS)
    assert await due(office) == []


async def test_a_withdrawn_license_that_comes_back_takes_its_holders_back(
    office: Office, licensed: Licensed
) -> None:
    await licensed("CALL_CENTER", 2, id="cc", policy={"on_remove": "evict"})
    await signed_in(office, "ann")
    await office.store.drop_license("acme", "cc")
    await licensed("CALL_CENTER", 2, id="cc", policy={"on_remove": "evict"})
    assert await look(office) == 0
    assert await office.used("cc") == 1


async def test_a_domain_is_taken_away(office: Office, licensed: Licensed) -> None:
    both = (DOMAIN, "other.test")
    await licensed("CALL_CENTER", 3, id="cc", domains=both)
    await signed_in(office, "ann", "bob")
    await office.open("eve", "CALL_CENTER", user="eve@other.test", session="eve")
    await licensed("CALL_CENTER", 2, id="cc", policy={"on_remove": "evict", "on_lower": "evict"})
    assert await look(office) == 1
    assert await office.states() == {"ann": "attached", "bob": "attached", "eve": "draining"}
    await office.store.close("acme", session="eve", fence=1)
    for _ in range(8):
        await office.pass_ms(10_000, "n1")
        await look(office)
    assert await due(office) == []
    assert await office.used("cc") == 2


async def test_nothing_is_taken_while_the_store_recovers(office: Office, licensed: Licensed) -> None:
    await ends_in(office, licensed, 1000, on_expiry="evict")
    await signed_in(office, "ann")
    key = f"seatd:{{{office.partition:02}}}:meta"
    await office.store.client.hset(key, "replid", "f" * 40)
    await office.pass_ms(1000, "n1")
    assert await due(office) == []
    assert await look(office) == 0
    assert await office.store.enforce("acme", "cc", [person("ann")], {}) == 0
    await office.pass_ms(office.store.options.recovery_ms, "n1")
    assert await due(office) == ["cc"]
    assert await look(office) == 1


async def test_unknown_licenses_are_nobodys_business(office: Office) -> None:
    assert await look(office, "nothing") == 0


async def test_nominal_seats_are_judged_by_who_is_there(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 2, id="cc", kind="nominal")
    for name in ("ann", "bob"):
        await office.store.assign("acme", "cc", person(name), domain=DOMAIN)
    await signed_in(office, "ann", "bob")
    await licensed("CALL_CENTER", 1, id="cc", kind="nominal", policy={"on_lower": "evict"})
    assert await look(office) == 1
    assert await office.states() == {"ann": "attached", "bob": "draining"}
    assert (await office.refused("bob", "CALL_CENTER", device="d2")).code == "no_seat"


def test_the_tests_licenses_last() -> None:
    assert TILL_MS > 2 * DAYS_MS
