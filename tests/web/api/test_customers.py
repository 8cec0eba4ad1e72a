"""Customers: made, listed with their use, changed field by field, settled with, suspended and ended."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from seatd.store.access_values import Grant, TokenRecord
from seatd.store.audit_values import SYSTEM, Change, Deed
from seatd.web.api.customer_status import month_end_ms
from seatd.web.api.shapes import moment
from seatd.web.auth import token_hash
from tests.web.conftest import Site, license_key

PATH = "/api/v1/customers"


async def changed(site: Site, path: str = "", **fields: Any) -> Any:
    status, body = await site.call("PATCH", f"{PATH}/acme{path}", json=fields)
    assert status == 200, body
    return body


async def refused(site: Site, method: str, path: str, body: Any = None) -> str:
    _, answer = await site.call(method, f"{PATH}{path}", json=body)
    return str(answer["code"])


async def told(site: Site, what: str) -> tuple[str, str | None]:
    status, body = await site.call("POST", f"{PATH}/acme/{what}")
    assert status == 200, body
    return body["status"], body["delete_at"]


def end_of_this_month(site: Site) -> str:
    return moment(month_end_ms(site.services.store.wall_ms())).isoformat().replace("+00:00", "Z")


async def test_one_is_made(site: Site) -> None:
    await site.call("POST", "/api/v1/agencies", json={"id": "wholesale"})
    status, body = await site.call(
        "POST", PATH, json={"id": "acme", "name": "Acme", "agency": "wholesale", "external_id": "X-1",
                            "number_blocks": [{"first": "100", "last": "199"}]},
    )  # fmt: skip
    assert status == 200
    assert body == {
        "id": "acme", "name": "Acme", "agency": "wholesale", "external_id": "X-1", "status": "active",
        "delete_at": None, "created": "2026-09-21T14:13:20Z", "in_use": {"seats": 0, "sessions": 0},
            "week": None,
        "products": [], "money": {"balance": "0", "debit_limit": "0", "currency": ""},
        "permissions": ["see", "licenses"], "contacts": [],
        "number_blocks": [{"first": "100", "last": "199"}], "domains": [],
    }  # fmt: skip
    assert await refused(site, "POST", "", {"id": "acme"}) == "customer_exists"
    assert await refused(site, "POST", "", {"id": "b", "agency": "unknown"}) == "unknown_agency"
    (entry,) = [recorded.entry() async for recorded in site.services.store.audit_trail("acme")]
    assert (entry.action, entry.by.name) == ("customers.create", "tests")


async def test_a_key_makes_one_and_administrators_have_the_last_word(site: Site) -> None:
    await site.imported(profile={"name": "Acme", "external_id": "K-1"})
    body = await changed(site, name="Acme Ltd")
    assert (body["name"], body["external_id"], body["domains"]) == ("Acme Ltd", "K-1", ["acme.example"])
    _, row = await site.call("GET", "/api/v1/licenses/acme-1")
    assert (row["customer_name"], row["external_id"]) == ("Acme Ltd", "K-1")
    assert (await changed(site, name=None))["name"] == "Acme"


async def test_lists_with_limits_and_live_use(site: Site) -> None:
    for customer in ("acme", "beta", "gamma"):
        await site.imported(
            {"limit": 3}, {"limit": 4}, customer=customer, jti=customer, profile={"name": customer[::-1]}
        )
    await site.signed_in("ann@acme.example", "CALL_CENTER")
    _, page = await site.call("GET", f"{PATH}?sort=-id&size=2&page=2")
    (row,) = page["items"]
    assert (row["id"], page["total"], row["in_use"]) == ("acme", 3, {"seats": 1, "sessions": 1})
    (total,) = row["products"]
    assert (total["product"], total["limit"], total["used"]) == ("CALL_CENTER", 7, 1)
    _, page = await site.call("GET", f"{PATH}?search=ateb")
    assert [row["id"] for row in page["items"]] == ["beta"]
    await site.call("POST", f"{PATH}/beta/suspend")
    _, page = await site.call("GET", f"{PATH}?status=suspended&sort=created")
    assert [row["id"] for row in page["items"]] == ["beta"]


@pytest.mark.parametrize(
    "body",
    [
        {"colour": "red"},
        {"balance": "1"},
        {"status": "active"},
        {"name": "a\u202eb"},
        {"number_blocks": [{"first": "10", "last": "19"}]},
        {"number_blocks": [{"first": "100", "last": "1000"}]},
        {"number_blocks": [{"first": "200", "last": "100"}]},
        {"number_blocks": [{"first": "100", "last": "200"}, {"first": "200", "last": "300"}]},
        {"name": "New", "number_blocks": [{"first": "123456", "last": "123457"}]},
    ],
)
async def test_what_is_refused_changes_nothing(site: Site, body: Any) -> None:
    await site.imported()
    before = await site.call("GET", f"{PATH}/acme")
    assert await refused(site, "PATCH", "/acme", body) == "invalid"
    assert await site.call("GET", f"{PATH}/acme") == before


async def test_blocks_of_other_lengths_do_not_overlap(site: Site) -> None:
    await site.imported()
    blocks = [{"first": "1000", "last": "1999"}, {"first": "100", "last": "199"}]
    assert (await changed(site, number_blocks=blocks))["number_blocks"] == blocks[::-1]


async def test_a_block_with_extensions_in_use_stays(site: Site) -> None:
    await site.imported()
    await changed(site, number_blocks=[{"first": "100", "last": "199"}, {"first": "300", "last": "399"}])

    async def decide() -> list[Change]:
        return [Change(place="extensions", field="150", after={"user": ""})]

    await site.services.store.amend("acme", Deed(by=SYSTEM, action="test"), decide)
    body = {"number_blocks": [{"first": "160", "last": "199"}], "name": "New"}
    assert await refused(site, "PATCH", "/acme", body) == "block_in_use"
    view = await changed(site, number_blocks=[{"first": "150", "last": "150"}])
    assert (view["number_blocks"], view["name"]) == ([{"first": "150", "last": "150"}], "")


async def test_two_who_change_different_things_lose_nothing(site: Site) -> None:
    await site.imported()
    fields = {"name": "Acme", "external_id": "X-9", "contacts": [{"name": "Ann"}]}
    await asyncio.gather(*(changed(site, **{name: value}) for name, value in fields.items()))
    _, body = await site.call("GET", f"{PATH}/acme")
    assert (body["name"], body["external_id"], body["contacts"][0]["name"]) == ("Acme", "X-9", "Ann")


async def test_money_is_decimal_text(site: Site) -> None:
    await site.imported()
    body = await changed(site, "/money", balance="-0012.50", debit_limit="100", currency="EUR")
    assert body["money"] == {"balance": "-12.50", "debit_limit": "100", "currency": "EUR"}
    assert (await changed(site, "/money", balance="-0.00"))["money"]["balance"] == "0.00"
    for wrong in ({"balance": 1.5}, {"balance": "1e3"}, {"balance": "1.00001"}, {"debit_limit": "-1"}):
        assert await refused(site, "PATCH", "/acme/money", wrong) == "invalid"


async def test_an_owner_says_what_the_agency_may_do(site: Site) -> None:
    await site.imported()
    body = {"permissions": ["logout", "see", "see"]}
    _, view = await site.call("PUT", f"{PATH}/acme/permissions", json=body)
    assert view["permissions"] == ["see", "logout"]
    assert await refused(site, "PUT", "/acme/permissions", {"permissions": ["everything"]}) == "invalid"


async def test_suspended_and_resumed(site: Site) -> None:
    await site.imported()
    _, held = await site.signed_in("ann@acme.example", "CALL_CENTER")
    assert held["seats"]
    assert await told(site, "suspend") == ("suspended", None)
    _, denied = await site.signed_in("bob@acme.example", "CALL_CENTER", device="d2")
    assert denied["code"] == "suspended"
    assert await told(site, "resume") == ("active", None)
    _, welcome = await site.signed_in("bob@acme.example", "CALL_CENTER", device="d3")
    assert welcome["type"] == "welcome"


async def test_ended_and_taken_back(site: Site) -> None:
    await site.imported()
    month_end = end_of_this_month(site)
    assert await told(site, "cancel") == ("pending_deletion", month_end)
    assert await told(site, "cancel") == ("pending_deletion", month_end)
    _, welcome = await site.signed_in("ann@acme.example", "CALL_CENTER")
    assert welcome["type"] == "welcome"
    assert await told(site, "reinstate") == ("active", None)
    assert (await site.call("DELETE", f"{PATH}/acme"))[0] == 204
    _, body = await site.call("GET", f"{PATH}/acme")
    assert (body["status"], body["delete_at"]) == ("pending_deletion", month_end)


async def test_nobody_ends_a_suspension_by_cancelling(site: Site) -> None:
    await site.imported()
    month_end = end_of_this_month(site)
    await told(site, "suspend")
    assert await told(site, "cancel") == ("suspended", month_end)
    assert await told(site, "reinstate") == ("suspended", None)
    await told(site, "cancel")
    assert await told(site, "resume") == ("pending_deletion", month_end)
    assert await told(site, "suspend") == ("suspended", month_end)


def test_the_end_of_a_month_is_in_utc() -> None:
    december_31 = 1_798_761_599_999
    assert month_end_ms(december_31) == december_31 + 1
    assert month_end_ms(december_31 + 1) == 1_801_440_000_000


async def test_totals_by_sum_and_by_max(site: Site) -> None:
    email = {"product": "EMAIL", "kind": "nominal"}
    await site.imported({"limit": 3}, {"limit": 4}, {**email, "limit": 5}, {**email, "limit": 9},
                        {"limit": 7, "valid_till": "2021-01-01T00:00:00Z"})  # fmt: skip
    await site.call("PUT", "/api/v1/licenses/acme-3/users/ann@acme.example")
    _, page = await site.call("GET", "/api/v1/licenses/totals?customer=acme")
    assert [(row["product"], row["combine"], row["licenses"], row["limit"], row["used"]) for row in page["items"]] == [
        ("CALL_CENTER", "sum", 2, 7, 0), ("EMAIL", "max", 2, 9, 1),
    ]  # fmt: skip
    _, page = await site.call("GET", "/api/v1/licenses/totals?customer=nobody")
    assert page["total"] == 0


async def test_nothing_is_given_to_one_that_is_being_deleted(site: Site) -> None:
    await site.imported()

    async def decide() -> list[Change]:
        return [Change(place="account", field="status", after="deleted")]

    await site.services.store.amend("acme", Deed(by=SYSTEM, action="test"), decide)
    key = {"key": license_key({"limit": 9}, jti="next", iat=1_700_000_001)}
    for method, path, body in (
        ("POST", "licenses", key),
        ("PATCH", "customers/acme", {"name": "New"}),
        ("PATCH", "customers/acme/money", {"balance": "1"}),
        ("POST", "customers/acme/reinstate", None),
        ("POST", "customers/acme/domains", {"domain": "new.example"}),
        ("POST", "customers/acme/users", {"user": "ann@acme.example"}),
    ):
        status, answer = await site.call(method, f"/api/v1/{path}", json=body)
        assert (status, answer["code"]) == (409, "customer_deleted"), path


async def test_who_has_only_some_domains_does_not_settle_for_the_whole(site: Site) -> None:
    await site.imported(domains=["acme.example", "zoo.example"])
    grant = Grant(role="admin", customers=("acme",), domains=("acme.example",))
    token = "an-admins-token-0123456789-0123456789"
    record = TokenRecord(name="ann", grant=grant, created_ms=0)
    await site.services.store.register_token(token_hash(token), record)

    async def call(method: str, path: str, **request: Any) -> tuple[int, Any]:
        return await site.call(method, path, headers={"Authorization": f"Bearer {token}"}, **request)

    _, view = await call("GET", f"{PATH}/acme")
    assert view["domains"] == ["acme.example"]
    for method, path, body in (
        ("PATCH", f"{PATH}/acme", {"name": "New"}),
        ("POST", f"{PATH}/acme/domains", {"domain": "new.example"}),
        ("GET", "/api/v1/audit?customer=acme", None),
        ("GET", "/api/v1/audit", None),
        ("GET", "/api/v1/audit/trails", None),
    ):
        status, answer = await call(method, path, json=body)
        assert (status, answer["code"]) == (403, "forbidden"), path
    for user, code in (("bob@zoo.example", "unknown_domain"), ("bob@acme.example", None)):
        _, answer = await call("POST", f"{PATH}/acme/users", json={"user": user})
        assert answer.get("code") == code
    await site.call("POST", f"{PATH}/acme/users", json={"user": "eve@zoo.example"})
    _, page = await call("GET", f"{PATH}/acme/users")
    assert [row["user"] for row in page["items"]] == ["bob@acme.example"]
    assert (await call("DELETE", f"{PATH}/acme/users/eve@zoo.example"))[1]["code"] == "unknown_user"
    assert (await call("DELETE", "/api/v1/domains/zoo.example"))[1]["code"] == "unknown_domain"
