"""Domains: the tenants inside a customer. Each belongs to one customer only."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from seatd.licensing.names import canonical_domain, check_domain
from seatd.store.audit_values import Change
from seatd.store.domains import Claim
from seatd.store.registry_values import LicenseRow
from seatd.store.values import UnknownCustomer
from seatd.web.api.customer_views import CustomerPath, check_alive
from seatd.web.api.ops import Call, Ops
from seatd.web.api.organisation_shapes import listed, matches, named
from seatd.web.api.shapes import Input, Listing, Nothing, PageQuery, Search
from seatd.web.errors import Problem

ops = Ops("domains")

ATTEMPTS = 20
"""So often a deletion begins anew while others keep claiming the domain without making it."""

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
    return await listed(rows, query, query.sort, id_field="domain")


@ops.op("GET", "/api/v1/domains/{domain}", "domains.read", problems=("unknown_domain",))
async def one_domain(call: Call[DomainPath, Nothing, Nothing]) -> DomainView:
    """One domain"""
    customer, domain = await find_domain(call, call.path.domain)
    return await _view(call, customer, domain)


@ops.op(
    "POST",
    "/api/v1/customers/{customer}/domains",
    "domains.change",
    problems=("unknown_customer", "customer_deleted", "domain_taken", "unknown_domain"),
)
async def create_domain(call: Call[CustomerPath, Nothing, NewDomain]) -> DomainView:
    """Make a domain (a license key makes those that it names, too)"""
    store = call.services.store
    customer = await call.scope.whole_customer(call.path.customer)
    domain = canonical_domain(named(check_domain, call.body.domain, "domain"))
    claimed: list[Claim] = []

    async def decide() -> list[Change]:
        check_alive(await store.account(customer))
        if await store.fact(customer, "domains", domain) is not None:
            return []
        claimed.append(claim := await store.claim(customer, [domain]))
        if claim.taken:
            raise Problem("domain_taken")
        return [Change(place="domains", field=domain, after={})]

    try:
        await store.amend(customer, call.caller.deed("domains.create", domain), decide)
    except (Problem, UnknownCustomer):  # nothing was written (when the store does not answer, nobody knows)
        if claimed and await store.fact(customer, "domains", domain) is None:
            await store.release_domain(customer, domain, claimed[-1].mark)
        raise
    return await _view(call, customer, domain)


@ops.op("DELETE", "/api/v1/domains/{domain}", "domains.change", problems=("unknown_domain", "domain_in_use"))
async def delete_domain(call: Call[DomainPath, Nothing, Nothing]) -> None:
    """Delete a domain that nothing is left in"""
    store = call.services.store
    customer, domain = await _owned(call, call.path.domain)
    await call.scope.whole_customer(customer)
    for _ in range(ATTEMPTS):
        mark = await _take_away(call, customer, domain)
        if await store.release_domain(customer, domain, mark):
            return
        if (
            await store.fact(customer, "domains", domain) is not None
            or await store.owner_of(domain) != customer
        ):
            return  # somebody has made it again


async def _take_away(call: Call[Any, Any, Any], customer: str, domain: str) -> str:
    """Deletes the domain, but not yet whose it is: the mark with which that may be given up. A domain that is only claimed
    (its making broke off) is deleted, too: that makes stale what others have decided."""
    store, mark = call.services.store, ""

    async def decide() -> list[Change]:
        nonlocal mark
        mark = await store.mark_of(domain)
        before = await store.fact(customer, "domains", domain)
        if before is None and await store.owner_of(domain) != customer:
            raise Problem("unknown_domain")
        if await _is_used(call, customer, domain):
            raise Problem("domain_in_use")
        return [Change(place="domains", field=domain, before=before or {})]

    await store.amend(customer, call.caller.deed("domains.delete", domain), decide)
    return mark


async def find_domain(call: Call[Any, Any, Any], name: str) -> tuple[str, str]:
    """Customer and domain, if it is there for the caller; else the problem `unknown_domain`."""
    customer, domain = await _owned(call, name)
    if await call.services.store.fact(customer, "domains", domain) is None:
        raise Problem("unknown_domain")
    return customer, domain


async def _owned(call: Call[Any, Any, Any], name: str) -> tuple[str, str]:
    """The same of a domain that may only be claimed."""
    domain = canonical_domain(name)
    customer = await call.services.store.owner_of(domain)
    if customer is None or not (call.scope.has_domain(domain) and await call.scope.has_customer(customer)):
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


async def _view(call: Call[Any, Any, Any], customer: str, domain: str) -> DomainView:
    found = next((view for view in await _views(call, customer) if view.domain == domain), None)
    if found is None:
        raise Problem("unknown_domain")
    return found


async def _views(call: Call[Any, Any, Any], customer: str) -> list[DomainView]:
    store = call.services.store
    domains = await store.facts(customer, "domains")
    licenses = await _licenses(await store.registry([customer]))
    users = await _users(call, customer)
    return [
        DomainView(
            domain=domain, customer=customer, users=users[domain], licenses=tuple(licenses.get(domain, ()))
        )
        for domain in sorted(filter(call.scope.has_domain, domains))
    ]


async def _users(call: Call[Any, Any, Any], customer: str) -> Counter[str]:
    """How many users each domain has. (One who is changed meanwhile may come twice.)"""
    counts: Counter[str] = Counter()
    known: set[str] = set()
    async for portion in call.services.store.users(customer):
        counts.update(user.rpartition("@")[2] for user in portion if user not in known)
        known.update(portion)
    return counts


async def _licenses(rows: Iterable[LicenseRow]) -> dict[str, list[str]]:
    """The licenses of each domain."""
    found: dict[str, list[str]] = {}
    for row in rows:
        for domain in row.domains:
            found.setdefault(domain, []).append(row.id)
        await asyncio.sleep(0)  # a license may have thousands of domains: others have their turn
    return found
