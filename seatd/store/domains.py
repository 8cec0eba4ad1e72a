"""Whose a domain is. A domain belongs to one customer, however many there are: who names it first has it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container, Iterable, Sequence
from uuid import uuid4

from seatd.store.accounts import AccountVerbs
from seatd.store.keys import deployment_key
from seatd.store.values import Value
from seatd.store.verbs import Answer


class Claim(Value, frozen=True, kw_only=True):
    """What became of a claim. `taken`: another's; `fresh`: nobody's until now."""

    mark: str
    taken: tuple[str, ...]
    fresh: tuple[str, ...]


class DomainVerbs(AccountVerbs):
    """The one index over all customers: domain -> customer."""

    async def claim_domains(
        self, customer: str, domains: Iterable[str], *, whole: bool = False
    ) -> tuple[str, ...]:
        """Makes domains the customer's; those that are another's already, and stay it. `whole`: then none is claimed."""
        return (await self.claim(customer, domains, whole=whole)).taken

    async def claim(self, customer: str, domains: Iterable[str], *, whole: bool = True) -> Claim:
        """The same, with what is needed to give back what was claimed.

        Whoever claims domains in order to write them down claims them after the audit head was read, for each decision anew:
        then no deletion that is under way can take them from him without making his decision stale.
        """
        claim = {"mark": uuid4().hex, "domains": list(domains)}
        answer = await self.call_deployment("claim_domains", customer=customer, whole=whole, **claim)
        return answer.to(Claim, mark=claim["mark"])

    async def claiming(
        self,
        customer: str,
        domains: Sequence[str],
        act: Callable[[], Awaitable[Answer]],
        keeps: Container[str],
    ) -> Answer:
        """What `act` answers (`domain_taken`: it was not asked), with the domains claimed before. But for the words that mean
        that the customer has them now, those that were nobody's are given back."""
        claim = await self.claim(customer, domains)
        if claim.taken:
            return Answer("domain_taken", {"faulty": claim.taken})
        answer = await act()
        if answer.word not in keeps:
            for domain in claim.fresh:
                await self.release_domain(customer, domain, claim.mark)
        return answer

    async def mark_of(self, domain: str) -> str:
        """Of the claim of a domain that was the last ("": it has none), for `release_domain`."""
        mark = await self.pipeline.command("HGET", deployment_key("domain_claims"), domain)
        return "" if mark is None else mark.decode()

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
        """Domains of a customer that is deleted are nobody's."""
        for name in domains:
            await self.release_domain(customer, name, None)

    async def release_domain(self, customer: str, domain: str, mark: str | None) -> bool:
        """A domain that a customer does not have any more is nobody's, unless it was claimed again since it had that mark
        (None: whatever it has). Whether it was given back."""
        answer = await self.call_deployment("release_domain", customer=customer, domain=domain, mark=mark)
        return answer.word == "released"
