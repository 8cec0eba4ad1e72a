"""What a client believes: each fact changes it as the contract says, and each change is told."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from seatd_protocol.holding import Holding
from seatd_protocol.messages import Beat, Changed, Granted, Released, Resume
from tests.protocol.clients import EMAIL, RESUMED, Time
from tests.protocol.contract_server import SEAT, WELCOME


def signed_in(time: Time) -> Holding:
    holding = Holding(time.clock)
    holding.hello_sent()
    holding.welcomed(WELCOME)
    return holding


def test_nothing_at_first(time: Time) -> None:
    holding = Holding(time.clock)
    assert (holding.session, holding.resume, holding.seats, holding.until_s) == (None, None, (), None)


def test_welcome(time: Time) -> None:
    holding = signed_in(time)
    assert holding.resume == Resume(session="s-1", secret="k-1")
    assert (holding.seats, holding.sections, holding.until_s) == ((SEAT,), ("calls",), 124.0)


def test_seats_without_a_lease_and_a_lease_without_seats_are_of_no_use(time: Time) -> None:
    holding = signed_in(time)
    time.now_s = 124.0
    assert holding.seats
    assert holding.until_s is None
    time.now_s = 123.0
    holding.changed(Changed(seats=(), sections=(), reason=""))
    assert holding.until_s is None


def test_a_granted_product_replaces_its_seat(time: Time) -> None:
    holding = signed_in(time)
    other = replace(SEAT, license="L-9")
    holding.granted(Granted(seats=(EMAIL,), sections=("a",)))
    holding.granted(Granted(seats=(other,), sections=("b",)))
    assert holding.seats == (EMAIL, other)
    assert holding.sections == ("b",)


def test_giving_back(time: Time) -> None:
    holding = signed_in(time)
    holding.granted(Granted(seats=(EMAIL,), sections=("a",)))
    holding.giving_back(["CALL_CENTER", "NEVER_HELD"])
    assert holding.seats == (EMAIL,)
    holding.released(Released(ref=1, products=("CALL_CENTER", "EMAIL"), sections=()))
    assert len(holding.seats) == len(holding.sections) == 0


def test_what_crosses_a_release_brings_nothing_back(time: Time) -> None:
    """The server wrote it before it had read the release."""
    holding = signed_in(time)
    holding.giving_back(["CALL_CENTER"])
    holding.changed(Changed(seats=(SEAT, EMAIL), sections=(), reason=""))
    holding.granted(Granted(seats=(SEAT,), sections=()))
    holding.beat_received(Beat(n=1, lease_s=24, ticket="names too much"))
    assert holding.seats == (EMAIL,)
    assert holding.resume == Resume(session="s-1", secret="k-1")
    holding.released(Released(ref=1, products=("CALL_CENTER",), sections=()))
    holding.granted(Granted(seats=(SEAT,), sections=()))  # asked for anew
    assert holding.seats == (EMAIL, SEAT)


def test_a_release_that_the_server_could_not_do_is_over_too(time: Time) -> None:
    holding = signed_in(time)
    holding.giving_back(["CALL_CENTER"])
    holding.given_back(["CALL_CENTER"])
    assert holding.seats == ()
    holding.changed(Changed(seats=(SEAT,), sections=(), reason=""))
    assert holding.seats == (SEAT,)


def test_the_end_forgets_the_lease_too(time: Time) -> None:
    holding = signed_in(time)
    holding.ended("logout")
    holding.hello_sent()
    assert (holding.session, holding.seats, holding.until_s) == (None, (), None)
    assert not holding.lease.valid(time.now_s)


def test_a_hello_that_resumes_forgets_nothing(time: Time) -> None:
    holding = signed_in(time)
    time.now_s = 110.0
    holding.hello_sent()
    assert (holding.session, holding.until_s) == ("s-1", 124.0)
    holding.welcomed(RESUMED)
    assert holding.until_s == 134.0


def test_each_change_is_told_with_what_is_believed_then(time: Time) -> None:
    told: list[Mapping[str, Any]] = []
    holding = Holding(time.clock, told.append)
    holding.hello_sent()
    holding.welcomed(WELCOME)
    time.now_s = 108.0
    holding.beat_received(Beat(n=1, lease_s=24))
    holding.granted(Granted(seats=(EMAIL,), sections=()))
    holding.giving_back(["EMAIL"])
    holding.released(Released(ref=1, products=("EMAIL",), sections=()))
    time.now_s = 116.0
    holding.beat_received(Beat(n=2, lease_s=24))
    holding.changed(Changed(seats=(), sections=(), reason=""))
    holding.ended("bye")
    assert [(row["at_s"], row["what"], len(row["seats"]), row["until_s"]) for row in told] == [
        (100.0, "hello", 0, None),
        (100.0, "welcome", 1, 124.0),
        (108.0, "beat", 1, 124.0),
        (108.0, "granted", 2, 124.0),
        (108.0, "release", 1, 124.0),
        (108.0, "released", 1, 124.0),
        (116.0, "beat", 1, 132.0),
        (116.0, "changed", 0, None),
        (116.0, "bye", 0, None),
    ]
    assert told[1]["seats"] == [("CALL_CENTER", "L-1", "alice@acme.example")]


def test_the_newest_ticket_is_shown(time: Time) -> None:
    holding = Holding(time.clock)
    holding.hello_sent()
    holding.welcomed(replace(WELCOME, ticket="one"))
    assert holding.resume == Resume(session="s-1", secret="k-1", ticket="one")
    holding.beat_received(Beat(n=1, lease_s=24, ticket="two"))
    holding.beat_received(Beat(n=2, lease_s=24))
    assert holding.resume == Resume(session="s-1", secret="k-1", ticket="two")
    holding.welcomed(RESUMED)
    assert holding.resume is not None
    assert holding.resume.ticket is None


def test_a_ticket_that_names_more_than_is_held_is_forgotten(time: Time) -> None:
    for less in (
        lambda holding: holding.giving_back(["CALL_CENTER"]),
        lambda holding: holding.changed(Changed(seats=(), sections=(), reason="")),
    ):
        holding = Holding(time.clock)
        holding.hello_sent()
        holding.welcomed(replace(WELCOME, ticket="one"))
        less(holding)
        assert holding.resume == Resume(session="s-1", secret="k-1")


def test_how_long_the_session_is_kept(time: Time) -> None:
    assert Holding(time.clock).linger_s is None
    holding = signed_in(time)
    kept_s = WELCOME.lease_s + WELCOME.linger_s
    time.now_s += kept_s - 1
    assert holding.linger_s == WELCOME.linger_s
    holding.beat_received(Beat(n=1, lease_s=WELCOME.lease_s))
    time.now_s += kept_s - 1
    assert holding.linger_s == WELCOME.linger_s
    time.now_s += 1
    assert holding.linger_s is None


def test_a_session_that_has_ended_is_not_kept(time: Time) -> None:
    holding = signed_in(time)
    holding.ended("bye")
    assert holding.linger_s is None
