"""Which grants are within another: nobody gives away more than he has."""

from __future__ import annotations

from msgspec.structs import replace

from seatd.store.access_values import ROLES, Grant, Role

GIVES: dict[Role, tuple[Role, ...]] = {
    "operator": ROLES,
    "owner": ("owner", "admin", "supervisor", "auditor"),
}
"""Role -> the roles that it may give. (Only these two may administer anybody, see `rights`.)"""


def covers(own: Grant, given: Grant) -> bool:
    """Whether one who has the grant `own` may give the grant `given`."""
    if given.role not in GIVES.get(own.role, ()):
        return False
    if own.is_everywhere:
        return True
    return (
        not given.agency
        and bool(given.customers)
        and set(given.customers) <= set(own.customers)
        and (not own.domains or (bool(given.domains) and set(given.domains) <= set(own.domains)))
    )


def within(own: Grant, other: Grant) -> Grant | None:
    """What of another's grant is there for one who has the grant `own`; None: nothing."""
    if own.role == "operator":
        return other
    customers = tuple(name for name in other.customers if name in own.customers)
    domains = _common_domains(own, other)
    if not customers or (not domains and (own.domains or other.domains)):
        return None
    return replace(other, customers=customers, domains=domains)


def _common_domains(own: Grant, other: Grant) -> tuple[str, ...]:
    """Of two grants; without domains a grant counts in all of them."""
    if not own.domains or not other.domains:
        return own.domains or other.domains
    return tuple(name for name in other.domains if name in own.domains)


def narrowed(grant: Grant, customer: str) -> Grant | None:
    """The grant for one customer alone; None: it does not count there, or only as an agency. An operator acts for a customer
    as its owner."""
    if grant.role == "operator":
        return Grant(role="owner", customers=(customer,))
    if grant.agency or not (grant.is_everywhere or customer in grant.customers):
        return None
    return replace(grant, customers=(customer,))
