"""What a virtual client says, and what of its life counts as an error."""

from __future__ import annotations

import asyncio

import pytest

from loadtest.clients.client import VirtualClient
from loadtest.scenarios import roaming
from loadtest.scenarios.plan import Plan, until
from seatd_protocol.messages import (
    Ack,
    Acquire,
    Alive,
    Beat,
    Bye,
    Changed,
    Denied,
    Granted,
    Hello,
    Logout,
    Release,
    Released,
    Welcome,
)
from tests.loadtest.clients.scripted import SEAT, WELCOME, Talk, serving, terms


def welcome(**changed: object) -> Welcome:
    fields = {name: getattr(WELCOME, name) for name in WELCOME.__struct_fields__}
    return Welcome(**{**fields, **changed})


async def test_it_answers_beats_and_logouts() -> None:
    said = []

    async def script(talk: Talk) -> None:
        said.append(await talk.hears())
        await talk.says(WELCOME)
        await talk.says(Beat(n=7, lease_s=24))
        said.append(await talk.hears())
        await talk.says(Logout(order=3, code="forced", message="out", cooldown_s=0))
        said.append(await talk.hears())
        await talk.closes(4302)

    async with serving(script) as place:
        shared = terms(place)
        shared.asked_s = 1.0
        one = VirtualClient(shared, 5)
        assert await one.sign_in()
        assert await until(lambda: not one.present, 10)
    hello, alive, ack = said
    assert isinstance(hello, Hello)
    assert (hello.token, hello.device.id, hello.need) == ("token-5", "load-5", ("CALL_CENTER",))
    assert (alive, ack) == (Alive(n=7), Ack(order=3))
    assert shared.recorder.errors == 0
    assert shared.recorder.steps["logout told"].count == shared.recorder.steps["logout closed"].count == 1


async def test_a_logout_that_nobody_of_us_has_asked_for_is_an_error() -> None:
    async def script(talk: Talk) -> None:
        await talk.hears()
        await talk.says(WELCOME)
        await talk.says(Logout(order=3, code="forced", message="out", cooldown_s=0))
        await talk.hears()
        await talk.closes(4302)

    async with serving(script) as place:
        one = VirtualClient(terms(place), 0)
        await one.sign_in()
        assert await until(lambda: not one.present, 10)
    assert one.terms.recorder.counts["error logged out: forced"] == 1
    assert "logout told" not in one.terms.recorder.steps


async def test_a_move_that_is_refused_leaves_the_session_where_it_is() -> None:
    async def script(talk: Talk) -> None:
        await talk.hears()
        await talk.says(WELCOME)
        request = await talk.hears()
        assert isinstance(request, Acquire)
        await talk.says(Granted(ref=request.ref, seats=(SEAT,), sections=()))
        await talk.ws.receive()

    async with serving(script) as place, serving(503) as full:
        one = VirtualClient(terms(place), 0)
        assert await one.sign_in()
        assert not await one.move(full)
        await asyncio.sleep(0.05)
        assert one.connected
        assert await one.acquire("CALL_MANAGER")
        assert dict(one.terms.recorder.counts) == {"refused HTTP 503": 1}
        one.drop()


@pytest.mark.parametrize(("status", "errors"), [(503, 0), (429, 0), (404, 1), (401, 1)])
async def test_an_upgrade_that_is_refused(status: int, errors: int) -> None:
    async with serving(status) as place:
        one = VirtualClient(terms(place), 0)
        assert not await one.sign_in()
    assert (one.present, one.terms.recorder.errors) == (False, errors)


@pytest.mark.parametrize(("code", "errors"), [(4300, 0), (4100, 0), (4401, 1), (4103, 1), (None, 1)])
async def test_an_end_before_any_welcome(code: int | None, errors: int) -> None:
    """Denied and overloaded are answers; to be cut is not."""

    async def script(talk: Talk) -> None:
        await talk.hears()
        if code == 4300:
            await talk.says(Denied(code="no_seat", message="none free"))
        await (talk.closes(code) if code else asyncio.sleep(0))
        if code is None:
            talk.cuts()

    async with serving(script) as place:
        one = VirtualClient(terms(place), 0)
        assert not await one.sign_in()
        assert await until(lambda: not one.present, 10)
    assert one.terms.recorder.errors == errors, one.terms.recorder.counts
    assert one.terms.recorder.counts["denied no_seat"] == (code == 4300)


@pytest.mark.parametrize("somebody_brings_it_back", [False, True])
async def test_a_session_that_is_cut(somebody_brings_it_back: bool) -> None:
    async def script(talk: Talk) -> None:
        await talk.hears()
        await talk.says(WELCOME)
        await asyncio.sleep(0.02)
        talk.cuts()

    lost: list[VirtualClient] = []
    async with serving(script) as place:
        one = VirtualClient(terms(place), 0)
        if somebody_brings_it_back:
            one.terms.on_lost = lost.append
        await one.sign_in()
        assert await until(lambda: not one.present, 10)
    assert one.terms.recorder.errors == (not somebody_brings_it_back)
    assert lost == [one] * somebody_brings_it_back


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (welcome(resumed=True), None),
        (welcome(session="s2"), "error session lost"),
        (welcome(resumed=True, seats=()), "error seats lost"),
    ],
)
async def test_who_comes_back_wants_what_he_had(answer: Welcome, error: str | None) -> None:
    answers = iter([WELCOME, answer])

    async def script(talk: Talk) -> None:
        await talk.hears()
        await talk.says(next(answers))
        await talk.ws.receive()

    async with serving(script) as place:
        one = VirtualClient(terms(place), 0)
        assert await one.sign_in()
        assert await one.move(place)
        assert [what for what in one.terms.recorder.counts if what.startswith("error")] == [
            what for what in (error,) if what
        ]
        one.drop()


async def test_it_shows_the_newest_ticket_and_forgets_it_when_it_names_too_much() -> None:
    shown: list[str | None] = []

    async def script(talk: Talk) -> None:
        hello = await talk.hears()
        assert isinstance(hello, Hello)
        shown.append(hello.resume.ticket if hello.resume else None)
        await talk.says(welcome(ticket=f"t{len(shown)}", resumed=len(shown) > 1))
        if len(shown) == 1:
            await talk.says(Beat(n=1, lease_s=24, ticket="newer"))
            await talk.hears()
        elif len(shown) == 2:
            release = await talk.hears()
            assert isinstance(release, Release)
            await talk.says(Released(ref=release.ref, products=release.products, sections=()))
        elif len(shown) == 3:
            await talk.says(Changed(seats=(SEAT,), sections=(), reason="fewer"))
            await talk.says(Beat(n=2, lease_s=24))
            await talk.hears()
        heard.set()
        await talk.ws.receive()

    heard = asyncio.Event()
    async with serving(script) as place:
        one = VirtualClient(terms(place), 0)
        await one.sign_in()
        await heard.wait()
        await one.move(place)
        assert await one.release("CALL_MANAGER")
        heard.clear()
        await one.move(place)
        await heard.wait()
        await one.move(place)
        one.drop()
    assert shown == [None, "newer", None, None]


async def test_it_waits_for_the_end_of_what_it_has_said_goodbye_to() -> None:
    async def script(talk: Talk) -> None:
        await talk.hears()
        await talk.says(WELCOME)
        assert await talk.hears() == Bye()
        await talk.closes(1000)

    async with serving(script) as place:
        one = VirtualClient(terms(place), 0)
        await one.sign_in()
        assert await one.leave()
    assert not one.present
    assert one.terms.recorder.steps["goodbye"].count == 1
    assert one.terms.recorder.live == 0


async def test_what_is_no_message_is_an_error() -> None:
    async def script(talk: Talk) -> None:
        await talk.hears()
        await talk.ws.send_bytes(b"\xc1")
        await talk.ws.receive()

    async with serving(script) as place:
        one = VirtualClient(terms(place), 0)
        assert not await one.sign_in()
    assert one.terms.recorder.counts["error not understood"] == 1


async def test_clients_come_from_several_addresses() -> None:
    came: list[str] = []

    async def script(talk: Talk) -> None:
        await talk.hears()
        came.append(talk.remote)
        await talk.says(WELCOME)
        await talk.ws.receive()

    async with serving(script) as place:
        shared = terms(place)
        shared.sources = ("127.0.0.2", "127.0.0.3")
        people = [VirtualClient(shared, number) for number in range(4)]
        for one in people:
            assert await one.sign_in()
        for one in people:
            one.drop()
    assert came == ["127.0.0.2", "127.0.0.3"] * 2


async def test_a_session_moves_to_another_address() -> None:
    came: list[str] = []

    async def script(talk: Talk) -> None:
        hello = await talk.hears()
        assert isinstance(hello, Hello)
        came.append(talk.remote)
        await talk.says(welcome(resumed=hello.resume is not None))
        await talk.ws.receive()

    async with serving(script) as place:
        shared = terms(place)
        shared.sources = ("127.0.0.2", "127.0.0.3")
        plan = Plan(shared, clients=1, seconds=0.1, rate=30, seats=1, further="CALL_MANAGER")
        await roaming.run(plan)
        for one in plan.crowd:
            one.drop()
    assert came == ["127.0.0.2", "127.0.0.3", "127.0.0.2", "127.0.0.3"]
    assert shared.recorder.errors == 0
