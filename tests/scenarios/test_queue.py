"""Waiting for a seat, over two nodes: places, turns, patience, and who is let in instead."""

from __future__ import annotations

from seatd_protocol.messages import Acquire, Denied, Granted, Queued, Welcome
from tests.scenarios.client import Client
from tests.scenarios.company import Company
from tests.scenarios.conftest import Pair


async def waits(
    company: Company, node: int, name: str, *need: str, wait_s: int = 60, **hello: object
) -> Client:
    """A client that has been told its place."""
    client = await company.sign_in(
        company.nodes[node], name, *(need or ("CALL_CENTER",)), wait_s=wait_s, **hello
    )
    assert isinstance(client.first, Queued), client.first
    return client


async def test_a_freed_seat_goes_to_the_next_on_whichever_node(company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    ann = await company.sign_in(company.nodes[0], "ann", "CALL_CENTER")
    bob = await waits(company, 1, "bob")
    eve = await waits(company, 0, "eve", protocol="seatd.v1.json")
    assert [client.first.position for client in (bob, eve)] == [1, 2]

    await ann.bye()
    assert (await bob.until(Welcome)).seats[0].holder == company.user("bob")
    assert (await eve.until(Queued)).position == 1
    await bob.bye()
    assert (await eve.until(Welcome)).resumed is False
    assert await company.used() == 1


async def test_patience_ends(company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    await company.sign_in(company.nodes[0], "ann", "CALL_CENTER")
    bob = await waits(company, 1, "bob", wait_s=1)
    assert (await bob.until(Denied)).code == "wait_timeout"
    assert await bob.closed() == 4300
    assert [row["user"] for row in await company.sessions()] == [company.user("ann")]


async def test_after_waiting_in_vain_the_emergency_path_is_open(company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    await company.sign_in(company.nodes[0], "ann", "CALL_CENTER")
    bob = await waits(company, 1, "bob", wait_s=1, allow_unseated=True)
    assert (await bob.until(Denied)).code == "wait_timeout"
    welcome = await bob.until(Welcome)
    assert welcome.seats == ()
    assert await bob.bye() == 1000


async def test_a_waiter_that_is_gone_is_passed_over(company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    ann = await company.sign_in(company.nodes[0], "ann", "CALL_CENTER")
    bob = await waits(company, 0, "bob")
    eve = await waits(company, 1, "eve")
    joe = await waits(company, 0, "joe")
    bob.drop()
    assert (await eve.until(Queued)).position == 1
    await joe.bye()
    await ann.bye()
    assert await eve.until(Welcome)
    assert {row["user"]: row["state"] for row in await company.sessions()} == {
        company.user("bob"): "waiting",
        company.user("eve"): "attached",
    }


async def test_a_waiter_whose_connection_broke_finds_its_place_again(company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    ann = await company.sign_in(company.nodes[0], "ann", "CALL_CENTER")
    bob = await waits(company, 0, "bob")
    eve = await waits(company, 1, "eve")
    bob.drop()
    assert (await eve.until(Queued)).position == 1
    bob = await waits(company, 1, "bob")
    assert isinstance(bob.first, Queued)
    assert bob.first.position == 1
    assert (await eve.until(Queued)).position == 2
    await ann.bye()
    assert await bob.until(Welcome)


async def test_an_acquire_waits_within_its_session(company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:1", "CALL_MANAGER:competitive:1")
    ann = await company.sign_in(company.nodes[0], "ann", "CALL_CENTER")
    bob = await company.sign_in(company.nodes[1], "bob", "CALL_MANAGER")
    await bob.say(Acquire(ref=7, products=("CALL_CENTER",), wait_s=60))
    assert (await bob.until(Queued)).ref == 7
    await ann.bye()
    granted = await bob.until(Granted)
    assert (granted.ref, [seat.product for seat in granted.seats]) == (7, ["CALL_CENTER"])


async def test_a_newer_acquire_ends_the_wait_of_the_older(company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:1", "CALL_MANAGER:competitive:1", "MOBILE:competitive:1")
    await company.sign_in(company.nodes[0], "ann", "CALL_CENTER")
    bob = await company.sign_in(company.nodes[1], "bob", "CALL_MANAGER")
    for ref in (1, 2):
        await bob.say(Acquire(ref=ref, products=("CALL_CENTER",), wait_s=60))
    answers = [await bob.until(Queued), await bob.until(Denied), await bob.until(Queued)]
    assert [answer.ref for answer in answers] == [1, 1, 2]


async def test_a_larger_license_lets_waiters_in(pair: Pair, company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    await company.sign_in(pair.a, "ann", "CALL_CENTER")
    bob = await waits(company, 1, "bob")
    await company.licensed("CALL_CENTER:competitive:1")
    assert await bob.until(Welcome)
