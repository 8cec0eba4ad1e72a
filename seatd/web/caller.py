"""Who makes a call, and which customers are there for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from seatd.store.access_values import Grant
from seatd.store.account_values import Account
from seatd.store.audit_values import Actor, Deed, Json
from seatd.store.redis import Store
from seatd.web.errors import Problem
from seatd.web.rights import Reach, reach


@dataclass(frozen=True, slots=True)
class Caller:
    """An administrator (`via` "session") or an API token. `address`: where the call comes from; `id`: the token's, or the hash
    of the session's secret; `made_by`: who made the token, if somebody did. `ends_ms`: when the right to call ends.
    `is_held_up`: until the one-time code is set up, such an administrator may do nothing else."""

    name: str
    grant: Grant
    address: str = ""
    via: Literal["token", "session"] = "token"
    id: str = ""
    made_by: str = ""
    ends_ms: int | None = None
    is_held_up: bool = False

    def actor(self) -> Actor:
        """As the audit trail names it."""
        return Actor(name=self.name, role=self.grant.role, address=self.address)

    def deed(self, action: str, target: str = "", **detail: Json) -> Deed:
        """What the caller is about to do."""
        return Deed(by=self.actor(), action=action, target=target, detail=detail)


class Scope:
    """What is there for a caller with an action: customers, and in them domains."""

    def __init__(self, store: Store, grant: Grant, action: str) -> None:
        self._store = store
        self._grant = grant
        self._reach: Reach = reach(grant.role, action)
        self._permission = reach("agency", action) or "see"

    @property
    def is_nowhere(self) -> bool:
        """Whether the role may never do this."""
        return not self._reach

    @property
    def domains(self) -> frozenset[str] | None:
        """The only domains that are there; None: all of the customers'."""
        if self._reach == "own" or self._grant.domains:
            return frozenset(self._grant.domains)
        return None

    def has_domain(self, domain: str) -> bool:
        """Whether this domain of a customer that is there is there as well."""
        return self.domains is None or domain in self.domains

    def any_domain(self, domains: Iterable[str]) -> bool:
        """Whether one of these domains is there."""
        return self.domains is None or not self.domains.isdisjoint(domains)

    def all_domains(self, domains: Iterable[str]) -> bool:
        """Whether all of these domains are there."""
        return self.domains is None or self.domains.issuperset(domains)

    async def customers(self) -> list[str]:
        """All customers that are there, sorted."""
        if self._grant.customers:
            names = sorted(self._grant.customers)
            there = [await self._store.has_customer(name) for name in names]
            return [name for name, known in zip(names, there, strict=True) if known]
        names = await self._store.customers()
        if not self._grant.agency:
            return names
        accounts = await self._store.accounts(names)
        return [account.id for account in accounts if self._permits(account)]

    async def has_customer(self, customer: str) -> bool:
        """Whether this customer is there."""
        if self._grant.customers and customer not in self._grant.customers:
            return False
        if not await self._store.has_customer(customer):
            return False
        return not self._grant.agency or self._permits(await self._store.account(customer))

    async def named_customer(self, customer: str) -> str:
        """The customer, or the problem `unknown_customer`."""
        if not await self.has_customer(customer):
            raise Problem("unknown_customer")
        return customer

    async def whole_customer(self, customer: str) -> str:
        """The customer for what concerns all of it; the problem `forbidden` for who is limited to some of its domains."""
        await self.named_customer(customer)
        if self.domains is not None:
            raise Problem("forbidden", "This concerns the whole customer, not only some of its domains.")
        return customer

    async def also(self, action: str, customer: str) -> bool:
        """Whether the caller may do something else as well with this customer, if only in some of its domains."""
        other = Scope(self._store, self._grant, action)
        return not other.is_nowhere and await other.has_customer(customer)

    def may_create(self, agency: str) -> bool:
        """Whether a customer that is not there yet may be made (by an import, say) for an agency."""
        return self._grant.is_everywhere or bool(self._grant.agency and self._grant.agency == agency)

    def _permits(self, account: Account) -> bool:
        """Whether an agency may do this with a customer. (An auditor of an agency sees what the agency may see.)"""
        return account.agency == self._grant.agency and self._permission in (*account.permissions, "all")
