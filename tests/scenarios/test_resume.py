"""A lost connection costs nobody a seat: the session is resumed, on any node, by whoever can prove it is theirs."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

import pytest

from seatd_protocol.client import SeatClient
from seatd_protocol.events import Closed as Ended
from seatd_protocol.messages import Device, Moving, Resume, Welcome
from tests.scenarios.client import Client, Closed
from tests.scenarios.company import Company
from tests.scenarios.conftest import Pair
from tests.servers import Servers


def is_resumed(client: Client, earlier: Client) -> bool:
    """The same session with the same seats."""
    now, then = client.welcome, earlier.welcome
    return now.resumed and (now.session, now.secret, now.seats) == (then.session, then.secret, then.seats)


async def is_refused(company: Company, name: str = "stranger") -> bool:
    """Whether somebody new finds all seats taken."""
    client = await company.sign_in(company.nodes[0], name, "CALL_CENTER")
    return client.denied.code == "no_seat"


async def test_a_dropped_client_finds_its_seat_on_the_other_node(pair: Pair, company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    ann = await company.sign_in(pair.a, "ann", "CALL_CENTER")
    ann.drop()
    assert await is_refused(company)
    back = await company.sign_in(pair.b, "ann", "CALL_CENTER", resume=ann.resume)
    assert is_resumed(back, ann)
    assert back.welcome.node == "b"
    assert back.welcome.sections == ann.welcome.sections
    assert await company.used() == 1
    await back.bye()
    assert await company.used() == 0


@pytest.mark.parametrize("node", [0, 1], ids=["same node", "other node"])
async def test_a_resume_replaces_the_old_socket(pair: Pair, company: Company, node: int) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    ann = await company.sign_in(pair.a, "ann", "CALL_CENTER")
    back = await company.sign_in(pair[node], "ann", "CALL_CENTER", resume=ann.resume)
    assert is_resumed(back, ann)
    assert await ann.recv() == Closed(4301, "replaced")
    (row,) = await company.sessions()
    assert (row["state"], row["node"]) == ("attached", pair[node].name)
    again = await company.sign_in(pair.a, "ann", "CALL_CENTER", resume=back.resume)
    assert is_resumed(again, ann)


def wrong_secret(ann: Resume, bob: Resume) -> Resume:
    return Resume(session=ann.session, secret="A" * len(ann.secret))


def secret_of_another(ann: Resume, bob: Resume) -> Resume:
    return Resume(session=ann.session, secret=bob.secret)


def session_of_another(ann: Resume, bob: Resume) -> Resume:
    return bob


def half_a_secret(ann: Resume, bob: Resume) -> Resume:
    return Resume(session=ann.session, secret=ann.secret[:11])


@pytest.mark.parametrize("forge", [wrong_secret, secret_of_another, session_of_another, half_a_secret])
async def test_a_forged_resume_is_answered_like_an_unknown_one(
    pair: Pair, company: Company, forge: Callable[[Resume, Resume], Resume]
) -> None:
    await company.licensed("CALL_CENTER:competitive:2")
    ann = await company.sign_in(pair.a, "ann", "CALL_CENTER")
    bob = await company.sign_in(pair.a, "bob", "CALL_CENTER")
    forged, unknown = forge(ann.resume, bob.resume), Resume(session="unknown", secret="unknown")

    mine = await company.sign_in(pair.b, "ann", "CALL_CENTER", device="d2", resume=forged)
    assert not mine.welcome.resumed
    assert mine.welcome.session not in (ann.welcome.session, bob.welcome.session)

    denials = [
        (await company.sign_in(pair.b, "eve", "CALL_CENTER", resume=shown)).denied
        for shown in (forged, unknown, ann.resume, bob.resume)
    ]
    assert denials == denials[:1] * 4
    assert denials[0].code == "no_seat"
    assert ann.heard_nothing()
    assert bob.heard_nothing()


async def test_another_customers_token_resumes_nothing(pair: Pair, company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:2")
    ann = await company.sign_in(pair.a, "ann", "CALL_CENTER")
    foreign = company.token("ann", customer="elsewhere")
    client = await company.sign_in(pair.a, "ann", "CALL_CENTER", token=foreign, resume=ann.resume)
    assert client.denied.code == "not_licensed"
    assert ann.heard_nothing()


@pytest.mark.parametrize("dropped", [False, True], ids=["with a socket", "without"])
async def test_after_a_forced_logout_there_is_nothing_to_resume(
    pair: Pair, company: Company, dropped: bool
) -> None:
    await company.licensed("CALL_CENTER:competitive:2")
    ann = await company.sign_in(pair.a, "ann", "CALL_CENTER", acks=True)
    if dropped:
        ann.drop()
    body = {"users": [company.user("ann")], "cooldown_s": 0}
    (receipt,) = (await pair.b.call("POST", "/api/v1/logout", body))["sessions"]
    assert receipt["session"] == ann.welcome.session
    back = await company.sign_in(pair.b, "ann", "CALL_CENTER", resume=ann.resume, acks=True)
    assert not back.welcome.resumed
    assert back.welcome.session != ann.welcome.session

    await pair.b.call("POST", "/api/v1/logout", body | {"cooldown_s": 60})
    again = await company.sign_in(pair.a, "ann", "CALL_CENTER", resume=back.resume)
    assert again.denied.code == "cooldown"


async def test_a_killed_node_costs_nobody_a_seat(pair: Pair, company: Company, servers: Servers) -> None:
    await company.licensed("CALL_CENTER:competitive:3")
    doomed = servers.start("doomed", store=pair.a.store)
    before = [await company.sign_in(doomed, name, "CALL_CENTER") for name in ("ann", "bob", "cid")]
    doomed.kill()
    assert [await client.closed() for client in before] == [1006] * 3
    assert await is_refused(company)
    after = [
        await company.sign_in(node, name, "CALL_CENTER", resume=client.resume)
        for node, name, client in zip((*pair, pair.a), ("ann", "bob", "cid"), before, strict=True)
    ]
    assert all(map(is_resumed, after, before))
    assert await is_refused(company)
    assert await company.used() == 3


async def test_a_draining_node_sends_its_clients_on(pair: Pair, company: Company, servers: Servers) -> None:
    await company.licensed("CALL_CENTER:competitive:2")
    leaving = servers.start("leaving", store=pair.a.store)
    ann = await company.sign_in(leaving, "ann", "CALL_CENTER")
    heard: asyncio.Queue[object] = asyncio.Queue()
    bob = SeatClient(
        [f"ws://{leaving.clients}", f"ws://{pair.b.clients}"],
        company.token("bob"),
        Device(kind="mobile", id="m1"),
        ["CALL_CENTER"],
        on_event=heard.put_nowait,
    )
    async with bob:
        first = await bob.connect()
        assert isinstance(first, Welcome)
        assert (await asyncio.to_thread(leaving.stop)) == 0
        assert isinstance(await ann.until(Moving), Moving)
        assert await ann.recv() == Closed(4000, "moving")
        assert await is_refused(company)
        back = await company.sign_in(pair.a, "ann", "CALL_CENTER", resume=ann.resume)
        assert is_resumed(back, ann)

        events = [await heard.get() for _ in range(4)]
        assert [type(event) for event in events] == [Welcome, Moving, Ended, Welcome]
        second = events[-1]
        assert isinstance(second, Welcome)
        assert (second.resumed, second.session, second.node) == (True, first.session, "b")
        assert [seat.holder for seat in bob.seats] == [company.user("bob")]
        await bob.bye()
    assert await company.used() == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
async def test_sessions_outlive_a_restart_with_the_embedded_store(servers: Servers, number: int) -> None:
    node = servers.start()
    company = Company(node)
    (license_id,) = await company.licensed("CALL_CENTER:competitive:1")
    ann = await company.sign_in(node, "ann", "CALL_CENTER")
    await asyncio.to_thread(node.stop, number)
    assert await ann.closed() == (4000 if number == signal.SIGTERM else 1006)

    node.launch()
    await asyncio.to_thread(node.wait_ready)
    assert [row["id"] for row in await company.rows()] == [license_id]
    assert await is_refused(company)
    back = await company.sign_in(node, "ann", "CALL_CENTER", resume=ann.resume)
    assert is_resumed(back, ann)
    assert await back.bye() == 1000
    assert isinstance((await company.sign_in(node, "bob", "CALL_CENTER")).first, Welcome)
    company.leave()
