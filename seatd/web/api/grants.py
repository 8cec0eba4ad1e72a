"""Grants as they are written and shown."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from seatd.licensing.names import BadName, canonical_domain, check_customer, check_domain, check_text
from seatd.store.access_values import Grant, Role, fault_of
from seatd.web.api.ops import Call
from seatd.web.api.shapes import Input
from seatd.web.errors import Problem, invalid
from seatd.web.granting import covers


class GrantBody(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A role and where it counts: everywhere, with an agency's customers, or with some customers, there with some domains."""

    role: Role
    agency: Annotated[str, msgspec.Meta(max_length=64)] = ""
    customers: Annotated[tuple[str, ...], msgspec.Meta(max_length=100)] = ()
    domains: Annotated[tuple[str, ...], msgspec.Meta(max_length=100)] = ()


class GrantView(msgspec.Struct, frozen=True, kw_only=True):
    """A grant; `number` is what it is switched to by."""

    number: int
    role: Role
    agency: str
    customers: tuple[str, ...]
    domains: tuple[str, ...]


def grant_view(grant: Grant, number: int = 0) -> GrantView:
    """The grant as it is shown."""
    return GrantView(
        number=number,
        role=grant.role,
        agency=grant.agency,
        customers=grant.customers,
        domains=grant.domains,
    )


async def given_grant(call: Call[Any, Any, Any], body: GrantBody, path: str) -> Grant:
    """The grant that a body asks for: one that makes sense, about customers that are there, and no wider than the caller's."""
    grant = _grant(body, path)
    if fault := fault_of(grant):
        raise invalid(path, fault)
    for customer in grant.customers:
        await call.scope.named_customer(customer)
    if not covers(call.caller.grant, grant):
        raise Problem("forbidden", "Nobody can give a wider grant than the one that he acts with.")
    return grant


def _grant(body: GrantBody, path: str) -> Grant:
    try:
        return Grant(
            role=body.role,
            agency=check_text(body.agency, "agency"),
            customers=tuple(sorted({check_customer(name) for name in body.customers})),
            domains=tuple(sorted({canonical_domain(check_domain(name)) for name in body.domains})),
        )
    except BadName as error:
        raise invalid(path, str(error)) from None
