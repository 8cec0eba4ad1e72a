"""Users of a license: who holds it, who is assigned, and changing that."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from seatd.store.access_values import Grant
from tests.web.conftest import Site
from tests.web.people import administrator, signed_in

USERS = "/api/v1/licenses/acme-1/users"
NOMINAL = {"product": "EMAIL", "kind": "nominal", "limit": 2}


async def test_assigning_and_taking_back(site: Site) -> None:
    await site.imported(NOMINAL)
    assigned = {"license": "acme-1", "user": "ann@acme.example", "status": "assigned", "used": 1, "limit": 2}
    with capture_logs() as logs:
        assert await site.call("PUT", f"{USERS}/ann@acme.example") == (200, assigned)
    assert {"license": "acme-1", "user": "ann@acme.example", "by": "tests"}.items() <= logs[0].items()
    assert await site.call("PUT", f"{USERS}/ann@ACME.example") == (200, {**assigned, "status": "already"})
    _, listing = await site.call("GET", USERS)
    row = {"domain": "acme.example", "user": "ann@acme.example", "used": False, "sessions": 0}
    assert listing["items"] == [{**row, "since": None, "assigned": True, "may_logout": True}]
    assert await site.call("DELETE", f"{USERS}/ann@acme.example") == (204, None)
    status, body = await site.call("DELETE", f"{USERS}/ann@acme.example")
    assert (status, body["code"]) == (404, "not_assigned")


async def refusal(site: Site, user: str, license_: dict[str, Any]) -> tuple[int, str]:
    await site.imported(license_)
    status, body = await site.call("PUT", f"{USERS}/{user}")
    return status, body["code"]


async def test_a_full_license(site: Site) -> None:
    await site.imported(NOMINAL)
    for user in ("a", "b"):
        assert (await site.call("PUT", f"{USERS}/{user}@acme.example"))[0] == 200
    status, body = await site.call("PUT", f"{USERS}/c@acme.example")
    assert (status, body["code"]) == (409, "license_full")
    assert (await site.call("DELETE", f"{USERS}/a@acme.example"))[0] == 204
    assert (await site.call("PUT", f"{USERS}/c@acme.example"))[0] == 200


async def test_a_competitive_license_is_not_assigned(site: Site) -> None:
    assert await refusal(site, "a@acme.example", {}) == (409, "not_nominal")


async def test_a_domain_that_the_license_does_not_cover(site: Site) -> None:
    assert await refusal(site, "a@other.example", NOMINAL) == (409, "wrong_domain")


async def test_a_product_that_no_person_holds(site: Site) -> None:
    license_ = {"product": "CHAT", "kind": "nominal"}
    assert await refusal(site, "a@acme.example", license_) == (409, "not_assignable")


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ("alice", "user must be name@domain with exactly one @"),
        ("a@b@c", "user must be name@domain with exactly one @"),
        ("a%00@acme.example", "user must have no spaces, control or format characters"),
        ("a%0A@acme.example", "user must have no spaces, control or format characters"),
        ("a%20b@acme.example", "user must have no spaces, control or format characters"),
        ("a%E2%80%AEb@acme.example", "user must have no spaces, control or format characters"),
        ("a@acme%2Fexample", "domain must have no / and no @"),
        ("a" * 300 + "@acme.example", "user must have 1 to 254 characters"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_names_that_are_no_users(site: Site, method: str, user: str, message: str) -> None:
    await site.imported(NOMINAL)
    status, body = await site.call(method, f"{USERS}/{user}")
    assert (status, body["code"]) == (422, "invalid")
    assert body["errors"] == [{"path": "user", "message": message}]


@pytest.mark.parametrize(
    ("grant", "permissions", "may"),
    [
        (Grant(role="owner", customers=("acme",)), (), True),
        (Grant(role="supervisor", customers=("acme",), domains=("acme.example",)), (), True),
        (Grant(role="auditor", customers=("acme",)), (), False),
        (Grant(role="agency", agency="wholesale"), ("see", "people"), False),
        (Grant(role="agency", agency="wholesale"), ("see", "people", "logout"), True),
    ],
)
async def test_it_says_whom_the_caller_may_force_out(
    site: Site, grant: Grant, permissions: tuple[str, ...], may: bool
) -> None:
    await site.imported(profile={"agency": "wholesale"})
    await site.call("PUT", "/api/v1/customers/acme/permissions", json={"permissions": permissions})
    await site.signed_in("ann@acme.example", "CALL_CENTER")
    browser = await signed_in(site, await administrator(site, "somebody", grant))
    _, listing = await browser.call("GET", USERS.removeprefix("/api/v1/"))
    assert [row["may_logout"] for row in listing["items"]] == [may]


async def test_a_name_with_a_slash_is_one_segment(site: Site) -> None:
    await site.imported(NOMINAL)
    status, done = await site.call("PUT", f"{USERS}/a%2Fb@acme.example")
    assert (status, done["user"]) == (200, "a/b@acme.example")


async def test_holders_of_a_competitive_license(site: Site) -> None:
    await site.imported()
    for user in ("ann", "bob"):
        await site.signed_in(f"{user}@acme.example", "CALL_CENTER")
    await site.signed_in("ann@acme.example", "CALL_CENTER", device="d2")
    _, listing = await site.call("GET", USERS)
    assert [(row["user"], row["used"], row["sessions"], row["assigned"]) for row in listing["items"]] == [
        ("ann@acme.example", True, 2, False),
        ("bob@acme.example", True, 1, False),
    ]
    assert all(row["since"].endswith("Z") for row in listing["items"])


@pytest.mark.parametrize(
    ("query", "found", "total"),
    [
        ("", ["u0", "u1", "u2"], 3),
        ("search=U1", ["u1"], 1),
        ("search=example&size=2&page=2", ["u2"], 3),
        ("size=1&page=2", ["u1"], 3),
        ("page=9", [], 3),
    ],
)
async def test_search_and_pages(site: Site, query: str, found: list[str], total: int) -> None:
    await site.imported({**NOMINAL, "limit": 3})
    for number in range(3):
        await site.call("PUT", f"{USERS}/u{number}@acme.example")
    _, listing = await site.call("GET", f"{USERS}?{query}")
    assert [row["user"].partition("@")[0] for row in listing["items"]] == found
    assert listing["total"] == total
