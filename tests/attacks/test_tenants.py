"""One customer against another, one user against another, and names that are meant to break something."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from seatd_protocol.messages import Busy, Error, Logout, TakeOver
from tests.attacks.attack import attack, undefended
from tests.attacks.operators import Operator
from tests.scenarios.client import Closed
from tests.scenarios.company import Company
from tests.servers import Server, eventually


@pytest.fixture
async def other(server: Server) -> AsyncIterator[Company]:
    """Another customer, with a seat of its own and somebody on it."""
    own = Company(server)
    await own.licensed("CALL_CENTER:competitive:5")
    yield own
    own.leave()


@attack(
    "S44",
    "a client that is patched to ignore a forced logout",
    "closed with 4302 after 2 s; its seat is free for others, its session cannot be resumed, and a sign-in within the "
    "cool-down is `denied` `cooldown`",
    left="an app that goes on working without a connection: what runs on the client's machine is the client's. A service "
    "behind it can ask `GET /api/v1/sessions/ID` whether the session is live",
)
async def test_s44_a_client_that_ignores_a_logout(server: Server, company: Company) -> None:
    ann = await company.sign_in(server, "ann", "CALL_CENTER", acks=False)
    logout = {"users": [company.user("ann")], "cooldown_s": 60}
    ordered = asyncio.create_task(server.call("POST", "/api/v1/logout", logout))
    await ann.until(Logout)
    await ann.say(Busy(busy=True))
    assert await ann.recv() == Closed(4302, "logout")
    await ordered

    async def is_free() -> bool:
        return await company.used() == 0

    await eventually(is_free)
    again = await company.sign_in(server, "ann", "CALL_CENTER", resume=ann.resume)
    assert again.denied.code == "cooldown"


undefended(
    "S45",
    "a client that connects only once every `sessions.linger` seconds, and so holds a seat for ever almost without being "
    "there",
    "who comes back within the time is given the seat that was his: networks break, and the time is the customer's choice "
    "(`sessions.linger`, 30 s). The sessions page shows such sessions as parked, `seatd_resumes_total` counts them, and a "
    "forced logout with a cool-down ends them",
)


@attack(
    "S46",
    "somebody names another user's device, or takes over a session that is not his",
    "a device belongs to its user: the same id of another user is another device; `take_over` of a stranger's session is "
    "`unknown_session`, like that of one that does not exist",
)
async def test_s46_anothers_device(server: Server, company: Company, other: Company) -> None:
    ann = await company.sign_in(server, "ann", "CALL_CENTER", device="laptop")
    eve = await company.sign_in(server, "eve", "CALL_CENTER", device="laptop")
    foreign = await other.sign_in(server, "ann", "CALL_CENTER", device="laptop")
    told = []
    for thief in (eve, foreign):
        for session in (ann.welcome.session, "does-not-exist"):
            await thief.say(TakeOver(ref=1, session=session))
            told.append(await thief.until(Error))
    assert {error.code for error in told} == {"unknown_session"}
    assert len({error.message for error in told}) == 1
    assert ann.heard_nothing()
    assert await company.used() == 2


@attack(
    "S47",
    "a request names another customer than its credential does: in `hello`, in the path, query, body or a header",
    "the credential counts. Unknown fields of a message mean nothing; in the REST API what is another's is not there "
    "(404), whether it exists or not",
    left="such a 404 is no audit entry: the trail keeps what was done",
)
async def test_s47_another_customers_name(
    server: Server, company: Company, other: Company, operator: Operator
) -> None:
    theirs = await other.sign_in(server, "ann", "CALL_CENTER")
    mine = await company.sign_in(server, "ann", "CALL_CENTER")
    assert {seat.license for seat in mine.seats}.isdisjoint(seat.license for seat in theirs.seats)
    owner = await operator.token_of("owner", customers=[company.name])
    headers = {"X-Customer": other.name, "X-Tenant-Id": other.name}
    calls = [
        ("GET", f"/customers/{other.name}", None),
        ("GET", "/customers/does-not-exist", None),
        ("PATCH", f"/customers/{other.name}", {"name": "mine"}),
        ("GET", f"/sessions/{theirs.welcome.session}", None),
        ("GET", "/sessions/does-not-exist", None),
        ("DELETE", f"/licenses/{theirs.seats[0].license}", None),
        ("POST", "/logout", {"customer": other.name}),
        ("POST", "/logout", {"domain": other.domain}),
        ("POST", "/logout", {"sessions": [theirs.welcome.session]}),
    ]
    for method, path, body in calls:
        reply = await owner.call(method, path, body, headers=headers)
        assert reply.status in (404, 200), (path, reply.text)
        if reply.status == 200:
            assert reply.json["logged_out"] == 0
    for query in (f"/sessions?customer={other.name}", f"/licenses?customer={other.name}"):
        reply = await owner.call("GET", query, headers=headers)
        assert reply.status == 404 or reply.json["total"] == 0
    listed = (await owner.call("GET", "/customers", headers=headers)).json["items"]
    assert [row["id"] for row in listed] == [company.name]
    assert theirs.heard_nothing()


NAMES = [
    "a}b{c",
    "{x}",
    "{00}",
    "a:b:c",
    "*",
    "seatd:{00}:meta",
    "..",
    "%00",
    "A",
    "а",
    "ａ",
    "a\u200bb",
    "' OR 1=1 --",
    "𝖆",
]


@attack(
    "S48",
    "names of customers and users with braces, colons, stars, quotes, look-alikes, combining marks, a megabyte",
    "line ends, control characters and what is too long are refused (4401, 422). Others are data: a key's slot stands "
    "before the name in it, and names go to scripts as arguments. One form of a name counts (Unicode NFC), look-alikes are "
    "different users",
)
@pytest.mark.parametrize("name", NAMES, ids=ascii)
async def test_s48_names_that_are_meant_to_break_keys(server: Server, company: Company, name: str) -> None:
    before = await company.used()
    odd = await company.sign_in(server, "odd", "CALL_CENTER", token=company.token(f"{name}@{company.domain}"))
    elsewhere = await company.sign_in(
        server, "odd", "CALL_CENTER", token=company.token("odd", customer=f"{name}x")
    )
    for client in (odd, elsewhere):
        assert client.first is not None
        assert not (isinstance(client.first, Closed) and client.first.code == 4103)
    if odd.first != Closed(4401, "bad_token"):
        assert len(odd.seats) == 1
        assert await company.used() == before + 1
    if elsewhere.first != Closed(4401, "bad_token"):
        assert elsewhere.denied.code == "not_licensed"


@attack(
    "S48", "names that no key may hold, and one of a megabyte", "4401, or 4400 for a frame that is too large"
)
@pytest.mark.parametrize(
    "name", ["a\nb", "a\0b", "a\x1b[2J", "a b\r\n", "", "x" * 300, "x" * 1_000_000, "a@b", "\ud800"]
)
async def test_s48_names_that_are_refused(server: Server, company: Company, name: str) -> None:
    for claims in ({"sub": f"{name}@{company.domain}"}, {"customer": name}):
        user = claims.get("sub", "ann")
        if claims == {"customer": "a@b"}:
            continue  # a customer may be called so
        client = await company.connect(server)
        try:
            token = company.token(user, **{key: value for key, value in claims.items() if key != "sub"})
            hello = company.hello("ann", "CALL_CENTER", token=token)
            frame = client.codec.encode(hello)
        except (ValueError, UnicodeError):
            continue  # no client could send it
        await client.raw(frame)
        assert await client.closed() in (4400, 4401)


@attack(
    "S49",
    "sessions, customers and users are guessed by their ids, or found by what a refusal says",
    "ids and secrets have 128 random bits; a wrong one, another's and one that never was are refused in the same words",
)
async def test_s49_guessing(server: Server, company: Company, other: Company, operator: Operator) -> None:
    theirs = await other.sign_in(server, "ann", "CALL_CENTER")
    ids = {(await company.sign_in(server, f"u{n}")).welcome.session for n in range(10)}
    assert {len(one) for one in ids} == {22}
    owner = await operator.token_of("owner", customers=[company.name])

    async def same(real: str, made_up: str) -> bool:
        found = [await owner.call("GET", path) for path in (real, made_up)]
        texts = [
            reply.text.replace(real.rpartition("/")[2], "").replace(made_up.rpartition("/")[2], "")
            for reply in found
        ]
        return found[0].status == found[1].status == 404 and texts[0] == texts[1]

    assert await same(f"/sessions/{theirs.welcome.session}", "/sessions/" + "A" * 22)
    assert await same(f"/licenses/{theirs.seats[0].license}", "/licenses/none-1-1")
    assert await same(f"/customers/{other.name}", "/customers/c99999")
    assert await same(f"/domains/{other.domain}", "/domains/none.example")


@attack(
    "S50",
    "an owner walks through every call of the API that lists something, and the live stream, to find another customer's rows",
    "none: the caller's customers are part of every question. (`tests/web/test_rights.py` walks through every call as "
    "every role)",
    left="`/metrics` has a series for each customer: it is for the operator's Prometheus",
)
async def test_s50_foreign_rows(server: Server, company: Company, other: Company, operator: Operator) -> None:
    theirs = await other.sign_in(server, "ann", "CALL_CENTER")
    await company.sign_in(server, "ann", "CALL_CENTER")
    owner = await operator.token_of("owner", customers=[company.name])
    document = await whole(server, "/openapi.json")
    foreign = (other.domain, theirs.welcome.session, f'"{other.name}"')
    seen = 0
    for path, calls in document["paths"].items():
        if "get" not in calls or "stream" in path:
            continue
        for name, value in {"customer": other.name, "id": other.name, "domain": other.domain}.items():
            path = path.replace(f"{{{name}}}", value)
        path = path.replace("{session}", theirs.welcome.session).replace("{license}", theirs.seats[0].license)
        if "{" in path:
            continue
        for query in ("", f"?customer={other.name}", f"?search={other.name}"):
            reply = await owner.call("GET", path.removeprefix("/api/v1") + query)
            assert reply.status in (200, 403, 404, 409, 422), (path, reply.status)
            if reply.status == 200:
                seen += 1
                assert not any(text in reply.text for text in foreign), (path, query)
    assert seen > 10
    stream = await owner.call("GET", f"/stream?customer={other.name}&seconds=0")
    assert stream.refusal == (404, "unknown_customer")


async def whole(server: Server, path: str) -> Any:
    async with aiohttp.ClientSession() as http, http.get(f"http://{server.admin}{path}") as page:
        return await page.json()
