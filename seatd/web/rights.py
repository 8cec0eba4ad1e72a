"""Who may do what: one table, a row for each action of the API, a column for each role.

A cell says how far the role reaches: `ALL` of its grant, only its `OWN` domains, or nowhere (""). In the agency's column
stands the permission that the customer must have given its agency. What a caller may not see is not there for it (404); what
its role may do nowhere is refused (403).
"""

from __future__ import annotations

from typing import Final, Literal

from seatd.store.access_values import ROLES, Role

Reach = Literal["", "all", "own", "see", "licenses", "people", "provisioning", "logout", "billing"]
Cells = tuple[Reach, Reach, Reach, Reach, Reach, Reach]

NO: Final = ""
ALL: Final = "all"
OWN: Final = "own"

RIGHTS: Final[dict[str, Cells]] = {
    # action: operator, agency, owner, admin, supervisor, auditor
    "agencies.read": (ALL, NO, NO, NO, NO, ALL),
    "agencies.change": (ALL, NO, NO, NO, NO, NO),
    "customers.read": (ALL, "see", ALL, ALL, ALL, ALL),
    "customers.create": (ALL, NO, NO, NO, NO, NO),
    "customers.change": (ALL, "people", ALL, ALL, NO, NO),
    "customers.end": (ALL, NO, ALL, NO, NO, NO),
    "customers.suspend": (ALL, "billing", NO, NO, NO, NO),
    "customers.money": (ALL, "billing", NO, NO, NO, NO),
    "customers.move": (ALL, NO, NO, NO, NO, NO),
    "customers.permit": (ALL, NO, ALL, NO, NO, NO),
    "domains.read": (ALL, "see", ALL, ALL, OWN, ALL),
    "domains.change": (ALL, "people", ALL, ALL, NO, NO),
    "users.read": (ALL, "people", ALL, ALL, OWN, ALL),
    "users.change": (ALL, "people", ALL, ALL, NO, NO),
    "licenses.read": (ALL, "see", ALL, ALL, OWN, ALL),
    "licenses.key": (ALL, "licenses", ALL, ALL, NO, NO),
    "licenses.import": (ALL, "licenses", ALL, ALL, NO, NO),
    "licenses.withdraw": (ALL, "licenses", ALL, NO, NO, NO),
    "licenses.users": (ALL, "people", ALL, ALL, OWN, ALL),
    "licenses.assign": (ALL, "people", ALL, ALL, NO, NO),
    "resources.read": (ALL, "see", ALL, ALL, OWN, ALL),
    "resources.change": (ALL, "provisioning", ALL, ALL, NO, NO),
    "provisioning.read": (ALL, "see", ALL, ALL, OWN, ALL),
    "provisioning.change": (ALL, "provisioning", ALL, ALL, NO, NO),
    "sessions.read": (ALL, "people", ALL, ALL, OWN, ALL),
    "logout": (ALL, "logout", ALL, ALL, OWN, NO),
    "usage.read": (ALL, "see", ALL, ALL, OWN, ALL),
    "denials.read": (ALL, "see", ALL, ALL, OWN, ALL),
    "events.read": (ALL, "people", ALL, ALL, OWN, ALL),
    "invoices.read": (ALL, "billing", ALL, NO, NO, ALL),
    "invoices.issue": (ALL, "billing", NO, NO, NO, NO),
    "audit.read": (ALL, "people", ALL, ALL, NO, ALL),
    "webhooks.read": (ALL, NO, ALL, ALL, NO, NO),
    "webhooks.change": (ALL, NO, ALL, ALL, NO, NO),
    "tokens.read": (ALL, NO, ALL, NO, NO, NO),
    "tokens.change": (ALL, NO, ALL, NO, NO, NO),
    "administrators.read": (ALL, NO, ALL, NO, NO, NO),
    "administrators.change": (ALL, NO, ALL, NO, NO, NO),
    "deployment.read": (ALL, NO, NO, NO, NO, NO),
    "profile": (ALL, ALL, ALL, ALL, ALL, ALL),
}
"""Action to cells. `profile` is what people do to themselves: who am I, password, one-time code, switching, signing out."""

OPEN: Final[dict[str, str]] = {
    "sign_in": "whoever signs in is not known yet",
}
"""The calls that need no caller, by name, and why. There are no others."""


def reach(role: Role, action: str) -> Reach:
    """How far a role reaches with an action."""
    return RIGHTS[action][ROLES.index(role)]
