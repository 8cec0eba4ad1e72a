"""Administrators: made, changed and removed by those who may, and no way up for those who may not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from seatd.store.access_values import EVERYTHING, Grant
from tests.web.conftest import Site
from tests.web.people import HASH, PASSWORD, TOTP, Browser, administrator, sign_in, signed_in

ACME = {"role": "owner", "customers": ["acme"]}
OPERATOR = {"role": "operator"}
OWNER = Grant(role="owner", customers=("acme",))
NEW = "another good pass phrase"


@pytest.fixture
async def owner(site: Site) -> Browser:
    """The owner of acme; there is beta, too."""
    for customer in ("acme", "beta"):
        await site.imported(customer=customer, jti=customer)
    return await signed_in(site, await administrator(site, "owner", OWNER))


async def test_from_made_to_removed(site: Site) -> None:
    await site.imported()
    body = {"name": "ann@acme.example", "grants": [ACME], "password": PASSWORD}
    status, view = await site.call("POST", "/api/v1/administrators", json=body)
    assert (status, view["has_password"], view["created_by"]) == (200, True, "tests")
    assert (await site.call("POST", "/api/v1/administrators", json=body))[1]["code"] == "administrator_exists"
    assert (await sign_in(site, name="ann@acme.example", password=PASSWORD))[0] == 200
    assert (await site.call("GET", "/api/v1/administrators/ann@acme.example"))[1] == view
    _, listing = await site.call("GET", "/api/v1/administrators?search=ANN")
    assert listing["items"] == [view]
    assert (await site.call("DELETE", "/api/v1/administrators/ann@acme.example"))[0] == 204
    status, answer = await site.call("GET", "/api/v1/administrators/ann@acme.example")
    assert (status, answer["code"]) == (404, "unknown_administrator")
    assert (await sign_in(site, name="ann@acme.example", password=PASSWORD))[0] == 401


async def test_the_trail_tells_who_did_it_and_no_secret(site: Site) -> None:
    body = {"name": "ann", "grants": [OPERATOR], "password": PASSWORD}
    await site.call("POST", "/api/v1/administrators", json=body)
    await site.call("PATCH", "/api/v1/administrators/ann", json={"password": NEW})
    trail = [recorded.entry() async for recorded in site.services.store.audit_trail(None)]
    assert [entry.action for entry in trail] == ["administrator.create", "administrator.change"]
    assert {entry.by.name for entry in trail} == {"tests"}
    assert "argon2" not in str(trail)
    assert trail[1].changes[0].before["password_hash"] != trail[1].changes[0].after["password_hash"]


async def test_no_answer_holds_a_secret(site: Site) -> None:
    await administrator(site, "ann", totp_secret=TOTP)
    _, view = await site.call("GET", "/api/v1/administrators/ann")
    assert (view["totp"], view["has_password"]) == (True, True)
    assert HASH not in str(view)
    assert TOTP not in str(view)


# -- no way up -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grant", "status"),
    [
        (OPERATOR, 403),
        ({"role": "agency", "agency": "a"}, 403),
        ({"role": "auditor"}, 403),
        ({"role": "owner", "customers": ["beta"]}, 404),
        ({"role": "owner", "customers": ["acme", "beta"]}, 404),
        ({"role": "owner"}, 422),
        ({"role": "root", "customers": ["acme"]}, 422),
        ({"role": "admin", "customers": ["acme"], "reach": "all"}, 422),
        ({"role": "admin", "customers": ["acme"]}, 200),
    ],
)
async def test_nobody_gives_more_than_he_has(
    site: Site, owner: Browser, grant: dict[str, Any], status: int
) -> None:
    await administrator(site, "ann", OWNER)
    made = {"name": "new", "grants": [ACME, grant]}
    assert (await owner.call("POST", "administrators", json=made))[0] == status
    assert (await owner.call("PATCH", "administrators/ann", json={"grants": [grant]}))[0] == status
    assert (await owner.call("PATCH", "administrators/owner", json={"grants": [grant]}))[0] == status
    token = {"name": "t", "grant": grant}
    site_owner = await signed_in(site, await administrator(site, "other", OWNER))
    assert (await site_owner.call("POST", "tokens", json=token))[0] == status


@pytest.mark.parametrize(
    "body",
    [
        {"role": "operator"},
        {"grant": OPERATOR},
        {"name": "root"},
        {"password_hash": HASH},
        {"generation": 1},
        {"created_by": "root"},
        {"totp_secret": TOTP},
        {"totp": "on"},
        {"grants": []},
        {"disabled": "no"},
        {"must_totp": None},
    ],
)
async def test_no_other_fields_can_be_written(site: Site, owner: Browser, body: dict[str, Any]) -> None:
    await administrator(site, "ann", OWNER)
    before = await site.services.store.administrator("ann")
    status, answer = await owner.call("PATCH", "administrators/ann", json=body)
    assert (status, answer["code"]) == (422, "invalid")
    assert await site.services.store.administrator("ann") == before


async def test_an_owner_sees_only_whom_own_customers_concern(site: Site, owner: Browser) -> None:
    await administrator(site, "both", Grant(role="admin", customers=("acme", "beta")))
    await administrator(site, "elsewhere", Grant(role="admin", customers=("beta",)))
    await administrator(site, "root", EVERYTHING)
    _, listing = await owner.call("GET", "administrators")
    assert [row["name"] for row in listing["items"]] == ["both", "owner"]
    assert "beta" not in str(listing)
    for name in ("elsewhere", "root", "nobody"):
        for method, path, body in (
            ("GET", f"administrators/{name}", None),
            ("PATCH", f"administrators/{name}", {"disabled": True}),
            ("DELETE", f"administrators/{name}", None),
            ("POST", "sign-in-links", {"name": name}),
        ):
            status, answer = await owner.call(method, path, json=body)
            assert (status, answer["code"]) == (404, "unknown_administrator")


async def test_nobody_takes_over_one_who_may_do_more(site: Site, owner: Browser) -> None:
    """Neither by a password nor by a link: else that would be the way up."""
    await administrator(site, "both", OWNER, EVERYTHING)
    for method, path, body in (
        ("PATCH", "administrators/both", {"password": NEW}),
        ("PATCH", "administrators/both", {"totp": "off"}),
        ("PATCH", "administrators/both", {"grants": [ACME]}),
        ("DELETE", "administrators/both", None),
        ("POST", "sign-in-links", {"name": "both"}),
    ):
        status, answer = await owner.call(method, path, json=body)
        assert (status, answer["code"]) == (403, "forbidden")


@pytest.mark.parametrize("role", ["admin", "supervisor", "auditor", "agency"])
async def test_other_roles_administer_nobody(site: Site, role: Any) -> None:
    where: dict[str, Any] = {"agency": "a"} if role == "agency" else {"customers": ("acme",)}
    domains = ("acme.example",) if role == "supervisor" else ()
    browser = await signed_in(
        site, await administrator(site, "ann", Grant(role=role, domains=domains, **where))
    )
    for method, path, body in (
        ("GET", "administrators", None),
        ("PATCH", "administrators/ann", {"grants": [OPERATOR]}),
        ("POST", "sign-in-links", {"name": "ann"}),
        ("POST", "tokens", {"name": "t", "grant": OPERATOR}),
    ):
        assert (await browser.call(method, path, json=body))[1]["code"] == "forbidden"


async def test_acting_for_one_customer_one_administers_only_it(site: Site, owner: Browser) -> None:
    root = await signed_in(site, await administrator(site, "root"))
    await root.call("POST", "profile/switch", json={"customer": "acme"})
    body = {"name": "new", "grants": [OPERATOR]}
    assert (await root.call("POST", "administrators", json=body))[0] == 403
    assert (await root.call("PATCH", "administrators/root", json={"disabled": True}))[0] == 404


async def test_own_password_and_codes_are_not_changed_past_the_proof(site: Site) -> None:
    root = await administrator(site, "root", totp_secret=TOTP, must_totp=True)
    browser = await signed_in(site, root)
    for body in ({"password": NEW}, {"totp": "off"}, {"must_totp": False}):
        assert (await browser.call("PATCH", "administrators/root", json=body))[0] == 422
    assert await site.services.store.administrator("root") == root


async def test_nor_by_a_token_that_one_has_made(site: Site, owner: Browser) -> None:
    before = await administrator(site, "owner", OWNER, totp_secret=TOTP, must_totp=True)
    headers: dict[str, str] = {}
    for _ in range(2):  # the second is made with the first
        body = {"name": "t", "grant": ACME}
        made = await (
            site.call("POST", "/api/v1/tokens", json=body, headers=headers)
            if headers
            else owner.call("POST", "tokens", json=body)
        )
        assert made[1]["created_by"] == "owner"
        headers = {"Authorization": f"Bearer {made[1]['token']}"}
        for method, path, change in (
            ("PATCH", "administrators/owner", {"password": NEW}),
            ("PATCH", "administrators/owner", {"totp": "off", "must_totp": False}),
            ("DELETE", "administrators/owner", None),
            ("POST", "sign-in-links", {"name": "owner"}),
        ):
            status, answer = await site.call(method, f"/api/v1/{path}", json=change, headers=headers)
            assert (status, answer["code"]) == (403, "forbidden")
    assert await site.services.store.administrator("owner") == before


async def test_who_cannot_sign_in_is_not_the_other_operator(site: Site) -> None:
    await administrator(site, "root")
    await administrator(site, "nobody", password_hash="")
    status, answer = await site.call("DELETE", "/api/v1/administrators/root")
    assert (status, answer["code"]) == (409, "last_operator")
    assert (await site.call("DELETE", "/api/v1/administrators/nobody"))[0] == 204


async def test_the_last_operator_stays(site: Site, owner: Browser) -> None:
    await administrator(site, "root")
    await administrator(site, "gone", disabled=True)
    for method, body in (
        ("DELETE", None),
        ("PATCH", {"disabled": True}),
        ("PATCH", {"grants": [ACME]}),
    ):
        status, answer = await site.call(method, "/api/v1/administrators/root", json=body)
        assert (status, answer["code"]) == (409, "last_operator")
    await administrator(site, "second")
    assert (await site.call("PATCH", "/api/v1/administrators/root", json={"grants": [ACME]}))[0] == 200


async def test_of_two_operators_who_remove_each_other_one_stays(site: Site) -> None:
    await administrator(site, "one")
    await administrator(site, "two")
    answers = await asyncio.gather(
        *(site.call("DELETE", f"/api/v1/administrators/{name}") for name in ("one", "two"))
    )
    assert sorted(status for status, _ in answers) == [204, 409]


# -- what is open ends ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "on"),
    [
        ({"disabled": True}, False),
        ({"password": NEW}, False),
        ({"grants": [{"role": "auditor"}]}, False),
        ({"totp": "off"}, False),
        ({"must_totp": True}, True),
        ({"disabled": False}, True),
    ],
)
async def test_a_change_ends_what_is_open(site: Site, body: dict[str, Any], on: bool) -> None:
    await administrator(site, "root")
    browser = await signed_in(site, await administrator(site, "ann", totp_secret=TOTP))
    assert (await site.call("PATCH", "/api/v1/administrators/ann", json=body))[0] == 200
    assert (await browser.call("GET", "profile"))[0] == (200 if on else 401)


async def test_who_is_removed_is_out_and_does_not_come_back_by_the_name(site: Site) -> None:
    await administrator(site, "root")
    browser = await signed_in(site, await administrator(site, "ann"))
    assert (await site.call("DELETE", "/api/v1/administrators/ann"))[0] == 204
    assert (await browser.call("GET", "licenses"))[0] == 401
    await site.call("POST", "/api/v1/administrators", json={"name": "ann", "grants": [OPERATOR]})
    assert (await browser.call("GET", "licenses"))[0] == 401


@pytest.mark.parametrize("name", ["", " ", "a b", "a/b", "..", "a\u202eb", "x" * 255, "a\x00b", "A\u030a"])
async def test_names(site: Site, name: str) -> None:
    body = {"name": name, "grants": [OPERATOR]}
    status, answer = await site.call("POST", "/api/v1/administrators", json=body)
    assert (status, answer["errors"][0]["path"]) == (422, "name")
