"""Resources through the API: switched on within the limit, shown in the registry, and in the trail."""

from __future__ import annotations

from typing import Any

from tests.web.conftest import Site

CHAT = {"product": "CHAT", "kind": "nominal", "limit": 2}
EMAIL = {"product": "EMAIL", "kind": "nominal", "limit": 3}


async def switch(
    site: Site, method: str, resource: str, product: str = "CHAT", domain: str = "acme.example"
) -> Any:
    path = f"/api/v1/domains/{domain}/resources/{product}/{resource}"
    status, body = await site.call(method, path)
    return (
        status
        if body is None
        else body.get("code", (body.get("status"), body.get("used"), body.get("limit")))
    )


async def test_within_the_limit(site: Site) -> None:
    await site.imported(CHAT, EMAIL)
    assert await switch(site, "PUT", "one") == ("occupied", 1, 2)
    assert await switch(site, "PUT", "one") == ("already", 1, 2)
    assert await switch(site, "PUT", "two") == ("occupied", 2, 2)
    assert await switch(site, "PUT", "three") == "resource_limit"
    assert await switch(site, "PUT", "three", "EMAIL") == ("occupied", 1, 3)
    assert await switch(site, "DELETE", "one") == 204
    assert await switch(site, "DELETE", "one") == "unknown_resource"
    _, page = await site.call("GET", "/api/v1/domains/acme.example/resources?search=T")
    assert [(row["product"], row["resource"], row["kind"]) for row in page["items"]] == [
        ("CHAT", "two", "chat_gateway"), ("EMAIL", "three", "email_profile"),
    ]  # fmt: skip
    _, row = await site.call("GET", "/api/v1/domains/acme.example/resources/CHAT/two")
    assert row == page["items"][0]


async def test_what_makes_no_sense(site: Site) -> None:
    await site.imported(CHAT)
    assert await switch(site, "PUT", "one", "CALL_CENTER") == "no_resource"
    assert await switch(site, "PUT", "one", "EMAIL") == "not_licensed"
    assert await switch(site, "PUT", "one", domain="elsewhere.example") == "unknown_domain"
    assert await switch(site, "PUT", "a%20b") == "invalid"
    await site.call("POST", "/api/v1/customers/acme/suspend")
    assert await switch(site, "PUT", "one") == "customer_suspended"


async def test_the_registry_shows_them(site: Site) -> None:
    await site.imported(CHAT, EMAIL, {})
    await switch(site, "PUT", "one")
    await switch(site, "PUT", "two")
    await switch(site, "PUT", "one", "EMAIL")
    await site.call("PUT", "/api/v1/licenses/acme-2/users/ann@acme.example")
    await site.call("PUT", "/api/v1/licenses/acme-2/users/bob@acme.example")
    _, page = await site.call("GET", "/api/v1/licenses?sort=-resources")
    assert [(row["product"], row["used"], row["resources"]) for row in page["items"]] == [
        ("CHAT", 2, 2), ("EMAIL", 2, 1), ("CALL_CENTER", 0, None),
    ]  # fmt: skip
    async with site.admin.get("/metrics") as response:
        text = await response.text()
    assert 'seatd_seats_used{customer="acme",license="acme-1",product="CHAT"} 2.0' in text


async def test_what_is_above_the_limit_shows(site: Site) -> None:
    await site.imported(CHAT, {**CHAT, "limit": 4})
    for resource in ("one", "two", "three"):
        await switch(site, "PUT", resource)
    _, page = await site.call("GET", "/api/v1/licenses")
    assert [(row["limit"], row["resources"], row["above_limit"]) for row in page["items"]] == [
        (2, 3, 0),
        (4, 3, 0),
    ]
    await site.call("DELETE", "/api/v1/licenses/acme-2")
    _, row = await site.call("GET", "/api/v1/licenses/acme-1")
    assert (row["resources"], row["above_limit"]) == (3, 1)
    assert await switch(site, "PUT", "four") == "resource_limit"
    _, page = await site.call("GET", "/api/v1/licenses/totals")
    assert [(row["limit"], row["used"], row["above_limit"]) for row in page["items"]] == [(2, 3, 1)]
