"""Resources: things that are limited and are no persons (chat gateways, e-mail profiles), switched on and off."""

from __future__ import annotations

from functools import partial
from typing import Literal

import msgspec

from seatd.store.audit_values import Change, Deed
from seatd.store.people import PeopleVerbs
from seatd.store.values import Value


class Occupied(Value, frozen=True, kw_only=True):
    """The outcome of switching a resource on. `used` of `limit` are on then."""

    status: Literal["occupied", "already", "full", "not_licensed", "suspended"]
    limit: int = 0
    used: int = 0


class Resource(Value, frozen=True, kw_only=True):
    """A resource that is switched on."""

    product: str
    domain: str
    resource: str
    since_ms: int


class ResourceVerbs(PeopleVerbs):
    """Switches resources on and off, within the limits of licenses."""

    async def occupy(
        self,
        customer: str,
        product: str,
        domain: str,
        resource: str,
        *,
        combine: str,
        deed: Deed | None = None,
    ) -> Occupied:
        """Switches a resource on; on disk when this returns. Raises `StoreUnavailable`."""
        record = {"since_ms": self.wall_ms()}
        call = partial(
            self.call,
            "occupy",
            customer,
            product=product,
            domain=domain,
            resource=resource,
            record=msgspec.json.encode(record),
            combine=combine,
        )
        change = Change(place="resources", field=f"{product} {domain} {resource}", after=record)
        answer = await self.audited(customer, deed, lambda audit: call(audit=audit), [change])
        if answer.word in ("occupied", "already"):
            await self._announce(customer)
            await self.make_durable(self.partition(customer))
        return answer.to(Occupied, status=answer.word)

    async def vacate(
        self, customer: str, product: str, domain: str, resource: str, *, deed: Deed | None = None
    ) -> bool:
        """Switches a resource off. False: it was not on."""
        field = f"{product} {domain} {resource}"
        before = await self.fact(customer, "resources", field)
        call = partial(self.call, "vacate", customer, product=product, domain=domain, resource=resource)
        change = Change(place="resources", field=field, before=before)
        answer = await self.audited(customer, deed, lambda audit: call(audit=audit), [change])
        await self._announce(customer)
        await self.make_durable(self.partition(customer))
        return answer.word == "vacated"

    async def resources(self, customer: str) -> list[Resource]:
        """All that is switched on, sorted."""
        found = []
        for field, record in sorted((await self.facts(customer, "resources")).items()):
            product, domain, resource = field.split(" ")
            since_ms = record["since_ms"]
            found.append(Resource(product=product, domain=domain, resource=resource, since_ms=since_ms))
        return found
