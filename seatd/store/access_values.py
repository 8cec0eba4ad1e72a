"""What administrators and API tokens may do: a role, and where it counts."""

from __future__ import annotations

from typing import Literal, get_args

from seatd.store.values import Value

Role = Literal["operator", "agency", "owner", "admin", "supervisor", "auditor"]
ROLES: tuple[Role, ...] = get_args(Role)


class Grant(Value, frozen=True, kw_only=True):
    """A role and where it counts: everywhere (nothing else is said), with the customers of an agency, or with some customers,
    and there with all domains or only some. Which actions a role may do says `seatd.web.rights`."""

    role: Role
    agency: str = ""
    customers: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()

    @property
    def is_everywhere(self) -> bool:
        """Whether it counts with every customer there is."""
        return not self.agency and not self.customers


EVERYTHING = Grant(role="operator")


def fault_of(grant: Grant) -> str:
    """Why a grant makes no sense; "" when it does."""
    if grant.role == "operator" and grant != EVERYTHING:
        return "an operator's role counts everywhere"
    if grant.role == "agency" and (not grant.agency or grant.customers or grant.domains):
        return "an agency's role names the agency, and nothing else"
    if grant.role in ("owner", "admin", "supervisor") and (grant.agency or not grant.customers):
        return "this role names the customers that it counts with"
    if grant.role == "supervisor" and not grant.domains:
        return "a supervisor's role names domains"
    if grant.agency and grant.customers:
        return "an agency, or customers, not both"
    if grant.domains and not grant.customers:
        return "domains need their customers"
    return ""


class TokenRecord(Value, frozen=True, kw_only=True):
    """An API token as stored: never the token, only what it may do. `expires_ms` None: until it is taken back."""

    id: str = ""
    name: str
    grant: Grant
    created_ms: int
    created_by: str = ""
    expires_ms: int | None = None
