"""A dry run says who would be affected, and affects nobody."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.web.conftest import Site, license_key

NOBODY = {"number": 0, "users": []}
DOMAINS = ["acme.example", "zoo.example"]


async def dry(site: Site, *licenses: dict[str, Any], **key: Any) -> Any:
    text = license_key(*licenses, jti="next", iat=1_700_000_001, **key)
    status, body = await site.call("POST", "/api/v1/licenses?dry_run=true", json={"key": text})
    assert status == 200, body
    return body["affected"]


async def test_nobody_by_a_key_that_takes_nothing(site: Site) -> None:
    await site.imported()
    await site.signed_in("ann@acme.example", "CALL_CENTER")
    assert await dry(site, {"limit": 9}, {}) == []
    assert await dry(site, {"limit": 1}) == []


async def test_holders_above_the_limit_the_newest_first(site: Site) -> None:
    await site.imported()
    for name in ("ann", "bob", "eve"):
        await site.signed_in(f"{name}@acme.example", "CALL_CENTER", device=name)
        await asyncio.sleep(0.002)  # a seat of its own millisecond
    (affected,) = await dry(site, {"limit": 1})
    assert affected["license"] == "acme-1"
    assert affected["above_limit"] == {"number": 2, "users": ["eve@acme.example", "bob@acme.example"]}
    assert affected["not_covered"] == affected["assignments_lost"] == NOBODY
    assert await dry(site, {"limit": 1, "overdraft": 2}) == []


async def test_users_of_domains_that_are_covered_no_longer(site: Site) -> None:
    await site.imported({}, {"kind": "nominal", "product": "QUALITY_AUDITOR"}, domains=DOMAINS)
    for user in ("ann@acme.example", "bob@zoo.example"):
        await site.signed_in(user, "CALL_CENTER", device=user)
        await site.call("PUT", f"/api/v1/licenses/acme-2/users/{user}")
    competitive, nominal = await dry(site, {}, {"kind": "nominal", "product": "QUALITY_AUDITOR"})
    assert competitive["domains_lost"] == nominal["domains_lost"] == ["zoo.example"]
    bob = {"number": 1, "users": ["bob@zoo.example"]}
    assert (competitive["not_covered"], competitive["assignments_lost"]) == (bob, NOBODY)
    assert (nominal["not_covered"], nominal["assignments_lost"]) == (NOBODY, bob)
    _, page = await site.call("GET", "/api/v1/licenses")
    assert {row["used"] for row in page["items"]} == {2}


async def test_a_license_that_is_another_one_now(site: Site) -> None:
    await site.imported({"kind": "nominal", "product": "QUALITY_AUDITOR"})
    for number in range(3):
        await site.call("PUT", f"/api/v1/licenses/acme-1/users/u{number}@acme.example")
    (affected,) = await dry(site, {"product": "QUALITY_AUDITOR"})
    assert affected["assignments_lost"]["number"] == 3
    (affected,) = await dry(site, {"kind": "nominal", "product": "CALL_CENTER"})
    assert affected["assignments_lost"]["users"] == [f"u{n}@acme.example" for n in range(3)]


async def test_a_customer_that_a_key_makes_is_in_its_trail(site: Site) -> None:
    await site.imported(profile={"name": "Acme"})
    await site.imported(jti="two", iat=1_700_000_002)
    first, second = [recorded.entry() async for recorded in site.services.store.audit_trail("acme")]
    assert first.changes[0].place == "customers"
    assert first.changes[0].after["name"] == "Acme"
    assert {change.place for change in second.changes} == {"licenses"}
