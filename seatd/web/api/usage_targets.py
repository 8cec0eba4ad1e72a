"""What is asked about: customers, products, domains or licenses; and which hours, days or months."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Literal, NamedTuple

import msgspec

from seatd.licensing.names import canonical_domain
from seatd.store.ahead import one_ahead
from seatd.store.redis import Store
from seatd.store.usage_values import GroupBy, Level, number_of, start_ms
from seatd.store.usage_values import Scope as Metered
from seatd.web.api.shapes import LATEST_MS, Moment, PageQuery, Search
from seatd.web.caller import Scope
from seatd.web.errors import invalid

CUSTOMERS_AT_ONCE = 3
"""Asked together; then others have their turn."""
MOST: dict[Level, int] = {"hour": 960, "day": 800, "month": 1200}
USUAL: dict[Level, int] = {"hour": 24, "day": 30, "month": 12}


class Which(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`by` says what a row is about; by itself it is what the other fields name."""

    customer: Search = ""
    domain: Search = ""
    product: Search = ""
    license: Search = ""
    by: GroupBy | None = None


class UsageQuery(Which, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Of which time, and how it is told."""

    resolution: Literal["live", "hour", "day", "month"] = "live"
    from_: Moment | None = None
    to: Annotated[Moment | None, msgspec.Meta(description="until before this moment")] = None
    format: Literal["json", "csv"] = "json"


class Target(NamedTuple):
    """One scope of one customer."""

    customer: str
    scope: Metered


ALLOWED: dict[GroupBy, frozenset[str]] = {
    "customer": frozenset(),
    "product": frozenset({"product"}),
    "domain": frozenset({"domain", "product"}),
    "license": frozenset({"license"}),
}


def grouping(query: Which, scope: Scope) -> GroupBy:
    """What a row is about. Whoever has a right to some domains only is told of rows by domain."""
    if scope.domains is not None and query.by is None and not query.license:
        return "domain"
    by = _grouping(query)
    if scope.domains is not None and by != "domain":
        raise invalid("by", "only rows by domain are there")
    return by


def _grouping(query: Which) -> GroupBy:
    given = {name for name in ("domain", "product", "license") if getattr(query, name)}
    narrowest: GroupBy = "customer"
    for name in ("product", "domain", "license"):
        if name in given:
            narrowest = name
    by = query.by or narrowest
    for name in sorted(given - ALLOWED[by]):
        raise invalid(name, f"is not told of rows by {by}")
    return by


async def targets_of(store: Store, scope: Scope, query: Which) -> list[Target]:
    """All that the query means and that is there for the caller, by customer and name."""
    by = grouping(query, scope)
    customers = [await scope.named_customer(query.customer)] if query.customer else await scope.customers()
    if (named := _named(query, by)) is not None:
        return [Target(name, named) for name in customers]
    portions = (
        customers[start : start + CUSTOMERS_AT_ONCE] for start in range(0, len(customers), CUSTOMERS_AT_ONCE)
    )

    async def of_portion(names: Sequence[str]) -> list[tuple[str, Sequence[Metered]]]:
        scopes = await asyncio.gather(*(_scopes(store, name, query, by) for name in names))
        return list(zip(names, scopes, strict=True))

    return [
        Target(name, metered)
        async for portion in one_ahead(partial(of_portion, names) for names in portions)
        for name, scopes in portion
        for metered in scopes
        if scope.domains is None or metered.domain in scope.domains
    ]


def _named(query: Which, by: GroupBy) -> Metered | None:
    """What the query names, if that is one thing in each customer. (Whoever has domains only is told of domains.)"""
    if by == "customer":
        return Metered("customer")
    if by == "product" and query.product:
        return Metered("product", product=query.product)
    if by == "license" and query.license:
        return Metered("license", license=query.license)
    return None


async def _scopes(store: Store, customer: str, query: Which, by: GroupBy) -> Sequence[Metered]:
    domain = canonical_domain(query.domain) if query.domain else ""
    return sorted(
        scope
        for scope in await store.scopes(customer, by)
        if domain in ("", scope.domain) and query.product in ("", scope.product)
    )


def numbers_of(level: Level, from_: datetime | None, to: datetime | None, now_ms: int) -> range:
    """The hours, days or months from the one with `from_` to the one in which `to` has just not come."""
    till_ms = now_ms if to is None else min(_ms(to, "to"), now_ms)
    last = number_of(level, max(0, till_ms - 1))
    first = number_of(level, _ms(from_, "from")) if from_ is not None else max(0, last - USUAL[level] + 1)
    if to is not None and from_ is not None and to <= from_:
        raise invalid("to", "is not after from")
    if last - first >= MOST[level]:
        raise invalid("from", f"more than {MOST[level]} rows of a {level}: ask for less, or for longer times")
    return range(first, last + 1)


def bounds(level: Level, number: int, now_ms: int) -> tuple[int, int]:
    """From when until when a row tells: what goes on, until now."""
    return start_ms(level, number), min(start_ms(level, number + 1), now_ms)


def _ms(at: datetime, path: str) -> int:
    ms = int(at.timestamp() * 1000)
    if ms < 0:
        raise invalid(path, "is before 1970")
    return min(ms, LATEST_MS)
