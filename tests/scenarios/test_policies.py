"""Licenses that end, shrink or go while people work on two nodes, as they and the registry see it."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from typing import Any

from seatd_protocol.messages import Busy, Changed, Logout, Notice, Queued
from tests.scenarios.client import Client
from tests.scenarios.company import Company
from tests.scenarios.conftest import Pair
from tests.servers import eventually

CC = "CALL_CENTER"


def soon() -> str:
    """A moment one to two seconds from now, as a license says it."""
    return datetime.fromtimestamp(math.ceil(time.time() + 1), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def everybody(company: Company, *names: str, **hello: Any) -> list[Client]:
    """These users, one after the other, on either node in turn."""
    return [
        await company.sign_in(company.nodes[number % len(company.nodes)], name, CC, acks=True, **hello)
        for number, name in enumerate(names)
    ]


async def sent_away(client: Client) -> str:
    """What a client is told that loses its session with its license."""
    logout = await client.until(Logout)
    assert (logout.code, logout.cooldown_s) == ("license_ended", 0)
    assert await client.closed() == 4303
    return logout.message


async def test_a_license_that_ends_ends_its_sessions(pair: Pair, company: Company) -> None:
    await company.licensed(f"{CC}:competitive:5", valid_till=soon(), policy={"on_expiry": "evict"})
    clients = await everybody(company, "ann", "bob", "eve")
    notice = await clients[0].until(Notice)
    assert notice.code == "license_expiring"
    for client in clients:
        assert await sent_away(client) == f"The license of {CC} has ended."
    late = await company.sign_in(pair.b, "zoe", CC)
    assert late.denied.code == "license_expired"
    assert await company.sessions() == []


async def test_of_a_smaller_license_the_newest_go(pair: Pair, company: Company) -> None:
    ids = await company.licensed(f"{CC}:competitive:6")
    clients = await everybody(company, "a1", "a2", "a3", "a4", "a5", "a6")
    await company.licensed(f"{CC}:competitive:2", ids=ids, policy={"on_lower": "evict"})
    for client in clients[2:]:
        assert await sent_away(client) == f"The license of {CC} has fewer seats now."
    assert await company.used() == 2
    assert (await company.sign_in(pair.a, "zoe", CC)).denied.code == "no_seat"
    assert [client.heard_nothing() for client in clients[:2]] == [True, True]
    await clients[0].bye()
    assert (await company.sign_in(pair.a, "zoe", CC)).welcome.seats


async def test_by_default_nobody_is_interrupted(pair: Pair, company: Company) -> None:
    ids = await company.licensed(f"{CC}:competitive:2")
    clients = await everybody(company, "ann", "bob")
    await company.licensed(f"{CC}:competitive:1", ids=ids)
    (row,) = await company.rows()
    assert (row["used"], row["limit"], row["above_limit"]) == (2, 1, 1)
    assert (await company.sign_in(pair.b, "eve", CC)).denied.code == "no_seat"
    await clients[1].bye()
    assert (await company.sign_in(pair.b, "eve", CC)).denied.code == "no_seat"
    await pair.a.call("DELETE", f"/api/v1/licenses/{ids[0]}")
    assert (await company.sign_in(pair.b, "eve", CC)).denied.code == "not_licensed"
    assert clients[0].heard_nothing()


async def test_a_withdrawn_product_leaves_the_rest_of_the_session(pair: Pair, company: Company) -> None:
    """The lost seat is another's only once the client has shown that it knows."""
    await company.licensed("EMAIL:competitive:5")
    (id_,) = await company.licensed(f"{CC}:competitive:1", policy={"on_remove": "evict"})
    ann = await company.sign_in(pair.b, "ann", "EMAIL", want=(CC,))
    assert {seat.product for seat in ann.seats} == {"EMAIL", CC}
    await pair.a.call("DELETE", f"/api/v1/licenses/{id_}")
    changed = await ann.until(Changed)
    assert [seat.product for seat in changed.seats] == ["EMAIL"]
    assert changed.reason == f"The license of {CC} was withdrawn."
    assert [row["user"] for row in await company.sessions()] == [company.user("ann")]
    assert await ann.bye() == 1000


async def test_a_call_is_waited_for(pair: Pair, company: Company) -> None:
    (id_,) = await company.licensed(f"{CC}:competitive:2", policy={"on_remove": "after_call"})
    ann, bob = await everybody(company, "ann", "bob")
    await bob.say(Busy(busy=True))
    other = await company.sign_in(pair.a, "bob", CC, device="m1", kind="mobile", acks=True)
    await eventually(lambda: _is_busy(company))
    await pair.a.call("DELETE", f"/api/v1/licenses/{id_}")
    await sent_away(ann)
    assert bob.heard_nothing()
    assert other.heard_nothing()  # the seat that both share is in use
    await bob.say(Busy(busy=False))
    await sent_away(bob)
    await sent_away(other)


async def _is_busy(company: Company) -> bool:
    return any(row["busy"] for row in await company.sessions())


async def test_holders_are_told_that_somebody_waits(pair: Pair, company: Company) -> None:
    await company.licensed(f"{CC}:competitive:1", policy={"notify_waiting": True})
    (ann,) = await everybody(company, "ann")
    for node, name in ((pair.b, "bob"), (pair.a, "eve")):
        waiter = await company.sign_in(node, name, CC, wait_s=60)
        assert isinstance(waiter.first, Queued)
    assert (await ann.until(Notice)).code == "someone_waits"
    assert ann.heard_nothing()


async def test_seats_are_kept_for_a_group(pair: Pair, company: Company) -> None:
    reservations = [{"group": "sales", "seats": 1}, {"user": company.user("boss"), "seats": 1}]
    await company.licensed(f"{CC}:competitive:3", policy={"reservations": reservations})
    (ann,) = await everybody(company, "ann")
    denied = (await company.sign_in(pair.b, "bob", CC)).denied
    assert (denied.code, denied.limit, denied.used) == ("no_seat", 3, 1)
    sue = await company.sign_in(pair.b, "sue", CC, token=company.token("sue", groups=["sales"]))
    assert sue.welcome.seats
    assert (await company.sign_in(pair.a, "boss", CC)).welcome.seats
    await ann.bye()
    assert (await company.sign_in(pair.b, "bob", CC)).welcome.seats


async def test_the_newer_device_takes_the_older_ones_place(pair: Pair, company: Company) -> None:
    await company.licensed(f"{CC}:competitive:1", policy={"device": "take_over"})
    old = await company.sign_in(pair.a, "ann", CC, device="d1")
    phone = await company.sign_in(pair.a, "ann", CC, device="m1", kind="mobile")
    new = await company.sign_in(pair.b, "ann", CC, device="d2")
    assert new.welcome.seats
    assert await old.closed() == 4301
    assert phone.heard_nothing()
    assert await company.used() == 1


async def test_one_device_of_a_kind(pair: Pair, company: Company) -> None:
    await company.licensed(f"{CC}:competitive:5", policy={"device": "one_per_class"})
    old = await company.sign_in(pair.a, "ann", CC, device="d1")
    denied = (await company.sign_in(pair.b, "ann", CC, device="d2")).denied
    assert (denied.code, [own.session for own in denied.holders]) == ("no_seat", [old.welcome.session])
    assert (await company.sign_in(pair.b, "ann", CC, device="m1", kind="mobile")).welcome.seats


async def test_the_overdraft_is_marked_and_counted_apart(pair: Pair, company: Company) -> None:
    await company.licensed(f"{CC}:competitive:2", overdraft=1)
    clients = await everybody(company, "ann", "bob", "eve")
    assert [client.seats[0].overdraft for client in clients] == [False, False, True]
    assert (await company.sign_in(pair.b, "zoe", CC)).denied.code == "no_seat"
    (row,) = await company.rows()
    assert (row["used"], row["limit"], row["overdraft"], row["above_limit"]) == (3, 2, 1, 1)


async def test_who_was_forced_out_stays_out_on_every_node(pair: Pair, company: Company) -> None:
    """The cool-down holds for a new hello, a resume, a wait in the queue and another device, on whichever node."""
    await company.licensed(f"{CC}:competitive:5")
    ann, _ = await everybody(company, "ann", "bob")
    mobile = await company.sign_in(pair.b, "ann", CC, device="m1", kind="mobile", acks=True)
    body = {"users": [company.user("ann")], "cooldown_s": 600}
    await pair.a.call("POST", "/api/v1/logout", body)
    assert (await ann.closed(), await mobile.closed()) == (4302, 4302)
    for node in (pair.a, pair.b):
        for how in (
            {"device": "d1"},
            {"device": "d9"},
            {"device": "d1", "resume": ann.resume},
            {"device": "m1", "kind": "mobile", "resume": mobile.resume},
            {"device": "d1", "wait_s": 60},
        ):
            denied = (await company.sign_in(node, "ann", CC, **how)).denied
            assert denied.code == "cooldown"
            assert denied.retry_after_s is not None
            assert 500 < denied.retry_after_s <= 600
    unseated = await company.sign_in(pair.b, "ann", CC, allow_unseated=True)
    assert unseated.denied.code == "cooldown"
    assert (await unseated.recv()).seats == ()  # type: ignore[union-attr] # the emergency path stays open
    assert await company.used() == 1


async def test_one_device_that_was_forced_out_stays_out(pair: Pair, company: Company) -> None:
    await company.licensed(f"{CC}:competitive:5", policy={"device": "take_over"})
    ann = await company.sign_in(pair.a, "ann", CC, device="d1", acks=True)
    mobile = await company.sign_in(pair.a, "ann", CC, device="m1", kind="mobile")
    await pair.b.call("POST", "/api/v1/logout", {"sessions": [ann.welcome.session], "cooldown_s": 600})
    assert await ann.closed() == 4302
    assert (await company.sign_in(pair.b, "ann", CC, device="d1")).denied.code == "cooldown"
    assert (await company.sign_in(pair.b, "ann", CC, device="d2")).welcome.seats
    assert mobile.heard_nothing()
