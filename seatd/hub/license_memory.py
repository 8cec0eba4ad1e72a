"""The licenses and accounts of those customers that have sessions here, remembered in case the store loses all that it has."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
import structlog

from seatd.store.registry_values import Registration
from seatd.store.values import StoreUnavailable

if TYPE_CHECKING:
    from seatd.hub.hub import Hub

log = structlog.get_logger(__name__)

RETRY_S = 0.5
REFRESH_S = 300.0
"""So often everything is asked for anew: what is said to have changed may be missed."""


class Remembered(msgspec.Struct):
    """A customer's part of the registry, and the licenses that are known to have been withdrawn from it."""

    standing: Registration
    withdrawn: dict[str, Mapping[str, object]]


class LicenseMemory:
    """Asks for the licenses of a customer at its first session here, and whenever they are said to have changed."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._known: dict[str, Remembered] = {}
        self._wanted: set[str] = set()
        self._asked = asyncio.Event()

    def want(self, customer: str) -> None:
        """A customer has a session here."""
        if customer not in self._known:
            self._ask(customer)

    def changed(self, customer: str) -> None:
        """The registry says that a customer's licenses or assignments have changed."""
        if customer in self._known or customer in self._wanted:
            self._ask(customer)

    async def watch(self) -> None:
        """Keeps what is remembered up to date, for ever."""
        clock = asyncio.get_running_loop().time
        renew_s = clock() + REFRESH_S  # however often something is asked for before
        while True:
            with suppress(TimeoutError):  # (wait_for may swallow that it is cancelled, before Python 3.12)
                async with asyncio.timeout_at(renew_s):
                    await self._asked.wait()
            self._asked.clear()
            if clock() >= renew_s:
                self._renew()
                renew_s = clock() + REFRESH_S
            if await self._fetch():
                await asyncio.sleep(RETRY_S)
                self._asked.set()

    async def tell(self, lives_here: Callable[[str], bool]) -> None:
        """Puts back what the store has lost, for the customers of a partition. Raises `StoreUnavailable`."""
        for customer, known in tuple(self._known.items()):
            if lives_here(customer):
                done = await self._hub.store.reregister(customer, known.standing, known.withdrawn)
                if done.added:  # whose the domains are is kept elsewhere, and may be lost as well
                    await self._hub.store.claim_domains(customer, known.standing.domains())
                if done.added or done.dropped:
                    log.warning(
                        "licenses put back", customer=customer, licenses=done.added, withdrawn=done.dropped
                    )

    def _ask(self, customer: str) -> None:
        self._wanted.add(customer)
        self._asked.set()

    async def _fetch(self) -> bool:
        """Asks for what is wanted; whether something is left to be asked for again."""
        wanted, self._wanted = self._wanted, set()
        for customer in wanted:
            try:
                read = await self._hub.store.registered(customer)
            except StoreUnavailable:
                self._wanted.add(customer)
                continue
            # A store that has just lost its writes says too little: first it is told what this node knows.
            if self._hub.leases.is_settled(self._hub.store.partition(customer)):
                self._keep(customer, read)
            else:
                self._wanted.add(customer)
        return bool(self._wanted)

    def _keep(self, customer: str, read: Registration) -> None:
        known = self._known.get(customer)
        withdrawn = {**known.withdrawn, **known.standing.licenses} if known else {}
        gone = {id_: record for id_, record in withdrawn.items() if id_ not in read.licenses}
        self._known[customer] = Remembered(read, gone)

    def _renew(self) -> None:
        """Forgets who has left, and asks for all others anew."""
        here = self._hub.customers()
        self._known = {customer: known for customer, known in self._known.items() if customer in here}
        self._wanted |= here
