"""Live sessions as an administrator sees them."""

from __future__ import annotations

import pytest

from tests.web.conftest import Site


async def test_one_session(site: Site) -> None:
    await site.imported()
    _, welcome = await site.signed_in("ann@acme.example", "CALL_CENTER")
    status, session = await site.call("GET", f"/api/v1/sessions/{welcome['session']}")
    since, seat = session.pop("since"), session["seats"].pop()
    assert (status, session) == (
        200,
        {
            "session": welcome["session"],
            "customer": "acme",
            "user": "ann@acme.example",
            "domain": "acme.example",
            "device": {"kind": "desktop", "id": "d1", "name": "", "version": ""},
            "node": session["node"],
            "busy": False,
            "state": "attached",
            "until": None,
            "seats": [],
        },
    )
    assert since.endswith("Z")
    assert seat.pop("since").endswith("Z")
    assert seat == {
        "product": "CALL_CENTER",
        "license": "acme-1",
        "kind": "competitive",
        "holder": "ann@acme.example",
        "until": "2099-01-01T00:00:00Z",
        "overdraft": False,
    }
    assert welcome["secret"] not in str(session)


async def test_lists(site: Site) -> None:
    await site.imported()
    await site.imported(customer="beta", jti="key-2")
    for user, customer in (
        ("ann@acme.example", "acme"),
        ("bob@acme.example", "acme"),
        ("ann@beta.example", "beta"),
    ):
        await site.signed_in(user, "CALL_CENTER", customer=customer)
    for query, users, total in (
        ("", ["ann@acme.example", "ann@beta.example", "bob@acme.example"], 3),
        ("customer=beta", ["ann@beta.example"], 1),
        ("user=ann@acme.example", ["ann@acme.example"], 1),
        ("user=ann@ACME.example", ["ann@acme.example"], 1),
        ("customer=beta&user=ann@acme.example", [], 0),
        ("customer=none", [], 0),
        ("page=2&size=3", [], 3),
        ("search=ANN", ["ann@acme.example", "ann@beta.example"], 2),
        ("search=ann&domain=beta.example", ["ann@beta.example"], 1),
        ("search=nobody", [], 0),
        ("device=mobile", [], 0),
        ("device=desktop&state=attached&size=1&page=3", ["ann@beta.example"], 3),
        ("state=parked", [], 0),
    ):
        status, listing = await site.call("GET", f"/api/v1/sessions?{query}")
        assert status == 200
        assert sorted(row["user"] for row in listing["items"]) == users
        assert listing["total"] == total


async def test_pages_go_on_over_customers(site: Site) -> None:
    await site.imported()
    await site.imported(customer="beta", jti="key-2")
    for user, customer in (
        ("ann@acme.example", "acme"),
        ("bob@acme.example", "acme"),
        ("ann@beta.example", "beta"),
    ):
        await site.signed_in(user, "CALL_CENTER", customer=customer)
    seen = []
    for page in (1, 2, 3):
        _, listing = await site.call("GET", f"/api/v1/sessions?size=1&page={page}")
        seen += [row["user"] for row in listing["items"]]
    assert sorted(seen) == ["ann@acme.example", "ann@beta.example", "bob@acme.example"]


@pytest.mark.parametrize("user", ["ann", "a%00@x", "a@b@c"])
async def test_a_name_that_is_no_user(site: Site, user: str) -> None:
    status, body = await site.call("GET", f"/api/v1/sessions?user={user}")
    assert (status, body["code"], body["errors"][0]["path"]) == (422, "invalid", "user")


@pytest.mark.parametrize("session", ["none", "x" * 1000, "%00", "a@b", "*"])
async def test_a_session_that_is_not_there(site: Site, session: str) -> None:
    status, body = await site.call("GET", f"/api/v1/sessions/{session}")
    assert (status, body["code"]) == (404, "unknown_session")
