"""Customers whose time has come: they are deleted, step by step.

A customer is due like a license that ends, so any node may find it, and several may at once. Each step may be done again: it
stays due until the last one is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from seatd.hub.targets import LogoutTargets
from seatd.store.audit_values import SYSTEM, Change, Deed
from seatd.store.values import UnknownCustomer

if TYPE_CHECKING:
    from seatd.hub.hub import Hub

log = structlog.get_logger(__name__)

MESSAGE = "Your company's account has been closed."
COOLDOWN_S = 300
"""So long nobody comes back who was forced out: also not for a session without seats."""
WAIT_S = 2.0


class Deletions:
    """Deletes customers."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def carry_out(self, customer: str) -> None:
        """Deletes a customer that is due, as far as it can be done now: from its first step on nothing new is granted. Raises
        `StoreUnavailable`."""
        store = self._hub.store
        if await self._begin(customer):
            await self._force_out(customer)
            await store.issue_last(customer, Deed(by=SYSTEM, action="invoices.issue", target=customer))
            for row in await store.registry([customer]):
                deed = Deed(by=SYSTEM, action="licenses.withdraw", target=row.id)
                await store.drop_license(customer, row.id, deed=deed)
            await store.release_domains(customer, await store.facts(customer, "domains"))
        if await store.forget_customer(customer):
            log.info("customer deleted", customer=customer)

    async def _begin(self, customer: str) -> bool:
        """Whether the customer is to be deleted now. What an administrator decides meanwhile counts: amend looks again."""
        store = self._hub.store
        now_ms = await store.time_ms(customer)  # it was found due by that clock

        async def decide() -> Sequence[Change]:
            facts = await store.facts(customer, "account")
            at_ms = facts.get("delete_at_ms")
            if at_ms is None or at_ms > now_ms:
                return ()
            return [Change(place="account", field="status", before=facts.get("status"), after="deleted")]

        with suppress(UnknownCustomer):  # another node was faster
            await store.change_account(
                customer, Deed(by=SYSTEM, action="customers.delete", target=customer), decide
            )
        return (await store.account(customer)).status == "deleted"

    async def _force_out(self, customer: str) -> None:
        await self._hub.logouts.logout(
            LogoutTargets(customer=customer),
            message=MESSAGE,
            cooldown_s=COOLDOWN_S,
            by=SYSTEM.name,
            wait_s=WAIT_S,
        )
