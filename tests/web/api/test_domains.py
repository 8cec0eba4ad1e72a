"""Domains: of one customer each, made, looked for, deleted when nothing is left in them."""

from __future__ import annotations

import asyncio

from tests.web.conftest import Site


async def make(site: Site, domain: str, customer: str = "acme") -> tuple[int, str]:
    status, body = await site.call("POST", f"/api/v1/customers/{customer}/domains", json={"domain": domain})
    return status, body.get("code", body.get("customer"))


async def two_customers(site: Site) -> None:
    for customer in ("acme", "beta"):
        await site.imported(customer=customer, jti=customer)


async def test_a_domain_belongs_to_one_customer(site: Site) -> None:
    await two_customers(site)
    assert await make(site, "Sales.Acme.Example") == (200, "acme")
    assert await make(site, "sales.acme.example") == (200, "acme")
    assert await make(site, "sales.acme.example", "beta") == (409, "domain_taken")
    assert await make(site, "acme.example", "beta") == (409, "domain_taken")
    assert await make(site, "a b", "beta") == (422, "invalid")
    assert await make(site, "new.example", "unknown") == (404, "unknown_customer")
    trail = [recorded.entry() async for recorded in site.services.store.audit_trail("acme")]
    assert [entry.target for entry in trail if entry.action == "domains.create"] == ["sales.acme.example"]


async def test_of_two_who_want_it_at_once_one_has_it(site: Site) -> None:
    await two_customers(site)
    done = await asyncio.gather(*(make(site, "new.example", name) for name in ("acme", "beta") * 5))
    winner = {who for status, who in done if status == 200}
    assert len(winner) == 1
    assert [who for status, who in done if status != 200] == ["domain_taken"] * 5
    _, page = await site.call("GET", "/api/v1/domains?search=new")
    assert {row["customer"] for row in page["items"]} == winner


async def test_lists(site: Site) -> None:
    await two_customers(site)
    await make(site, "zoo.example")
    _, page = await site.call("GET", "/api/v1/domains?customer=acme&sort=-domain")
    assert [(row["domain"], row["licenses"]) for row in page["items"]] == [
        ("zoo.example", []), ("acme.example", ["acme-1"]),
    ]  # fmt: skip


async def test_what_is_in_use_stays(site: Site) -> None:
    await two_customers(site)
    await make(site, "zoo.example")
    await site.call("POST", "/api/v1/customers/acme/users", json={"user": "ann@zoo.example"})
    for domain in ("acme.example", "zoo.example"):
        status, body = await site.call("DELETE", f"/api/v1/domains/{domain}")
        assert (status, body["code"]) == (409, "domain_in_use")
    await site.call("DELETE", "/api/v1/customers/acme/users/ann@zoo.example")
    assert (await site.call("DELETE", "/api/v1/domains/zoo.example"))[0] == 204
    assert (await site.call("GET", "/api/v1/domains/zoo.example"))[0] == 404
    assert await make(site, "zoo.example", "beta") == (200, "beta")
