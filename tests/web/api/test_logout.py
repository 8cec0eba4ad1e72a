"""Forced logout: who is meant, what it proves, what is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse

from tests.web.conftest import Site


async def post(site: Site, **body: Any) -> tuple[int, Any]:
    return await site.call("POST", "/api/v1/logout", json=body)


async def obedient(socket: ClientWebSocketResponse) -> tuple[dict[str, Any], int | None]:
    """A client that acknowledges its logout; what it was told and how it was closed."""
    while (told := await socket.receive_json())["type"] != "logout":
        pass
    await socket.send_json({"type": "ack", "order": told["order"]})
    await socket.receive()
    return told, socket.close_code


async def test_a_logout_is_proven(site: Site) -> None:
    await site.imported()
    socket, welcome = await site.signed_in("ann@acme.example", "CALL_CENTER")
    client = asyncio.create_task(obedient(socket))
    status, answer = await post(site, users=["ann@ACME.example"], reason="lunch", cooldown_s=7)
    told, close_code = await client
    assert (told["message"], told["by"], told["cooldown_s"], close_code) == ("lunch", "tests", 7, 4302)
    (receipt,) = answer["sessions"]
    assert receipt.pop("milliseconds") >= 0
    assert (status, answer["logged_out"], receipt) == (
        200,
        1,
        {
            "session": welcome["session"],
            "user": "ann@acme.example",
            "device": {"kind": "desktop", "id": "d1", "name": "", "version": ""},
            "node": "n1",
            "delivered": True,
            "acknowledged": True,
            "outcome": "acknowledged",
        },
    )
    _, again = await site.signed_in("ann@acme.example", "CALL_CENTER")
    assert (again["type"], again["code"]) == ("denied", "cooldown")


async def test_reason_and_cool_down_have_defaults(site: Site) -> None:
    await site.imported()
    socket, _ = await site.signed_in("ann@acme.example", "CALL_CENTER")
    client = asyncio.create_task(obedient(socket))
    await post(site, users=["ann@acme.example"])
    told, _ = await client
    assert (told["message"], told["cooldown_s"]) == ("An administrator has signed you out.", 30)


async def test_a_client_that_does_not_answer_is_closed(site: Site) -> None:
    await site.imported()
    socket, _ = await site.signed_in("ann@acme.example", "CALL_CENTER")

    async def deaf() -> None:
        while not socket.closed:
            await socket.receive()

    client = asyncio.create_task(deaf())
    _, answer = await post(site, users=["ann@acme.example"], cooldown_s=0)
    await client
    (receipt,) = answer["sessions"]
    assert (receipt["delivered"], receipt["acknowledged"], receipt["outcome"]) == (True, False, "closed")


@pytest.mark.parametrize(
    ("target", "who"),
    [
        ({"license": "acme-1"}, ["ann@acme.example", "bob@acme.example"]),
        ({"domain": "ACME.example"}, ["ann@acme.example", "bob@acme.example"]),
        ({"customer": "acme"}, ["ann@acme.example", "bob@acme.example"]),
        ({"users": ["ann@acme.example", "ann@beta.example"]}, ["ann@acme.example", "ann@beta.example"]),
        ({"users": ["ann@acme.example"] * 3}, ["ann@acme.example"]),
        ({"users": ["ann@acme.example", "ann@beta.example"], "customer": "beta"}, ["ann@beta.example"]),
        ({"domain": "acme.example", "customer": "beta"}, []),
        ({"users": ["nobody@acme.example"]}, []),
    ],
)
async def test_targets(site: Site, target: dict[str, Any], who: list[str]) -> None:
    await site.imported()
    await site.imported(customer="beta", jti="key-2")
    clients = []
    for user, customer in (
        ("ann@acme.example", "acme"),
        ("bob@acme.example", "acme"),
        ("ann@beta.example", "beta"),
    ):
        socket, _ = await site.signed_in(user, "CALL_CENTER", customer=customer)
        clients.append(asyncio.create_task(obedient(socket)))
    status, answer = await post(site, **target)
    assert (status, sorted(receipt["user"] for receipt in answer["sessions"])) == (200, who)
    assert answer["logged_out"] == len(who)
    _, listing = await site.call("GET", "/api/v1/sessions")
    assert listing["total"] == 3 - len(who)
    for client in clients:
        client.cancel()
    await asyncio.gather(*clients, return_exceptions=True)


async def test_sessions_by_id_all_or_nothing(site: Site) -> None:
    await site.imported()
    socket, welcome = await site.signed_in("ann@acme.example", "CALL_CENTER")
    client = asyncio.create_task(obedient(socket))
    status, body = await post(site, sessions=[welcome["session"], "none"])
    assert (status, body["code"]) == (404, "unknown_session")
    assert body["errors"] == [{"path": "sessions[1]", "message": "there is no such session"}]
    assert not client.done()
    _, answer = await post(site, sessions=[welcome["session"]])
    assert answer["logged_out"] == 1
    await client


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"license": "none"}, "unknown_license"),
        ({"license": "acme-1", "customer": "beta"}, "unknown_license"),
        ({"customer": "none"}, "unknown_customer"),
        ({"sessions": ["none"]}, "unknown_session"),
    ],
)
async def test_targets_that_are_not_there(site: Site, body: dict[str, Any], code: str) -> None:
    await site.imported()
    await site.imported(customer="beta", jti="key-2")
    status, answer = await post(site, **body)
    assert (status, answer["code"]) == (404, code)


@pytest.mark.parametrize("body", [{}, {"reason": "x"}, {"users": [], "sessions": [], "cooldown_s": 5}])
async def test_nobody_is_meant(site: Site, body: dict[str, Any]) -> None:
    status, answer = await post(site, **body)
    assert (status, answer["code"]) == (422, "no_target")


ANN = "ann@acme.example"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"users": ANN}, "users"),
        ({"users": [ANN] * 1001}, "users"),
        ({"users": [ANN, "bob"]}, "users[1]"),
        ({"users": ["ann\x00@acme.example"]}, "users[0]"),
        ({"users": ["a@" + "x" * 300]}, "users[0]"),
        ({"users": [5]}, "users[0]"),
        ({"users": [None]}, "users[0]"),
        ({"sessions": ["x"] * 101}, "sessions"),
        ({"sessions": [""]}, "sessions[0]"),
        ({"sessions": ["x" * 65]}, "sessions[0]"),
        ({"license": ""}, "license"),
        ({"license": ["x"]}, "license"),
        ({"domain": "x" * 254}, "domain"),
        ({"users": [ANN], "reason": "x" * 201}, "reason"),
        ({"users": [ANN], "reason": "two\nlines"}, "reason"),
        ({"users": [ANN], "reason": "end\n"}, "reason"),
        ({"users": [ANN], "reason": "\x1b[31mred"}, "reason"),
        ({"users": [ANN], "reason": "a\u2028b"}, "reason"),
        ({"users": [ANN], "reason": 5}, "reason"),
        ({"users": [ANN], "cooldown_s": -1}, "cooldown_s"),
        ({"users": [ANN], "cooldown_s": 86401}, "cooldown_s"),
        ({"users": [ANN], "cooldown_s": "5"}, "cooldown_s"),
        ({"users": [ANN], "cooldown_s": 1.5}, "cooldown_s"),
        ({"users": [ANN], "cooldown_s": True}, "cooldown_s"),
        ({"users": [ANN], "by": "somebody else"}, "by"),
        ({"users": [ANN], "everyone": True}, "everyone"),
    ],
)
async def test_bodies_that_are_refused(site: Site, body: dict[str, Any], path: str) -> None:
    status, answer = await post(site, **body)
    assert (status, answer["code"]) == (422, "invalid")
    assert [error["path"] for error in answer["errors"]] == [path]
