"""Whose audit trail somebody may see."""

from __future__ import annotations

from typing import Any

from seatd.web.api.ops import Call
from seatd.web.errors import Problem, invalid


async def trail_of(call: Call[Any, Any, Any], customer: str) -> str | None:
    """The customer whose trail is meant, or None for the deployment's. A trail tells of all of a customer, so it is there
    only for who may see all; those of deleted customers are there for who is everywhere."""
    grant = call.caller.grant
    if customer:
        if grant.is_everywhere and customer in await call.services.store.former_customers():
            return customer
        return await call.scope.whole_customer(customer)
    if grant.is_everywhere:
        return None
    if len(grant.customers) != 1:
        raise invalid("customer", "say whose trail")
    return await call.scope.whole_customer(grant.customers[0])


async def trails_of(call: Call[Any, Any, Any]) -> list[str | None]:
    """All trails that are there for the caller."""
    if call.scope.domains is not None:
        raise Problem("forbidden", "A trail concerns the whole customer, not only some of its domains.")
    names: list[str | None] = [None] if call.caller.grant.is_everywhere else []
    customers = set(await call.scope.customers())
    if call.caller.grant.is_everywhere:
        customers |= set(await call.services.store.former_customers())
    return [*names, *sorted(customers)]
