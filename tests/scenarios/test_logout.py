"""Forced logout over two nodes: whom it reaches, what they are told, and the proof of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from seatd_protocol.client import SeatClient
from seatd_protocol.events import Closed as Ended
from seatd_protocol.messages import Ack, Device, Logout, Welcome
from tests.scenarios.client import Client
from tests.scenarios.company import Company
from tests.scenarios.conftest import Pair


async def forced_out(company: Company, **targets: Any) -> dict[str, dict[str, Any]]:
    """The receipts of a forced logout at node b, by session."""
    body = {"cooldown_s": 0, **targets}
    answer = await company.nodes[1].call("POST", "/api/v1/logout", body)
    assert answer["logged_out"] == len(answer["sessions"])
    return {receipt["session"]: receipt for receipt in answer["sessions"]}


async def crowd(company: Company, pair: Pair) -> dict[str, Client]:
    """Ann on two devices and two nodes, Bob on one, Cid of another domain: all with a seat, all acknowledging."""
    other = f"other.{company.domain}"
    await company.licensed(
        "CALL_CENTER:competitive:9", "CALL_MANAGER:competitive:9", domains=[company.domain, other]
    )
    return {
        "ann1": await company.sign_in(pair.a, "ann", "CALL_CENTER", acks=True),
        "ann2": await company.sign_in(pair.b, "ann", "CALL_CENTER", device="d2", acks=True),
        "bob": await company.sign_in(pair.a, "bob", "CALL_MANAGER", acks=True),
        "cid": await company.sign_in(pair.b, f"cid@{other}", "CALL_CENTER", acks=True),
    }


@pytest.mark.parametrize(
    ("target", "reached"),
    [
        ("user", {"ann1", "ann2"}),
        ("session", {"ann2"}),
        ("license", {"ann1", "ann2", "cid"}),
        ("domain", {"cid"}),
        ("customer", {"ann1", "ann2", "bob", "cid"}),
    ],
)
async def test_it_reaches_exactly_whom_it_names(
    pair: Pair, company: Company, target: str, reached: set[str]
) -> None:
    clients = await crowd(company, pair)
    named: dict[str, Any] = {
        "user": {"users": [company.user("ann")]},
        "session": {"sessions": [clients["ann2"].welcome.session]},
        "license": {"license": clients["ann1"].seats[0].license},
        "domain": {"domain": f"other.{company.domain}"},
        "customer": {"customer": company.name},
    }[target]
    receipts = await forced_out(company, **named)
    assert set(receipts) == {clients[name].welcome.session for name in reached}
    assert {receipt["outcome"] for receipt in receipts.values()} == {"acknowledged"}
    for name, client in clients.items():
        if name in reached:
            assert await client.closed() == 4302
        else:
            assert client.heard_nothing()
    held = {"ann1", "ann2", "cid"} - reached
    assert await company.used("CALL_CENTER") == len({name.rstrip("12") for name in held})


async def test_what_the_client_is_told(pair: Pair, company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    ann = await company.sign_in(pair.a, "ann", "CALL_CENTER", protocol="seatd.v1.json")
    bob = await company.sign_in(pair.b, "bob", "CALL_CENTER")
    assert bob.denied.code == "no_seat"
    call = asyncio.create_task(
        forced_out(company, users=[company.user("ann")], reason="Schluß für heute\u2026", cooldown_s=7)
    )
    told = await ann.until(Logout)
    assert (told.code, told.message, told.cooldown_s) == ("forced", "Schluß für heute\u2026", 7)
    assert told.by == "admin.token of b"
    await ann.say(Ack(order=told.order))
    assert await ann.closed() == 4302
    receipts = await call
    receipt = receipts[ann.welcome.session]
    assert (receipt["user"], receipt["node"]) == (company.user("ann"), "a")
    assert (receipt["delivered"], receipt["acknowledged"]) == (True, True)
    assert receipt["milliseconds"] is not None
    assert isinstance((await company.sign_in(pair.b, "bob", "CALL_CENTER")).first, Welcome)


async def test_the_receipts_of_those_who_do_not_answer(pair: Pair, company: Company) -> None:
    """One acknowledges; one stays silent and is closed; one has no socket; one cannot be reached at all."""
    await company.licensed("CALL_CENTER:competitive:4")
    acks = await company.sign_in(pair.a, "acks", "CALL_CENTER", acks=True)
    silent = await company.sign_in(pair.a, "silent", "CALL_CENTER")
    offline = await company.sign_in(pair.b, "offline", "CALL_CENTER")
    offline.drop()
    while "parked" not in [row["state"] for row in await company.sessions()]:
        await asyncio.sleep(0.01)
    receipts = await forced_out(company, customer=company.name)
    seen = {
        client: (receipt["outcome"], receipt["delivered"], receipt["acknowledged"])
        for client in (acks, silent, offline)
        if (receipt := receipts[client.welcome.session])
    }
    assert seen == {
        acks: ("acknowledged", True, True),
        silent: ("closed", True, False),
        offline: ("offline", False, False),
    }
    assert receipts[offline.welcome.session]["milliseconds"] is None
    assert await silent.closed() == 4302
    # The seat of a client without a socket is kept until it cannot believe in it any more.
    assert await company.used() == 1


async def test_a_wrong_ack_is_a_bad_message(pair: Pair, company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    ann = await company.sign_in(pair.a, "ann", "CALL_CENTER")
    call = asyncio.create_task(forced_out(company, users=[company.user("ann")]))
    told = await ann.until(Logout)
    await ann.say(Ack(order=told.order + 1))
    assert await ann.closed() == 4400
    (receipt,) = (await call).values()
    assert (receipt["outcome"], receipt["acknowledged"]) == ("closed", False)


async def test_the_cool_down_is_the_users_or_the_devices(pair: Pair, company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    ann = await company.sign_in(pair.a, "ann", "CALL_CENTER", acks=True)
    await forced_out(company, sessions=[ann.welcome.session], cooldown_s=60)
    denied = (await company.sign_in(pair.b, "ann", "CALL_CENTER")).denied
    assert denied.code == "cooldown"
    assert denied.retry_after_s is not None
    assert 0 < denied.retry_after_s <= 60
    other = await company.sign_in(pair.b, "ann", "CALL_CENTER", device="d2", acks=True)
    assert len(other.seats) == 1

    await forced_out(company, users=[company.user("ann")], cooldown_s=60)
    for device in ("d1", "d2", "d3"):
        client = await company.sign_in(pair.a, "ann", "CALL_CENTER", device=device)
        assert client.denied.code == "cooldown"


async def test_the_client_library_acknowledges_and_stays_away(pair: Pair, company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    heard: asyncio.Queue[object] = asyncio.Queue()
    device = Device(kind="web_phone", id="browser")
    async with SeatClient(
        f"ws://{pair.a.clients}",
        company.token("ann"),
        device,
        ["CALL_CENTER"],
        subprotocol="seatd.v1.json",
        on_event=heard.put_nowait,
    ) as ann:
        assert isinstance(await ann.connect(), Welcome)
        assert ann.usable_until_s is not None
        (receipt,) = (await forced_out(company, users=[company.user("ann")])).values()
        assert receipt["outcome"] == "acknowledged"
        closed = await ann.wait_closed()
        assert (closed.code, closed.retry_in_s) == (4302, None)
        assert ann.usable_until_s is None
        assert [type(heard.get_nowait()) for _ in range(heard.qsize())] == [Welcome, Logout, Ended]
