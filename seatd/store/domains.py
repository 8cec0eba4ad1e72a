"""Whose a domain is. A domain belongs to one customer, however many there are: who names it first has it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from seatd.store.accounts import AccountVerbs
from seatd.store.keys import deployment_key


class DomainVerbs(AccountVerbs):
    """The one index over all customers: domain -> customer."""

    async def claim_domains(self, customer: str, domains: Iterable[str]) -> tuple[str, ...]:
        """Makes domains the customer's; those that are another's already, and stay it."""
        names = list(domains)
        owners = deployment_key("domain_owners")
        await asyncio.gather(*(self.pipeline.command("HSETNX", owners, name, customer) for name in names))
        found = await self.pipeline.command("HMGET", owners, *names) if names else []
        return tuple(
            name for name, owner in zip(names, found, strict=True) if owner and owner.decode() != customer
        )

    async def domains_taken(self, customer: str, domains: Iterable[str]) -> tuple[str, ...]:
        """Those of the domains that belong to another customer."""
        owners = await asyncio.gather(*map(self.owner_of, names := list(domains)))
        return tuple(name for name, owner in zip(names, owners, strict=True) if owner not in (None, customer))

    async def owner_of(self, domain: str) -> str | None:
        """The customer that the domain belongs to; None: nobody's."""
        owner = await self.pipeline.command("HGET", deployment_key("domain_owners"), domain)
        return owner.decode() if owner is not None else None

    async def find_domains_again(self) -> None:
        """Whose domains are whose, from what is kept of the customers, where the store has lost the index."""
        if not await self.pipeline.command("EXISTS", deployment_key("domain_owners")):
            for customer in await self.customers():
                await self.claim_domains(customer, await self.facts(customer, "domains"))

    async def release_domains(self, customer: str, domains: Iterable[str]) -> None:
        """Domains of a customer that has no use for them any more are nobody's."""
        for name in domains:
            if await self.owner_of(name) == customer:
                await self.pipeline.command("HDEL", deployment_key("domain_owners"), name)
