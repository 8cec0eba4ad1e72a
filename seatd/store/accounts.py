"""Customers, as administrators see them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress

import msgspec

from seatd.store.account_values import Account, account_of
from seatd.store.audit import AuditVerbs
from seatd.store.audit_values import Json
from seatd.store.keys import REGISTRY_CHANNEL, customer_key, partition_key
from seatd.store.values import StoreUnavailable


class AccountVerbs(AuditVerbs):
    """What is kept of customers."""

    async def customers(self) -> list[str]:
        """The ids of all customers, sorted."""
        return await self._listed("customers")

    async def former_customers(self) -> list[str]:
        """The ids of those that have been deleted, sorted: their audit trails are left."""
        return await self._listed("former_customers")

    async def _listed(self, name: str) -> list[str]:
        sets = await self.pipeline.commands(
            ("SMEMBERS", partition_key(name, number)) for number in range(self.partitions)
        )
        return sorted(customer.decode() for found in sets for customer in found)

    async def has_customer(self, customer: str) -> bool:
        """Whether there is such a customer."""
        known = partition_key("customers", self.partition(customer))
        return bool(await self.pipeline.command("SISMEMBER", known, customer))

    async def account(self, customer: str) -> Account:
        """What is kept of a customer; of one that is not there, nothing."""
        fields, profile = await asyncio.gather(
            self.hash_at(self._of("account", customer)),
            self.pipeline.command("GET", self._of("profile", customer)),
        )
        return account_of(customer, fields, profile)

    async def facts(self, customer: str, place: str) -> dict[str, Json]:
        """All that is kept in one of a customer's places (`account`, `domains`, `users` ...), by field."""
        return _decoded(await self.hash_at(self._of(place, customer)))

    async def fact(self, customer: str, place: str, field: str) -> Json:
        """One field of a customer's place; None: there is none such."""
        text = await self.pipeline.command("HGET", self._of(place, customer), field)
        return None if text is None else msgspec.json.decode(text)

    async def hash_at(self, key: str) -> dict[bytes, bytes]:
        """A whole hash."""
        fields = await self.pipeline.command("HGETALL", key)
        if isinstance(fields, list):
            fields = dict(zip(fields[::2], fields[1::2], strict=True))
        return dict(fields)

    async def accounts(self, customers: Iterable[str]) -> list[Account]:
        """The same for many customers, in their order."""
        return list(await asyncio.gather(*map(self.account, customers)))

    async def _announce(self, customer: str) -> None:
        """Tells all nodes that what they remember of a customer has changed."""
        with suppress(StoreUnavailable):  # then they learn of it by themselves, later
            await self.publish(REGISTRY_CHANNEL, customer)

    def _of(self, name: str, customer: str) -> str:
        return customer_key(name, self.partition(customer), customer)


def _decoded(fields: Mapping[bytes, bytes]) -> dict[str, Json]:
    return {name.decode(): msgspec.json.decode(text) for name, text in fields.items()}
