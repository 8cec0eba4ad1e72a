"""Agencies: who sells to customers, as far as these permit it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from seatd.store.account_values import Contact
from seatd.store.accounts import AccountVerbs
from seatd.store.keys import deployment_key
from seatd.store.values import Value


class Agency(Value, frozen=True, kw_only=True):
    """What is kept of an agency, but for its id."""

    name: str = ""
    external_id: str = ""
    contacts: tuple[Contact, ...] = ()
    created_ms: int = 0


class AgencyVerbs(AccountVerbs):
    """The agencies of the deployment. They are changed by `amend(None, ...)`, place `agencies`."""

    async def agencies(self) -> dict[str, Agency]:
        """All agencies by id."""
        found = await self.hash_at(deployment_key("agencies"))
        return {name.decode(): msgspec.json.decode(text, type=Agency) for name, text in found.items()}

    async def agency(self, agency: str) -> Agency | None:
        """One agency; None: there is none such."""
        text = await self.pipeline.command("HGET", deployment_key("agencies"), agency)
        return None if text is None else msgspec.json.decode(text, type=Agency)

    async def customers_of(self, agency: str) -> Sequence[str]:
        """The customers that an agency has, sorted."""
        accounts = await self.accounts(await self.customers())
        return [account.id for account in accounts if account.agency == agency]
