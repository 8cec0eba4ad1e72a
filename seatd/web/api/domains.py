"""Domains: the tenants inside a customer. Each belongs to one customer only."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from seatd.licensing.names import canonical_domain, check_domain
from seatd.store.audit_values import Change
from seatd.web.api.customer_views import CustomerPath, check_alive
from seatd.web.api.ops import Call, Ops
from seatd.web.api.organisation_shapes import listed, matches, named
from seatd.web.api.shapes import Input, Listing, Nothing, PageQuery, Search
from seatd.web.errors import Problem

ops = Ops("domains")

Sort = Literal["domain", "customer", "users", "-domain", "-customer", "-users"]


class DomainPath(msgspec.Struct, frozen=True, kw_only=True):
    """Which domain; there is only one of that name in the whole store."""

    domain: str


class DomainsQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`search` is looked for in the domain's name; `customer` is exact."""

    search: Search = ""
    customer: Search = ""
    sort: Sort = "domain"


class NewDomain(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A domain to be made."""

    domain: str


class DomainView(msgspec.Struct, frozen=True, kw_only=True):
    """A domain, its customer, its users counted, and the licenses that cover it."""

    domain: str
    customer: str
    users: int
    licenses: tuple[str, ...]


@ops.op("GET", "/api/v1/domains", "domains.read")
async def list_domains(call: Call[Nothing, DomainsQuery, Nothing]) -> Listing[DomainView]:
    """Domains"""
    query = call.query
    found: list[DomainView] = []
    for customer in await call.scope.customers():
        if query.customer in ("", customer):
            found += await _views(call, customer)
    rows = [view for view in found if matches(query.search, view.domain)]
    return listed(rows, query, query.sort, id_field="domain")


@ops.op("GET", "/api/v1/domains/{domain}", "domains.read", problems=("unknown_domain",))
async def one_domain(call: Call[DomainPath, Nothing, Nothing]) -> DomainView:
    """One domain"""
    customer, domain = await find_domain(call, call.path.domain)
    return next(view for view in await _views(call, customer) if view.domain == domain)


@ops.op(
    "POST",
    "/api/v1/customers/{customer}/domains",
    "domains.change",
    problems=("unknown_customer", "customer_deleted", "domain_taken"),
)
async def create_domain(call: Call[CustomerPath, Nothing, NewDomain]) -> DomainView:
    """Make a domain (a license key makes those that it names, too)"""
    store = call.services.store
    customer = await call.scope.whole_customer(call.path.customer)
    domain = canonical_domain(named(check_domain, call.body.domain, "domain"))
    check_alive(await store.account(customer))
    if await store.claim_domains(customer, [domain]):
        raise Problem("domain_taken")

    async def decide() -> list[Change]:
        before = await store.fact(customer, "domains", domain)
        return [Change(place="domains", field=domain, before=before, after=before or {})]

    await store.amend(customer, call.caller.deed("domains.create", domain), decide)
    return next(view for view in await _views(call, customer) if view.domain == domain)


@ops.op("DELETE", "/api/v1/domains/{domain}", "domains.change", problems=("unknown_domain", "domain_in_use"))
async def delete_domain(call: Call[DomainPath, Nothing, Nothing]) -> None:
    """Delete a domain that nothing is left in"""
    store = call.services.store
    customer, domain = await find_domain(call, call.path.domain)
    await call.scope.whole_customer(customer)

    async def decide() -> list[Change]:
        if await _is_used(call, customer, domain):
            raise Problem("domain_in_use")
        return [Change(place="domains", field=domain, before=await store.fact(customer, "domains", domain))]

    await store.amend(customer, call.caller.deed("domains.delete", domain), decide)
    await store.release_domains(customer, [domain])


async def find_domain(call: Call[Any, Any, Any], name: str) -> tuple[str, str]:
    """Customer and domain, if it is there for the caller; else the problem `unknown_domain`."""
    domain = canonical_domain(name)
    store = call.services.store
    customer = await store.owner_of(domain)
    if customer is None or not (call.scope.has_domain(domain) and await call.scope.has_customer(customer)):
        raise Problem("unknown_domain")
    if await store.fact(customer, "domains", domain) is None:
        raise Problem("unknown_domain")
    return customer, domain


async def _is_used(call: Call[Any, Any, Any], customer: str, domain: str) -> bool:
    store = call.services.store
    users = await store.facts(customer, "users")
    resources = await store.facts(customer, "resources")
    return (
        any(user.rpartition("@")[2] == domain for user in users)
        or any(field.split(" ")[1] == domain for field in resources)
        or await store.is_covered(customer, domain)
    )


async def _views(call: Call[Any, Any, Any], customer: str) -> list[DomainView]:
    store = call.services.store
    domains, users = await store.facts(customer, "domains"), await store.facts(customer, "users")
    rows = await store.registry([customer])
    return [
        DomainView(
            domain=domain,
            customer=customer,
            users=sum(user.rpartition("@")[2] == domain for user in users),
            licenses=tuple(row.id for row in rows if domain in row.domains),
        )
        for domain in sorted(filter(call.scope.has_domain, domains))
    ]
