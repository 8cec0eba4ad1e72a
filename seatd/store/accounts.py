"""Customers, as administrators see them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from seatd.store.account_values import Account, account_of
from seatd.store.audit import AuditVerbs
from seatd.store.keys import customer_key, partition_key


class AccountVerbs(AuditVerbs):
    """What is kept of customers."""

    async def customers(self) -> list[str]:
        """The ids of all customers, sorted."""
        sets = await asyncio.gather(
            *(
                self.pipeline.command("SMEMBERS", partition_key("customers", number))
                for number in range(self.partitions)
            )
        )
        return sorted(name.decode() for found in sets for name in found)

    async def has_customer(self, customer: str) -> bool:
        """Whether there is such a customer."""
        known = partition_key("customers", self.partition(customer))
        return bool(await self.pipeline.command("SISMEMBER", known, customer))

    async def account(self, customer: str) -> Account:
        """What is kept of a customer; of one that is not there, nothing."""
        fields, profile = await asyncio.gather(
            self.pipeline.command("HGETALL", self._of("account", customer)),
            self.pipeline.command("GET", self._of("profile", customer)),
        )
        if isinstance(fields, list):
            fields = dict(zip(fields[::2], fields[1::2], strict=True))
        return account_of(customer, fields, profile)

    async def accounts(self, customers: Iterable[str]) -> list[Account]:
        """The same for many customers, in their order."""
        return list(await asyncio.gather(*map(self.account, customers)))

    def _of(self, name: str, customer: str) -> str:
        return customer_key(name, self.partition(customer), customer)
